"""Masked models and translators: who sees whom, exact probabilities of targets, and gaps filled by counting."""

import itertools
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genkit import decoding, recipes
from genkit.data import Split
from genkit.models import encoders
from genkit.models.encoders import NOTHING, Masked, Translator, alignment, hide, pseudo_log_prob, pseudo_log_probs
from genkit.models.neighbours import Neighbours
from genkit.training import TrainConfig, fit


def awake(model, seed=0):
    """Give the projections, which start at zero, something to do."""
    torch.manual_seed(seed)
    for name, p in model.named_parameters():
        if "project" in name or "down" in name:
            torch.nn.init.normal_(p, std=0.3)
    return model.eval()


def masked(**changes):
    torch.manual_seed(0)
    return awake(Masked(**{"vocabulary": 5, "context": 8, "width": 16, "heads": 2, "layers": 2} | changes))


def translator(**changes):
    torch.manual_seed(0)
    shape = {"vocabulary": 6, "source": 9, "target": 6, "width": 16, "heads": 2, "layers": 2}
    return awake(Translator(**shape | changes))


SOURCE = torch.tensor([[2, 3, 4, 5], [3, 3, 0, 0]])
TARGET = torch.tensor([[4, 2, 1, 0, 0], [5, 1, 0, 0, 0]])


def depends(outputs, inputs):
    """Return which outputs' gradients reach which inputs: bool of shape (outputs, inputs)."""
    rows = [torch.autograd.grad(o.square().sum(), inputs, retain_graph=True)[0].abs().sum((0, -1)) for o in outputs]
    return torch.stack(rows) > 0


def held(stack):
    """Let the embeddings of a stack's next pass be what gradients are asked for."""
    kept = []

    def hold(module, arguments, keywords):
        kept.append(arguments[0].detach().requires_grad_())
        return (kept[-1], *arguments[1:]), keywords

    stack.blocks[0].register_forward_pre_hook(hold, with_kwargs=True)
    return kept


# who sees whom -------------------------------------------------------------------------------------------------------


def test_every_place_of_a_masked_model_sees_every_other():
    model = masked()
    kept = held(model.stack)
    said = model(torch.randint(5, (1, 8)))[0]
    assert depends(said, kept[0]).all()


@pytest.mark.parametrize("places", [True, False])
def test_a_translator_sees_what_it_wrote_and_all_of_the_source_and_no_more(places):
    model = translator(places=places)
    sources, targets = held(model.encoder), held(model.decoder)
    c, x = torch.tensor([[2, 3, 4, 5, 2, 0, 0]]), torch.tensor([[4, 2, 3, 5, 1]])
    memory = model.encode(c)
    said = model(model.shifted(x), memory)[0, :, 1:]
    assert torch.equal(depends(said, targets[0]), torch.ones(5, 5).tril().bool())
    seen = depends(said, sources[0])
    assert seen[:, :5].all() and not seen[:, 5:].any()


def test_no_token_of_a_target_is_seen_before_it_is_written():
    model, x = translator(), torch.tensor([[4, 2, 3, 5, 1]])
    c = SOURCE[:1]
    for t in range(4):
        other = x.clone()
        other[0, t] = 2 + (other[0, t] - 1) % 4
        difference = (model.log_probs(x, c) - model.log_probs(other, c)).abs()[0]
        assert (difference[:t] == 0).all() and (difference[t:] > 0).all()


@pytest.mark.parametrize("places", [True, False])
@pytest.mark.parametrize("left", [0, 3])
def test_padding_changes_nothing_on_either_side(places, left):
    model = translator(places=places).double()
    whole = model.log_probs(TARGET, SOURCE)
    wider = torch.nn.functional.pad(SOURCE, (left, 5 - left))
    torch.testing.assert_close(model.log_probs(TARGET, wider), whole, rtol=0, atol=1e-6)
    alone = model.log_probs(TARGET[1:], SOURCE[1:, :2])
    torch.testing.assert_close(alone, whole[1:], rtol=0, atol=1e-6)
    narrow = model.log_probs(TARGET[:, :3], SOURCE)
    torch.testing.assert_close(narrow, whole[:, :3], rtol=0, atol=1e-6)


# exact probabilities ------------------------------------------------------------------------------------------------


def every_target(vocabulary, length, pad=0, end=1):
    for string in itertools.product(range(vocabulary), repeat=length):
        at = string.index(end) if end in string else length
        if pad not in string[: at + 1] and all(s == pad for s in string[at + 1 :]):
            yield list(string)


@pytest.mark.parametrize("source", [[2, 3], [3, 3, 2, 0]])
def test_the_probabilities_of_all_targets_sum_to_one(source):
    model = translator(vocabulary=4).double()
    every = torch.tensor(list(every_target(4, 5)))
    assert len(every) == 2**5 + sum(2**k for k in range(5))
    log_p = model.log_prob(every, torch.tensor([source]).expand(len(every), -1))
    assert log_p.exp().sum().item() == pytest.approx(1, abs=1e-9)


def test_the_log_probability_is_that_of_the_steps_of_writing():
    model = translator()
    for x, c in zip(TARGET, SOURCE, strict=True):
        write, total, begin = model.writer(c[None]), 0.0, torch.tensor([[model.vocabulary]])
        for token in x[: int((x != 0).sum())]:
            total += write(begin).log_softmax(-1)[0, token].item()
            begin = torch.cat([begin, token.view(1, 1)], 1)
        assert model.log_prob(x[None], c[None]).item() == pytest.approx(total, abs=1e-5)


def test_the_loss_is_the_mean_over_tokens_that_are_no_padding():
    model = translator()
    expected = -model.log_prob(TARGET, SOURCE) / torch.tensor([3, 2])
    torch.testing.assert_close(model.loss(TARGET, SOURCE)["loss"], expected)


def test_samples_follow_the_probabilities():
    model = translator(vocabulary=4, target=3)
    torch.manual_seed(0)
    drawn = model.sample(4000, torch.tensor([[2, 3]]))
    every = torch.tensor(list(every_target(4, 3)))
    expected = model.log_prob(every, torch.tensor([[2, 3]]).expand(len(every), -1)).exp() * 4000
    counts = (drawn[:, None] == every).all(-1).sum(0)
    assert counts.sum() == 4000
    assert ((counts - expected).square() / expected).sum() < 36.1  # chi-square, 14 degrees, one in a thousand


def test_what_is_written_ends_and_is_filled_up_and_beams_find_what_greedy_finds():
    model = translator()
    torch.manual_seed(0)
    drawn = model.sample(50, SOURCE[:1])
    model.log_prob(drawn, SOURCE[:1].expand(50, -1))  # raises where padding stands in the wrong place
    greedy = model.sample(1, SOURCE[:1], temperature=0)[0]
    begin = torch.tensor([model.vocabulary])
    beam = decoding.beam_search(model.writer(SOURCE[:1]), begin, 6, beams=1, end=1)
    assert torch.equal(beam.tokens, greedy)
    wide = decoding.beam_search(model.writer(SOURCE[:1]), begin, 6, beams=5, end=1)
    assert wide.log_probs.sum() >= beam.log_probs.sum() - 1e-6


def test_alignments_are_distributions_over_the_source_and_are_what_cross_attention_uses():
    model = translator()
    found = alignment(model, TARGET, SOURCE)
    assert found.shape == (2, 2, 2, 5, 4)
    torch.testing.assert_close(found.sum(-1), torch.ones(2, 2, 2, 5))
    assert (found[:, 1, ..., 2:] == 0).all() and (found[:, 1, ..., :2] > 0).all()
    kept = {}
    cross = model.decoder.blocks[0].cross
    cross.register_forward_hook(lambda m, a, k, out: kept.update(other=k["other"], out=out), with_kwargs=True)
    model.log_probs(TARGET, SOURCE)
    v = (kept["other"] @ cross.qkv.weight[32:].T).unflatten(-1, (2, 8)).transpose(1, 2)
    out = (found[0] @ v).transpose(1, 2).flatten(2) @ cross.project.weight.T
    torch.testing.assert_close(out, kept["out"], rtol=0, atol=1e-5)


# the masked model --------------------------------------------------------------------------------------------------


def test_hiding_chooses_and_shows_as_the_paper_says():
    torch.manual_seed(0)
    tokens = torch.randint(1000, (400, 100))
    seen, asked = hide(tokens, 1000)
    chosen = asked != NOTHING
    assert torch.equal(asked[chosen], tokens[chosen]) and torch.equal(seen[~chosen], tokens[~chosen])
    assert chosen.float().mean().item() == pytest.approx(0.15, abs=0.01)
    as_mask, as_is = seen[chosen] == 1000, seen[chosen] == tokens[chosen]
    assert as_mask.float().mean().item() == pytest.approx(0.8, abs=0.03)
    assert as_is.float().mean().item() == pytest.approx(0.1, abs=0.02)
    assert seen.max() == 1000 and seen.min() >= 0


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 6), st.integers(1, 6), st.floats(0.01, 1.0), st.integers(0, 2**16))
def test_hiding_always_asks_something_and_never_changes_what_it_does_not_ask(n, t, share, seed):
    torch.manual_seed(seed)
    tokens = torch.randint(3, (n, t))
    seen, asked = hide(tokens, 3, share)
    assert ((asked != NOTHING).sum(1) >= 1).all()
    assert torch.equal(seen[asked == NOTHING], tokens[asked == NOTHING])
    if share == 1:
        assert (asked == tokens).all()


def test_the_loss_asks_about_chosen_tokens_alone_and_never_hides_the_prefix(monkeypatch):
    model, x, c = masked(), torch.tensor([[1, 2, 3]]), torch.tensor([[4]])
    shown = torch.tensor([[5, 2, 0]])
    monkeypatch.setattr(encoders, "hide", lambda *a: (shown, torch.tensor([[1, NOTHING, 3]])))
    log_p = model(torch.tensor([[4, 5, 2, 0]])).log_softmax(-1)[0]
    torch.testing.assert_close(model.loss(x, c)["loss"], -(log_p[1, 1] + log_p[3, 3])[None] / 2)


def test_pseudo_log_probs_hide_one_place_at_a_time():
    model, x, c = masked(), torch.tensor([[1, 2, 3], [0, 0, 4]]), torch.tensor([[4], [1]])
    found = pseudo_log_probs(model, x, c)
    for b, t in itertools.product(range(2), range(3)):
        row = torch.cat([c[b], x[b]])
        row[1 + t] = 5
        expected = model(row[None]).log_softmax(-1)[0, 1 + t, x[b, t]]
        assert found[b, t].item() == pytest.approx(expected.item(), abs=1e-5)
    torch.testing.assert_close(pseudo_log_prob(model, x, c), found.sum(1))
    # changing a token changes what is said of the others, and not what stands in its own gap
    other = x.clone()
    other[0, 0] = 0
    assert (pseudo_log_probs(model, other, c)[0, 1:] != found[0, 1:]).all()


def test_pseudo_probabilities_of_one_token_sum_to_one_and_those_of_strings_do_not():
    """Three letters, all equal: each is certain given the others, so three strings have pseudo-probability one."""
    torch.manual_seed(0)
    model = Masked(vocabulary=3, context=4, width=16, heads=2, layers=1, share=0.3)
    x = torch.arange(3).repeat(50)[:, None].expand(-1, 4)
    fit(model, Split(x), TrainConfig(steps=200, batch=50, lr=0.02, warmup=10, optimiser="muon"), progress=False)
    every = torch.tensor(list(itertools.product(range(3), repeat=4)))
    total = pseudo_log_prob(model, every).exp().sum().item()
    assert 2 < total < 4
    one = torch.tensor([[0], [1], [2]])
    assert pseudo_log_prob(model, one).exp().sum().item() == pytest.approx(1, abs=1e-5)


def test_gibbs_sampling_keeps_the_prefix_and_draws_from_the_conditionals():
    model, c = masked(), torch.tensor([[3, 1]])
    torch.manual_seed(0)
    steps = list(model.trajectory(2, c, sweeps=3))
    assert [s.shape for s in steps] == [(2, 6)] * 3 and max(s.max() for s in steps) < 5
    drawn = model.sample(4000, c, length=1, sweeps=1)
    expected = model(torch.tensor([[3, 1, 5]])).softmax(-1)[0, 2] * 4000
    counts = torch.bincount(drawn[:, 0], minlength=5)
    assert ((counts - expected).square() / expected).sum() < 18.5  # chi-square, 4 degrees, one in a thousand


# neighbours -----------------------------------------------------------------------------------------------------------


def test_neighbours_are_counted_as_by_hand():
    tokens = torch.randint(3, (200,), generator=torch.Generator().manual_seed(0))
    model, text = Neighbours(2, 3).fit(tokens), tokens.tolist()
    for left in itertools.product(range(3), repeat=2):
        for right in itertools.product(range(3), repeat=2):
            for k in (2, 1, 0):
                around = (list(left[2 - k :]), list(right[:k]))
                between = [
                    text[i] for i in range(k, len(text) - k) if (text[i - k : i], text[i + 1 : i + 1 + k]) == around
                ]
                if between:
                    break
            found = model.likeliest(torch.tensor([left]), torch.tensor([right])).item()
            assert between.count(found) == max(map(between.count, range(3)))


# they learn -----------------------------------------------------------------------------------------------------------


def test_a_translator_learns_to_turn_a_string_around():
    generator = torch.Generator().manual_seed(0)
    words = [
        torch.randint(2, 8, (int(n),), generator=generator) for n in torch.randint(1, 6, (900,), generator=generator)
    ]
    c, x = torch.zeros(900, 5, dtype=torch.int64), torch.zeros(900, 6, dtype=torch.int64)
    for i, word in enumerate(words):
        c[i, : len(word)] = word
        x[i, : len(word)], x[i, len(word)] = word.flip(0), 1
    torch.manual_seed(0)
    model = Translator(vocabulary=8, source=5, target=6, width=32, heads=2, layers=1)
    config = TrainConfig(steps=250, batch=50, lr=0.02, warmup=20, optimiser="muon")
    fit(model, Split(x[:700], c[:700]), config, progress=False)
    right = model.sample(200, c[700:], temperature=0)
    right = torch.nn.functional.pad(right, (0, 6 - right.shape[1]))
    assert (right == x[700:]).all(1).float().mean() > 0.9


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: masked(vocabulary=0), "vocabulary: expected at least 1, received 0"),
        (lambda: masked(context=0), "context: expected at least 1, received 0"),
        (lambda: masked()(torch.zeros(1, 9).long()), "tokens: expected at most 8 places, received 9"),
        (lambda: masked()(torch.tensor([[6]])), "tokens: expected tokens from 0 to 5, received 6 to 6"),
        (lambda: masked()(torch.tensor([[0.5]])), "tokens: expected int64"),
        (lambda: hide(torch.tensor([[1]]), 3, share=0), r"share: expected a number in \(0, 1\], received 0"),
        (lambda: masked().sample(1, sweeps=0), "sweeps: expected at least 1, received 0"),
        (lambda: masked().sample(1, length=0), "length: expected at least 1, received 0"),
        (lambda: translator(end=0), "end: expected another token than pad, received 0 for both"),
        (lambda: translator(pad=6), "pad: expected a token from 0 to 5, received 6"),
        (lambda: translator().log_prob(TARGET, None), "c: expected sources, received None"),
        (lambda: translator().sample(1), "c: expected sources, received None"),
        (lambda: translator().log_prob(TARGET, SOURCE * 0), "received one that is all padding"),
        (lambda: translator().log_prob(TARGET[:, [0, 2, 1, 3]], SOURCE), "x: expected 0 after the token 1"),
        (lambda: translator().log_prob(TARGET * 0, SOURCE), "x: expected 0 after the token 1"),
        (lambda: translator().log_prob(TARGET, SOURCE + 5), "c: expected tokens from 0 to 5, received 5 to 10"),
        (lambda: Neighbours(-1, 3), "reach: expected at least 0, received -1"),
        (lambda: Neighbours(5, 96), r"levels: expected levels \*\* 11 below"),
        (lambda: Neighbours(1, 3).fit(torch.tensor([1, 2])), r"tokens: expected shape \(T,\) with T > 2"),
        (lambda: recipes.build("encoders", network="maskd"), "network"),
    ],
)
def test_bad_input_is_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_one_player_names_the_matrices_of_all_blocks():
    [player] = translator().players()
    assert len(player.matrices) == 2 * 4 + 2 * 6
    [player] = masked().players()
    assert len(player.matrices) == 2 * 4
    assert math.prod(player.matrices[0].shape) > 0


@pytest.mark.parametrize("name", ["masked-pydocs", "translator-locales", "gpt-locales"])
def test_the_recipes_fit_their_data(name):
    recipe = recipes.get(name)
    data = recipe.dataset()
    model = recipe.build()
    loss = model.loss(data.train.x[:4], data.train.c[:4])["loss"]
    assert loss.shape == (4,) and loss.isfinite().all()
    assert recipe.arguments["vocabulary"] == data.levels


def test_a_readers_text_suits_a_masked_model():
    data = recipes.get("masked-pydocs").dataset()
    model = recipes.suited("encoders", "pydocs", data).build()
    assert model.likelihood == "none" and pseudo_log_prob(model, data.test.x[:1, :4], data.test.c[:1]).shape == (1,)
