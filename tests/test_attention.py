"""Looking inside attention, the recurrent network beside it, and the strings on which both are tried."""

import functools
import itertools
import math

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from genkit import metrics, recipes
from genkit.data import Split, load
from genkit.data.recall import decode, encode, recall, strings
from genkit.models.gpt import GPT, POSITIONS
from genkit.models.recurrent import Recurrent
from genkit.nn.attention import Attention, angles
from genkit.nn.look import attention, attention_weights, entropy, previous, share, weights_of
from genkit.training import TrainConfig, fit

GRU = functools.partial(Recurrent, layers=1, cell="gru", spread=1.0, normalised=False)

# looking ---------------------------------------------------------------------------------------------------------


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 6), st.integers(1, 6), st.integers(1, 5), st.booleans(), st.integers(0, 2**16))
def test_attention_is_torchs(t, s, d, masked, seed):
    generator = torch.Generator().manual_seed(seed)
    q, k, v = (torch.randn(2, 3, n, d, generator=generator) for n in (t, s, s))
    mask = torch.rand(t, s, generator=generator) < 0.5 if masked else None
    if masked:
        mask[:, 0] = True
    y, weights = attention(q, k, v, mask=mask)
    torch.testing.assert_close(y, F.scaled_dot_product_attention(q, k, v, attn_mask=mask), rtol=0, atol=1e-6)
    torch.testing.assert_close(weights.sum(-1), torch.ones(2, 3, t))
    if masked:
        assert (weights[..., ~mask] == 0).all()


def test_a_scale_of_ones_own_is_used():
    q, k, v = torch.randn(3, 1, 4, 6)
    expected = F.scaled_dot_product_attention(q, k, v, scale=0.7)
    torch.testing.assert_close(attention(q, k, v, scale=0.7)[0], expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("qk_norm", [True, False])
@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("turned", [True, False])
def test_the_weights_of_a_layer_are_those_it_uses(qk_norm, causal, turned):
    """Put them to work on the layer's own values: what comes out is what the layer says."""
    torch.manual_seed(0)
    layer, x = Attention(12, 3, qk_norm=qk_norm, zero_init=False), torch.randn(2, 7, 12)
    turn = angles(torch.arange(7), 4) if turned else None
    weights = weights_of(layer, x, causal=causal, turn=turn)
    v = layer.qkv(x)[..., 24:].unflatten(-1, (3, 4)).transpose(1, 2)
    expected = layer.project((weights @ v).transpose(1, 2).flatten(2))
    torch.testing.assert_close(layer(x, causal=causal, turn=turn), expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("positions", POSITIONS)
def test_the_weights_of_a_model_are_its_blocks(positions):
    torch.manual_seed(0)
    model = GPT(vocabulary=7, context=9, width=12, heads=3, layers=2, positions=positions, zero_init=False)
    tokens = torch.randint(7, (2, 6))
    weights = attention_weights(model, tokens)
    assert weights.shape == (2, 2, 3, 6, 6)
    assert (weights.triu(1) == 0).all()
    torch.testing.assert_close(weights.sum(-1), torch.ones(2, 2, 3, 6))
    heard = []
    for block in model.blocks:
        block.attention.register_forward_hook(
            lambda layer, given, named, out: heard.append(weights_of(layer, given[0], turn=named["turn"])),
            with_kwargs=True,
        )
    model(tokens)
    torch.testing.assert_close(weights, torch.stack(heard))


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 3), min_size=1, max_size=12))
def test_the_previous_occurrence_is_the_last_one(tokens):
    expected = [max((j for j in range(i) if tokens[j] == tokens[i]), default=-1) for i in range(len(tokens))]
    assert previous(torch.tensor([tokens]))[0].tolist() == expected


def test_the_share_is_a_mean_over_queries_with_a_target():
    weights = torch.rand(2, 3, 4, 5, 5).softmax(-1)
    target = torch.randint(-1, 5, (3, 5))
    found = share(weights, target)
    for layer, head in itertools.product(range(2), range(4)):
        each = [
            weights[layer, b, head, i, target[b, i]] for b in range(3) for i in range(5) if target[b, i] >= 0
        ]  # fmt: skip
        torch.testing.assert_close(found[layer, head], torch.stack(each).mean())


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 9), st.integers(0, 2**16))
def test_entropy_lies_between_one_place_and_all_alike(n, seed):
    weights = torch.randn(n, generator=torch.Generator().manual_seed(seed)).softmax(0)
    assert -1e-6 <= entropy(weights) <= math.log(n) + 1e-5
    assert entropy(torch.full((n,), 1 / n)).item() == pytest.approx(math.log(n), abs=1e-5)
    assert entropy(F.one_hot(torch.tensor(0), n).float()) == 0


# the strings -----------------------------------------------------------------------------------------------------


@settings(max_examples=30, deadline=None)
@given(st.integers(2, 27), st.integers(1, 60), st.integers(0, 2**16))
def test_a_string_repeats_itself_and_holds_no_letter_twice(n, length, seed):
    w = strings(torch.full((3,), n), length, torch.Generator().manual_seed(seed))
    assert w.shape == (3, length) and (w[:, n:] == w[:, :-n]).all()
    assert all(len(row[:n].unique()) == min(n, length) for row in w)


def test_first_letters_are_uniform():
    first = strings(torch.full((27_000,), 5), 5, torch.Generator().manual_seed(0))
    for place in range(5):
        counts = torch.bincount(first[:, place], minlength=27)
        assert ((counts - 1000) ** 2 / 1000).sum() < 54.1  # chi-square, 26 degrees, one in a thousand


def test_the_set_is_what_it_says():
    data = load("recall")
    for split in (data.train, data.valid, data.test):
        assert split.c.shape == (len(split), 1) and split.x.shape == (len(split), 64)
        counts = torch.bincount(split.factors["distance"])
        assert counts[:4].sum() == 0 and len(counts) == 25 and counts[4:].max() - counts[4:].min() <= 1
    assert torch.equal(data.test.x, load("recall").test.x)
    assert not torch.equal(data.test.x, load("recall", seed=1).test.x)
    seen = {data.decode(row) for row in torch.cat([data.train.c, data.train.x], 1)}
    assert not seen & {data.decode(row) for row in torch.cat([data.test.c, data.test.x], 1)}


def test_text_and_tokens_are_each_others():
    assert decode(encode("to be or not")) == "to be or not"


class Knows(torch.nn.Module):
    """A model that repeats what stood a fixed number of places before."""

    def __init__(self, back):
        super().__init__()
        self.back = back

    def given(self, x, c):
        w = torch.cat([c, x], 1)
        return F.one_hot(F.pad(w, (self.back, 0))[:, 1 : x.shape[1] + 1], 27).float().log()


def test_recall_counts_the_letters_that_are_certain():
    data = recall(held=210)
    test = (data.test.x, data.test.c, data.test.factors["distance"])
    for back in (4, 10, 24):
        found = metrics.recalled(Knows(back), *test)
        assert list(found) == list(range(4, 25))
        assert found[back].value == 1 and found[back].stderr == 0
        assert all(v.value < 0.5 for n, v in found.items() if back % n)
    found = metrics.recalled(Knows(10), *test)
    assert found[5].value == pytest.approx(55 / 59), "59 letters are certain; it must read ten before it knows any"


# the recurrent network -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("c", [None, [[2]], [[0, 1]]])
def test_the_probabilities_of_all_strings_sum_to_one(c):
    torch.manual_seed(0)
    model = GRU(vocabulary=3, context=5, width=5, hidden=7).double()
    every = torch.tensor(list(itertools.product(range(3), repeat=4)))
    prefix = None if c is None else torch.tensor(c).expand(len(every), -1)
    assert model.log_prob(every, prefix).exp().sum().item() == pytest.approx(1, abs=1e-9)


def test_no_token_sees_itself_or_what_follows():
    torch.manual_seed(0)
    model, x = GRU(vocabulary=7, context=8, width=5, hidden=9), torch.randint(7, (2, 8))
    for t in range(8):
        other = x.clone()
        other[:, t] = (other[:, t] + 1) % 7
        difference = (model.given(x) - model.given(other)).abs().sum(-1)
        assert (difference[:, : t + 1] == 0).all() and (difference[:, t + 1 :] > 0).all()


def test_a_gru_is_its_equations():
    torch.manual_seed(0)
    model, x = GRU(vocabulary=4, context=3, width=3, hidden=5), torch.tensor([[1, 3, 0]])
    net, h = model.network, torch.zeros(5)
    for token in x[0]:
        a = net.weight_ih_l0 @ model.embed.weight[token] + net.bias_ih_l0
        b = net.weight_hh_l0 @ h + net.bias_hh_l0
        r, z = torch.sigmoid((a + b)[:10]).chunk(2)
        h = (1 - z) * torch.tanh(a[10:] + r * b[10:]) + z * h
    torch.testing.assert_close(model(x)[0, -1], model.embed.weight[:4] @ model.out(h))


def test_both_learn_to_repeat_over_a_short_distance():
    data = recall(3, 3, context=12, train=800, held=40)
    found = {}
    torch.manual_seed(0)
    for name, model, config in (
        ("gpt", GPT(vocabulary=27, context=12, width=32, heads=2, layers=2), {"lr": 8e-3, "optimiser": "muon"}),
        ("gru", GRU(vocabulary=27, context=12, width=32, hidden=64), {"lr": 1e-2}),
    ):
        fit(model, Split(data.train.x, data.train.c), TrainConfig(steps=300, batch=32, **config), progress=False)
        found[name] = metrics.recalled(model, data.test.x, data.test.c, data.test.factors["distance"])[3].value
    assert min(found.values()) > 0.8, found


def test_the_recipes_are_of_one_size_and_one_budget():
    one, *others = (recipes.get(f"{name}-recall") for name in ("gpt", "gru", "recurrent"))
    size = sum(p.numel() for p in one.build().parameters())
    for other in others:
        assert abs(sum(p.numel() for p in other.build().parameters()) / size - 1) < 0.01
        assert (one.quick.steps, one.quick.batch, one.data) == (other.quick.steps, other.quick.batch, other.data)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: attention(torch.ones(2, 3), torch.ones(2, 4), torch.ones(2, 4)), "k: expected 3 channels"),
        (
            lambda: attention(*torch.ones(3, 2, 3), mask=torch.tensor([[True, True], [False, False]])),
            "mask: expected a place to look at for every query",
        ),
        (lambda: recall(1, 5), "longest: expected shortest and longest"),
        (lambda: recall(4, 28), "longest: expected shortest and longest"),
        (lambda: recall(4, 24, context=24), "context: expected at least 25"),
        (lambda: encode("Ab"), "text: expected the letters a to z and spaces, received 'A'"),
        (lambda: GRU(vocabulary=0, context=3), "vocabulary: expected at least 1, received 0"),
        (
            lambda: metrics.recalled(Knows(2), torch.zeros(2, 3).long(), torch.zeros(2, 1).long(), torch.tensor([3])),
            "distance: expected numbers below 3, received 3",
        ),
    ],
)
def test_bad_input_is_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()
