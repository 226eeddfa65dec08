"""GPT: causality, exact probabilities, a cache that changes nothing, and blocks held to their definitions."""

import itertools
import math

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from genkit import bench, decoding, recipes
from genkit.data import Split
from genkit.models.gpt import GPT, POSITIONS
from genkit.models.recurrent import Recurrent
from genkit.nn.attention import ACTIVATIONS, SHARPNESS, Attention, Block, Cache, angles, rotate
from genkit.training import TrainConfig, fit


def gpt(seed=0, **changes):
    """A small GPT whose blocks do something: projections are not zero."""
    torch.manual_seed(seed)
    arguments = {"vocabulary": 7, "context": 8, "width": 16, "heads": 2, "layers": 2, "zero_init": False}
    return GPT(**arguments | changes).eval()


def tokens(n=3, t=6, v=7):
    return torch.randint(v, (n, t), generator=torch.Generator().manual_seed(1))


# attention -------------------------------------------------------------------


def slow_attention(q, k, v, allowed, scale):
    out = torch.zeros_like(q)
    for b, h, i in itertools.product(*map(range, q.shape[:3])):
        places = [j for j in range(k.shape[2]) if allowed(i, j)]
        weights = torch.stack([scale * q[b, h, i] @ k[b, h, j] for j in places]).exp()
        out[b, h, i] = sum(w * v[b, h, j] for w, j in zip(weights / weights.sum(), places, strict=True))
    return out


@pytest.mark.parametrize("qk_norm", [True, False])
@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("turned", [True, False])
def test_attention_is_its_definition(qk_norm, causal, turned):
    torch.manual_seed(0)
    layer = Attention(8, 2, qk_norm=qk_norm, zero_init=False).double()
    x = torch.randn(2, 5, 8, dtype=torch.float64)
    turn = tuple(a.double() for a in angles(torch.arange(5), 4)) if turned else None
    q, k, v = (h.view(2, 5, 2, 4).transpose(1, 2) for h in (x @ layer.qkv.weight.T).chunk(3, -1))
    scale = 4**-0.5
    if qk_norm:
        q, k = (2 * F.normalize(h, dim=-1) for h in (q, k))
        scale *= SHARPNESS
    if turned:
        q, k = rotate(q, turn), rotate(k, turn)
    y = slow_attention(q, k, v, lambda i, j: j <= i or not causal, scale)
    expected = y.transpose(1, 2).reshape(2, 5, 8) @ layer.project.weight.T
    torch.testing.assert_close(layer(x, causal=causal, turn=turn), expected, rtol=0, atol=1e-6)


def test_attention_to_another_sequence_sees_that_one_alone():
    torch.manual_seed(0)
    layer = Attention(8, 2, zero_init=False)
    x, other = torch.randn(2, 3, 8), torch.randn(2, 5, 8, requires_grad=True)
    mask = torch.tensor([1, 1, 1, 0, 0]).bool()[None, None, None]
    layer(x, other=other, mask=mask).square().sum().backward()
    seen = other.grad.abs().sum((0, 2))
    assert (seen[:3] > 0).all() and (seen[3:] == 0).all()


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 500), st.integers(0, 500), st.integers(0, 500), st.integers(0, 2**16))
def test_rotary_products_depend_on_the_distance_alone(i, distance, shift, seed):
    q, k = torch.randn(2, 1, 1, 1, 8, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)

    def product(a, b):
        return (rotate(q, turn(a)) * rotate(k, turn(b))).sum()

    def turn(place):
        return angles(torch.tensor([place], dtype=torch.float64), 8)

    torch.testing.assert_close(product(i, i + distance), product(i + shift, i + distance + shift), rtol=0, atol=1e-4)
    torch.testing.assert_close(rotate(q, turn(i)).norm(), q.norm())


def test_rotation_of_two_channels_is_a_turn_by_the_place():
    turned = rotate(torch.tensor([1.0, 0.0]).view(1, 1, 1, 2), angles(torch.tensor([3]), 2))
    torch.testing.assert_close(turned.flatten(), torch.tensor([math.cos(3), math.sin(3)]))


def test_an_untrained_block_changes_nothing_where_it_starts_at_zero():
    x = torch.randn(2, 4, 8)
    assert torch.equal(Block(8, 2)(x), x)
    assert not torch.equal(Block(8, 2, zero_init=False)(x), x)


def test_a_cache_refuses_what_it_cannot_mask():
    layer, cache = Attention(8, 2), Cache()
    layer(torch.randn(1, 3, 8), causal=True, cache=cache)
    with pytest.raises(ValueError, match="x: expected one new place where a cache holds others, received 2"):
        layer(torch.randn(1, 2, 8), causal=True, cache=cache)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Attention(8, 3), "heads: expected a divisor of the width 8, received 3"),
        (lambda: angles(torch.arange(3), 5), "d: expected an even number of channels, received 5"),
        (lambda: Block(8, 2, activation="gelo"), "activation"),
        (lambda: GPT(vocabulary=0, context=8), "vocabulary: expected at least 1, received 0"),
        (lambda: GPT(vocabulary=5, context=8, positions="rotari"), "positions"),
        (lambda: gpt()(torch.zeros(1, 9).long()), r"tokens: expected shape \(B, T\), T from 1 to 8, received \(1, 9\)"),
        (lambda: gpt().log_prob(torch.tensor([[7]])), "x: expected tokens from 0 to 6, received 7 to 7"),
        (lambda: gpt().log_prob(torch.tensor([[-1]])), "x: expected tokens from 0 to 6, received -1 to -1"),
        (lambda: gpt().log_prob(torch.tensor([[0.5]])), "x: expected int64"),
        (lambda: gpt().sample(1, torch.tensor([[9]])), "c: expected tokens from 0 to 6, received 9 to 9"),
        (lambda: gpt().sample(1, torch.zeros(1, 0).long()), r"c: expected shape \(1, P\), P from 1 to 8"),
        (lambda: gpt().sample(1, torch.zeros(1, 9).long()), r"c: expected shape \(1, P\), P from 1 to 8"),
        (lambda: gpt().sample(1, length=0), "length: expected at least 1, received 0"),
        (lambda: gpt().sample(1, temperature=-1.0), "temperature: expected a finite number >= 0, received -1.0"),
        (lambda: gpt().sample(1, top_p=1.5), r"top_p: expected a number in \(0, 1\], received 1.5"),
        (lambda: gpt().writer()(torch.zeros(1, 9).long()), "prompt: expected at most 8 tokens, received 9"),
    ],
)
def test_bad_input_is_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()


# the model --------------------------------------------------------------------

SHAPES = [{"positions": p} for p in POSITIONS] + [{"activation": a, "qk_norm": False} for a in ACTIVATIONS]


@pytest.mark.parametrize("changes", SHAPES)
def test_no_token_sees_itself_or_what_follows(changes):
    model = gpt(**changes)
    x = tokens(2, 8)
    for t in range(1, 8):
        other = x.clone()
        other[:, t] = (other[:, t] + 1) % 7
        difference = (model(x) - model(other)).abs().sum(-1)
        assert (difference[:, :t] == 0).all() and (difference[:, t:] > 0).all()


def test_the_gradient_of_an_output_by_later_inputs_is_exactly_zero():
    model, x = gpt(), tokens(1, 8)
    held = []

    def hold(module, arguments, keywords):
        held.append(arguments[0].detach().requires_grad_())
        return (held[-1], *arguments[1:]), keywords

    model.blocks[0].register_forward_pre_hook(hold, with_kwargs=True)
    for i in range(8):
        model(x)[0, i].square().sum().backward()
        reached = held.pop().grad[0].abs().sum(-1)
        assert (reached[i + 1 :] == 0).all() and (reached[: i + 1] > 0).all()


def test_a_recurrent_model_sees_the_past_alone():
    torch.manual_seed(0)
    model, x = Recurrent(vocabulary=7, context=8, width=8, hidden=12), tokens(2, 8)
    for t in range(1, 8):
        other = x.clone()
        other[:, t] = (other[:, t] + 1) % 7
        difference = (model(x) - model(other)).abs().sum(-1)
        assert (difference[:, :t] == 0).all() and (difference[:, t:] > 0).all()


@pytest.mark.parametrize("changes", [*SHAPES, None])
@pytest.mark.parametrize("c", [None, [[2]], [[0, 1]]])
def test_the_probabilities_of_all_strings_sum_to_one(changes, c):
    model = Recurrent(vocabulary=3, context=8) if changes is None else gpt(vocabulary=3, **changes)
    model = model.double()
    every = torch.tensor(list(itertools.product(range(3), repeat=5)))
    prefix = None if c is None else torch.tensor(c).expand(len(every), -1)
    assert model.log_prob(every, prefix).exp().sum().item() == pytest.approx(1, abs=1e-9)


def test_a_prefix_and_a_window_say_the_same():
    model, w = gpt(), tokens(3, 7)
    whole = model.log_probs(w[:, 1:], w[:, :1])
    torch.testing.assert_close(model.log_probs(w[:, 4:], w[:, :4]), whole[:, 3:])


@pytest.mark.parametrize("changes", SHAPES)
def test_the_cache_changes_no_token_within_the_context_and_beyond(changes):
    model, prompt = gpt(**changes), tokens(1, 3)[0]
    for greedy in (True, False):
        written = [
            decoding.write(
                m, prompt, 30, decoding.rules(top_p=0.95), greedy=greedy, generator=torch.Generator().manual_seed(3)
            )
            for m in (model.next, model.writer())
        ]
        assert torch.equal(written[0].tokens, written[1].tokens)
        torch.testing.assert_close(written[0].log_probs, written[1].log_probs, rtol=0, atol=1e-5)


def test_the_cache_computes_new_tokens_alone_and_begins_anew_for_others():
    model = gpt()
    writer, x = model.writer(), tokens(2, 6)
    asked = []
    real = model._logits
    model._logits = lambda t, *rest: asked.append(t.shape[1]) or real(t, *rest)
    for length in (3, 4, 5):
        torch.testing.assert_close(writer(x[:, :length]), model.next(x[:, :length]), rtol=0, atol=1e-5)
    other = x.flip(0)[:, :6]
    torch.testing.assert_close(writer(other), model.next(other), rtol=0, atol=1e-5)
    assert asked[::2][:3] == [3, 1, 1] and asked[-2] == 6


def test_beam_search_finds_with_the_cache_what_it_finds_without():
    model, prompt = gpt(), tokens(1, 2)[0]
    one, other = (decoding.beam_search(m, prompt, 6, beams=3) for m in (model.next, model.writer()))
    assert torch.equal(one.tokens, other.tokens)


def test_samples_follow_the_probabilities():
    model = gpt(vocabulary=2, context=4)
    torch.manual_seed(0)
    drawn = model.sample(4000, length=3)
    every = torch.tensor(list(itertools.product(range(2), repeat=3)))
    expected = model.log_prob(every).exp() * 4000
    counts = torch.bincount((drawn * torch.tensor([4, 2, 1])).sum(1), minlength=8)
    assert ((counts - expected).square() / expected).sum() < 24.3  # chi-square, 7 degrees, one in a thousand


def test_the_trajectory_grows_by_a_token_and_its_rules_hold():
    model = gpt()
    steps = list(model.trajectory(2, tokens(2, 3), length=12, temperature=0))
    assert [s.shape for s in steps] == [(2, t) for t in range(1, 13)]
    assert all(torch.equal(a, b[:, :-1]) for a, b in itertools.pairwise(steps))
    again = model.sample(2, tokens(2, 3), length=12, top_k=1)
    assert torch.equal(again, steps[-1])


def test_it_learns_a_language_whose_entropy_is_known():
    """Tokens that repeat the one three before, or with probability a tenth are any: a loss that can be computed."""
    generator = torch.Generator().manual_seed(0)
    w = torch.randint(4, (600, 17), generator=generator)
    for t in range(3, 17):
        w[:, t] = torch.where(torch.rand(600, generator=generator) < 0.9, w[:, t - 3], w[:, t])
    torch.manual_seed(0)
    model = GPT(vocabulary=4, context=16, width=32, heads=2, layers=2)
    config = TrainConfig(steps=250, batch=50, lr=0.01, warmup=20, optimiser="muon")
    fit(model, Split(w[:, 1:], w[:, :1]), config, progress=False)
    entropy = -(0.925 * math.log(0.925) + 0.075 * math.log(0.025))
    found = -model.log_probs(w[:, 3:], w[:, :3]).mean().item()
    assert entropy - 0.02 < found < entropy + 0.04


def test_one_player_names_the_matrices_of_the_blocks():
    [player] = gpt().players()
    assert len(player.matrices) == 2 * 4 and all(p.ndim == 2 for p in player.matrices)
    names = {n for n, p in gpt().named_parameters() if "blocks" not in n}
    assert names == {"embed.weight"} and {n for n, _ in gpt(positions="learned").named_parameters()} > {"place"}


def test_the_recipe_fits_its_data_and_any_text_suits():
    recipe = recipes.get("gpt-pydocs")
    data = recipe.dataset()
    assert recipe.arguments["vocabulary"] == data.levels and recipe.arguments["context"] == data.shape[0]
    suited = recipes.suited("gpt", "pydocs", data)
    assert suited.conditional and suited.build().log_prob(data.test.x[:2], data.test.c[:2]).shape == (2,)
    with pytest.raises(ValueError, match="data: expected text for a GPT"):
        recipes.suited("gpt", "digits", recipes.get("vae-digits").dataset())


def test_the_benchmark_measures_both_sides(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text("to be or not to be, that is the question. " * 60, encoding="utf-8")
    found = bench.run("gpt", data=str(path), iterations=40, config=TrainConfig(steps=20, batch=12, lr=8e-3))
    assert found["ratio of seconds"] == pytest.approx(found["genkit, s"] / found["plain, s"])
    assert 0 < found["genkit, nats"] < math.log(15) and 0 < found["plain, nats"] < math.log(15)
    with pytest.raises(ValueError, match="data: expected none for the benchmark 'step'"):
        bench.run("step", data="text")
