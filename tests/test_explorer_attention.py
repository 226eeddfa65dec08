"""The explorer of attention: what the page computes is what torch computes, and every control does what it says."""

import pytest
import torch
from browsing import article, fits, in_every_look

from genkit.explorers import attention_explorer
from genkit.explorers.attention import answer, pack_gpt
from genkit.models.gpt import GPT
from genkit.nn.look import attention_weights

ALPHABET = "abcdefghijklmnopqrstuvwxyz "
TEXT = "wizard wizard wiz"


def model(**options):
    torch.manual_seed(0)
    return GPT(**{"vocabulary": 27, "context": 64, "width": 24, "heads": 3, "layers": 2, "zero_init": False, **options})


def explorer(**options):
    return attention_explorer(model(), **{"alphabet": ALPHABET, "text": TEXT, "head": (1, 2), **options})


def rounded():
    same = model()
    for weight in same.parameters():
        weight.data = weight.data.half().float()
    return same


def test_probes_are_torchs_answers_with_the_weights_that_are_shipped():
    for inputs, outputs in explorer().probes:
        tokens = torch.tensor([[ALPHABET.index(letter) for letter in inputs["text"]]])
        t = tokens.shape[1]
        weights = attention_weights(rounded(), tokens)
        kept = [weights[layer, 0, h, i, : i + 1] for layer in range(2) for h in range(3) for i in range(t)]
        expected = torch.cat([*kept, rounded()(tokens)[0].softmax(-1).flatten()])
        torch.testing.assert_close(torch.tensor(outputs), expected, atol=2e-6, rtol=0)
    assert len(explorer().probes) == 3


def test_the_weights_fit_the_page_and_the_model_stays_as_it_was():
    chapters = GPT(vocabulary=27, context=256, width=64, heads=4, layers=2)
    assert len(pack_gpt(chapters)) == 2 * sum(p.numel() for p in chapters.parameters()) < 300_000 * 3 / 4
    mine = model()
    before = [p.clone() for p in mine.parameters()]
    attention_explorer(mine, alphabet=ALPHABET, text=TEXT)
    assert all(torch.equal(a, b) for a, b in zip(mine.parameters(), before, strict=True))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: attention_explorer(model(positions="learned"), alphabet=ALPHABET, text="a"), "model: expected a GPT"),
        (lambda: attention_explorer(model(qk_norm=False), alphabet=ALPHABET, text="a"), "model: expected a GPT"),
        (lambda: attention_explorer(model(activation="gelu"), alphabet=ALPHABET, text="a"), "model: expected a GPT"),
        (lambda: explorer(alphabet="abc"), "alphabet: expected 27 different letters"),
        (lambda: explorer(alphabet=ALPHABET[:-1] + "A"), "alphabet: expected lower-case"),
        (lambda: explorer(text="Wizard"), "text: expected 1 to 40 letters"),
        (lambda: explorer(text="a" * 41), "text: expected 1 to 40 letters"),
        (lambda: explorer(text=""), "text: expected 1 to 40 letters"),
        (lambda: explorer(head=(2, 0)), "head: expected a layer below 2"),
    ],
)
def test_what_does_not_suit_is_refused(make, words):
    with pytest.raises(ValueError, match=words):
        make()


# in Chromium -----------------------------------------------------------------------------------------------------


def test_the_page_answers_every_probe_as_torch_did(open_page):
    shown = explorer()
    page = open_page(shown.html())
    found = page.eval_on_selector(".gk-explorer", "e => e.genkit.probes.map((p) => e.genkit.run(p.inputs))")
    for (_, expected), received in zip(shown.probes, found, strict=True):
        torch.testing.assert_close(torch.tensor(received), torch.tensor(expected), atol=1e-4, rtol=0)


def bars(page):
    """The height of the bar below each letter, as a share of the tallest there can be."""
    return torch.tensor(page.eval_on_selector_all(".gk-tokens i", "b => b.map((i) => parseFloat(i.style.height) / 40)"))


def torchs(text, layer, head, query):
    tokens = torch.tensor([[ALPHABET.index(letter) for letter in text]])
    return attention_weights(rounded(), tokens)[layer, 0, head, query]


def test_typing_choosing_and_asking_show_what_torch_shows(open_page):
    page = open_page(explorer().html())
    torch.testing.assert_close(bars(page), torchs(TEXT, 1, 2, 16), atol=0.02, rtol=0)
    page.get_by_role("textbox").fill("Abba, abba!")
    assert page.get_by_role("textbox").input_value() == "abba abba", "what it cannot read is left out"
    torch.testing.assert_close(bars(page), torchs("abba abba", 1, 2, 8), atol=0.02, rtol=0)
    page.get_by_label("layer 1, head 2").check()
    page.locator(".gk-tokens button").nth(5).hover()
    torch.testing.assert_close(bars(page), torchs("abba abba", 0, 1, 5), atol=0.02, rtol=0)
    page.locator(".gk-tokens button").nth(3).click()
    torch.testing.assert_close(bars(page), torchs("abba abba", 0, 1, 3), atol=0.02, rtol=0)
    assert page.inner_text("output").startswith("Layer 1, head 2: a at 4 looks at ")
    best = int(torchs("abba abba", 0, 1, 3).argmax())
    assert page.inner_text("output").split("looks at ")[1].startswith(f"{'abba abba'[best]} at {best + 1} (")
    chance = torch.tensor(answer(rounded(), ALPHABET, "abba")[-27:])
    assert page.inner_text(".gk-following").startswith(
        f"Next letter: {ALPHABET[int(chance.argmax())]} {chance.max():.2f}"
    )


def test_a_finger_asks_too(open_page):
    page = open_page(explorer().html(), has_touch=True, viewport={"width": 390, "height": 900})
    page.locator(".gk-tokens button").nth(4).tap()
    torch.testing.assert_close(bars(page), torchs(TEXT, 1, 2, 4), atol=0.02, rtol=0)


def test_the_keyboard_reaches_and_moves_everything(open_page):
    keys = "<script>window.keys = []; addEventListener('keydown', (e) => keys.push(e.key));</script>"
    page = open_page(explorer().html() + keys)
    reached = []
    for _ in range(3):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.type"))
    assert reached == ["text", "submit", "radio"] or reached == ["text", "button", "radio"]
    page.keyboard.press("Shift+Tab")
    for key in ("ArrowLeft", "ArrowLeft", "ArrowRight"):
        page.keyboard.press(key)
    torch.testing.assert_close(bars(page), torchs(TEXT, 1, 2, 15), atol=0.02, rtol=0)
    page.keyboard.press("Home")
    assert page.inner_text("output").endswith("w at 1 looks at w at 1 (1.00).")
    assert page.evaluate("keys").count("ArrowLeft") == 0
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")  # from the last head round to the first
    assert page.inner_text("output").startswith("Layer 1, head 1")


def test_the_maps_are_drawn_with_ink_where_a_head_looks(open_page):
    page = open_page(explorer().html())
    grey = page.eval_on_selector_all(
        ".gk-heads canvas",
        "cs => cs.map((c) => Array.from(c.getContext('2d').getImageData(0, 0, c.width, c.height).data)"
        ".filter((_, i) => i % 4 == 0))",
    )
    tokens = torch.tensor([[ALPHABET.index(letter) for letter in TEXT]])
    expected = attention_weights(rounded(), tokens)[:, 0].flatten(0, 1).flatten(1)
    assert (1 - torch.tensor(grey) / 255 - expected).abs().max() <= 1 / 255


def test_without_scripts_it_says_what_would_be_there(open_page):
    page = open_page(explorer().html(), java_script_enabled=False)
    assert "a small transformer reads a text in the page" in page.inner_text(".gk-explorer")


@in_every_look
def test_it_fits_and_breaks_no_rule_of_access(open_page, violations, theme, width, book):
    page = article(open_page, explorer().html(), theme=theme, width=width, book=book)
    fits(page, violations)
