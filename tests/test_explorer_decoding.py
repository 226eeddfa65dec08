"""The GPT that writes in a page: its weights, its answers against torch's, its rules, its controls."""

import base64
import math
import re

import numpy as np
import pytest
import torch
from browsing import article, fits, in_every_look

from genkit import decoding
from genkit.explorers import decoding_explorer
from genkit.explorers.gpt import pack_gpt, quantise
from genkit.models.gpt import GPT

ALPHABET = "\nabcdefg .,<>&'\"xyz"


def model(**options):
    """A GPT that nobody trained, with weights large enough to have opinions."""
    torch.manual_seed(0)
    sizes = {"vocabulary": len(ALPHABET), "context": 16, "width": 24, "heads": 3, "layers": 2, "zero_init": False}
    made = GPT(**{**sizes, **options})
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.mul_(1.7)
    return made


def explorer(**options):
    return decoding_explorer(
        model(), **{"alphabet": ALPHABET, "prompt": "abc ", "learnt": "It learnt nothing.", **options}
    )


def test_the_weights_are_whole_numbers_and_scales():
    made = model()
    state, rounded = pack_gpt(made)
    whole = np.frombuffer(base64.b64decode(state["numbers"]), np.int8).astype("f4")
    scales = np.frombuffer(state["scales"], "<f2").astype("f4")
    d, v = 24, len(ALPHABET)
    assert len(whole) == sum(p.numel() for p in made.parameters()) and len(scales) == v + 1 + 2 * 9 * d
    first = torch.tensor(whole[: (v + 1) * d]).view(v + 1, d) * torch.tensor(scales[: v + 1])[:, None]
    torch.testing.assert_close(first, rounded.embed.weight.detach(), atol=0, rtol=0)
    for old, new in zip(made.parameters(), rounded.parameters(), strict=True):
        step = old.detach().abs().amax(1, keepdim=True) / 127
        assert ((old - new).detach().abs() <= 0.52 * step + 1e-6).all()
    assert (quantise(torch.zeros(2, 3))[0] == 0).all()


def test_the_model_itself_stays_as_it_was():
    made = model().train()
    before = {k: v.clone() for k, v in made.state_dict().items()}
    pack_gpt(made)
    assert made.training and all(torch.equal(v, before[k]) for k, v in made.state_dict().items())


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"alphabet": ALPHABET[1:]}, "alphabet: expected"),
        ({"alphabet": "a" * len(ALPHABET)}, "alphabet: expected"),
        ({"prompt": ""}, "prompt: expected 1 to 48"),
        ({"prompt": "Q"}, "prompt: expected 1 to 48"),
    ],
)
def test_what_does_not_suit_the_model_is_refused(wrong, words):
    with pytest.raises(ValueError, match=words):
        explorer(**wrong)


@pytest.mark.parametrize("options", [{"positions": "learned"}, {"activation": "gelu"}, {"qk_norm": False}])
def test_a_model_of_another_kind_is_refused(options):
    with pytest.raises(ValueError, match="model: expected"):
        pack_gpt(model(**options))


def test_weights_without_end_are_refused():
    made = model()
    with torch.no_grad():
        made.embed.weight[0, 0] = math.inf
    with pytest.raises(ValueError, match="model: expected finite"):
        pack_gpt(made)


def test_no_text_can_end_the_script():
    code = explorer(learnt="</script><b>&").html()
    assert code.count("</script>") == 1
    assert not re.findall(r"https?://(?!www\.w3\.org/2000/svg)|import\s|fetch\(|eval\(", code)


def test_the_page_answers_every_probe_as_torch_did(open_page):
    made = explorer()
    page = open_page(made.html())
    found = page.eval_on_selector(".gk-explorer", "e => e.genkit.probes.map((p) => e.genkit.run(p.inputs))")
    assert len(found) == len(made.probes) == 9
    for (_, expected), received in zip(made.probes, found, strict=True):
        torch.testing.assert_close(torch.tensor(received), torch.tensor(expected), atol=1e-4, rtol=0)
    v = len(ALPHABET)
    assert len({tuple(outputs[v:]) for _, outputs in made.probes}) == 9, "every rule leaves something else"


def test_every_rule_alone_and_any_prefix(open_page):
    """The page's cache of keys and values changes nothing, in whatever order it is asked."""
    page = open_page(explorer().html())
    _, rounded = pack_gpt(model())
    torch.manual_seed(1)
    tokens = torch.randint(len(ALPHABET), (60,)).tolist()
    cases = [(n, {"top_p": 0.3 + n / 100, "temperature": 1 + n / 50}) for n in (1, 2, 16, 17, 25, 60, 5, 40, 41)]
    for n, rules in cases:
        given = torch.tensor([tokens[:n]])
        with torch.no_grad():
            logits = rounded.next(given).double()
        left = decoding.apply(logits, given, decoding.rules(**rules)).softmax(-1)
        inputs = {"tokens": tokens[:n], "rules": rules}
        found = page.eval_on_selector(".gk-explorer", "(e, inputs) => e.genkit.run(inputs)", inputs)
        torch.testing.assert_close(torch.tensor(found), torch.cat([logits, left], 1)[0].float(), atol=1e-4, rtol=0)


def spans(page):
    return page.eval_on_selector_all(".gk-written span:not(.gk-given)", "s => s.map((one) => one.textContent)")


def wrote(page, n):
    page.wait_for_function(f"document.querySelectorAll('.gk-written span:not(.gk-given)').length === {n}")
    return "".join(spans(page))


def test_greedy_writes_what_torch_writes(open_page):
    page = open_page(explorer().html(), reduced_motion="reduce")
    page.get_by_label("temperature").fill("0")
    page.get_by_role("button", name="write 100").click()
    _, rounded = pack_gpt(model())
    prompt = torch.tensor([ALPHABET.index(c) for c in "abc "])
    expected = decoding.write(rounded.next, prompt, 100, greedy=True)
    assert wrote(page, 100) == "".join(ALPHABET[i] for i in expected.tokens)
    said = page.inner_text("output")
    assert said.startswith(f"100 characters, perplexity {math.exp(-expected.log_probs.mean()):.2f}"), said


def test_the_controls_change_what_is_written_and_a_seed_repeats_it(open_page):
    page = open_page(explorer().html(), reduced_motion="reduce")
    page.get_by_role("button", name="write 100").click()
    first = wrote(page, 100)
    page.get_by_role("button", name="start again").click()
    assert spans(page) == [] and page.inner_text("output") == "Nothing written yet."
    page.get_by_role("button", name="write 100").click()
    assert wrote(page, 100) == first, "the same seed, the same text"
    page.get_by_label("seed").fill("7")
    page.get_by_label("seed").press("Enter")
    page.get_by_role("button", name="write 100").click()
    assert wrote(page, 100) != first
    page.get_by_label("begin with").fill("zy")
    page.get_by_label("begin with").press("Tab")
    assert page.eval_on_selector_all(".gk-given", "s => s.map((one) => one.textContent).join('')") == "zy"
    page.get_by_role("button", name="one more").click()
    assert len(spans(page)) == 1
    assert page.inner_text("output").startswith("1 character, perplexity")


@pytest.mark.parametrize(
    ("label", "value"), [("temperature", "2"), ("top-k", "1"), ("top-p", "0.05"), ("penalty", "2")]
)
def test_every_slider_moves_the_distribution(open_page, label, value):
    page = open_page(explorer(prompt="gfedcba.,xyz").html())
    before = page.get_attribute(".gk-bars", "aria-label")
    page.get_by_label(label).fill(value)
    assert page.get_attribute(".gk-bars", "aria-label") != before


def test_writing_can_be_stopped(open_page):
    page = open_page(explorer().html())
    page.get_by_role("button", name="write 100").click()
    page.wait_for_selector(".gk-written span:not(.gk-given)")
    page.get_by_role("button", name="stop").click()
    n = len(spans(page))
    page.wait_for_timeout(200)
    assert 0 < len(spans(page)) == n < 100


def test_draws_are_distributed_as_the_rules_say(open_page):
    page = open_page(explorer().html())
    counts = page.evaluate(
        """() => { const [one, , again] = document.querySelectorAll('.gk-buttons button'), counts = {};
           const seed = document.querySelector('input[type=number]');
           for (let i = 0; i < 1500; i++) { seed.value = i; again.click(); one.click();
             const drawn = document.querySelector('.gk-written span:not(.gk-given)').textContent;
             counts[drawn] = (counts[drawn] ?? 0) + 1; }
           return counts; }"""
    )
    given = torch.tensor([[ALPHABET.index(c) for c in "abc "]])
    with torch.no_grad():
        p = (pack_gpt(model())[1].next(given) / 0.7).softmax(-1)[0]
    found = torch.tensor([counts.get(c, 0) / 1500 for c in ALPHABET])
    assert (found - p).abs().max() < 0.05


@in_every_look
def test_it_fits_and_breaks_no_rule_of_access(open_page, violations, theme, width, book):
    page = article(open_page, explorer().html(), theme=theme, width=width, book=book, reduced_motion="reduce")
    page.get_by_role("button", name="write 100").click()
    wrote(page, 100)
    fits(page, violations)
    page.locator(".gk-written").focus()
    assert page.evaluate("document.activeElement.className") == "gk-written"
