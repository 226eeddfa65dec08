"""The pages without code say what the plan says, cite real things, and keep their promises about themselves."""

import re
import sys
from pathlib import Path

import pytest

yaml = pytest.importorskip("yaml")
ROOT = Path(__file__).resolve().parent.parent
BOOK = ROOT / "book"
PAGES = sorted(BOOK.glob("*.md"))

sys.path.insert(0, str(BOOK / "_ext"))

PARTS = {  # the book's parts, and how many chapters each is to have
    "Learning": 7, "Foundations": 4, "Models": 14, "Evaluation": 3, "Applications": 15, "Responsibility": 9,
}  # fmt: skip
HYPE = """revolutioni[sz]e|game.?chang|cutting.edge|groundbreaking|unleash|unlock the|supercharge|state.of.the.art|
mind.?blowing|seamless|delve|in today's|harness the power|journey|powerful|amazing|incredibl|exciting|simply|obviously|
of course|it is easy to|leverag|effortless|world.class|next.level|deep dive|magic""".replace("\n", "")


def read(name: str) -> str:
    return (BOOK / name).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def plan():
    roadmap = pytest.importorskip("roadmap")
    return roadmap.read_plan()


def test_the_plan_has_every_part_in_order_with_all_its_chapters(plan):
    assert {p.title: len(p.chapters) for p in plan[:-1]} == PARTS
    assert [p.title for p in plan[:-1]] == list(PARTS)


def test_a_chapter_appears_once_and_promises_one_sentence(plan):
    chapters = [c for p in plan for c in p.chapters]
    names = [c.docname for c in chapters]
    assert len(names) == len(set(names))
    for c in chapters:
        assert c.promise.endswith("."), c
        assert 20 <= len(c.promise) <= 110, c
        assert len(c.title) <= 32, c


def test_every_notebook_of_the_book_is_in_the_plan(plan):
    planned = {c.docname for p in plan for c in p.chapters}
    written = {p.relative_to(ROOT).with_suffix("").as_posix() for p in (ROOT / "notebooks").glob("*/*.ipynb")}
    assert written <= planned


def test_a_table_of_contents_is_read_however_deep_it_nests(tmp_path):
    roadmap = pytest.importorskip("roadmap")
    toc = tmp_path / "_toc.yml"
    toc.write_text(
        "format: jb-book\nroot: book/index\nparts:\n- caption: A\n  chapters:\n  - file: notebooks/models/vae.ipynb\n"
        "    sections:\n    - file: book/claims\n"
    )
    assert roadmap.read_toc(toc) == {"book/index", "notebooks/models/vae", "book/claims"}


def test_there_are_thirty_claims_and_each_is_settled_somewhere_planned(plan):
    claims = yaml.safe_load(read("claims.yml"))
    assert list(claims) == [f"C{i:02}" for i in range(1, 31)]
    planned = {c.docname for p in plan for c in p.chapters}
    for name, claim in claims.items():
        assert claim["said"].endswith("."), name
        assert claim["by"], name
        assert {f"notebooks/{c}" for c in claim["in"]} <= planned, name


def test_the_claims_file_names_each_claim_once():
    names = re.findall(r"^(C\d+):", read("claims.yml"), flags=re.M)
    assert len(names) == len(set(names)) == 30


def test_a_verdict_comes_from_a_record_and_from_nowhere_else(tmp_path):
    claims = pytest.importorskip("claims")
    assert claims.read_verdicts(["models/vae"], "C03", tmp_path) == {}
    (tmp_path / "vae.json").write_text(
        '{"chapter": "models/vae", "results": {"claims": {"C03": "No: it is the likelihood."}}}', encoding="utf-8"
    )
    assert claims.read_verdicts(["models/vae"], "C03", tmp_path) == {"models/vae": "No: it is the likelihood."}
    assert claims.read_verdicts(["models/gans"], "C03", tmp_path) == {}
    assert claims.read_verdicts(["models/vae"], "C04", tmp_path) == {}


def entries() -> dict[str, dict[str, str]]:
    found = {}
    for kind, key, body in re.findall(r"^@(\w+)\{([^,]+),\n(.*?)\n\}$", read("references.bib"), flags=re.M | re.S):
        assert key not in found, f"{key} stands twice"
        found[key] = {"kind": kind, **dict(re.findall(r"^\s*(\w+)\s*=\s*\{(.*)\},?$", body, flags=re.M))}
    return found


@pytest.mark.parametrize("key", entries())
def test_a_reference_can_be_found_in_a_library(key):
    entry = entries()[key]
    for field in ("author", "year", "title"):
        assert entry.get(field), f"{key} has no {field}"
    venue = {"inproceedings": "booktitle", "article": "journal", "book": "publisher", "misc": "howpublished"}
    venue["incollection"] = "booktitle"
    assert entry.get(venue[entry["kind"]]), f"{key} has no venue"
    assert 1900 <= int(entry["year"]) <= 2026
    assert any(entry.get(f) for f in ("doi", "eprint", "isbn", "url")), f"{key} leads nowhere"
    if "doi" in entry:
        assert re.fullmatch(r"10\.\d{4,9}/\S+", entry["doi"])
    if "eprint" in entry:
        year, month = re.fullmatch(r"(\d\d)(\d\d)\.\d{4,5}", entry["eprint"]).groups()
        assert 1 <= int(month) <= 12
        first = -1 if month == "01" else 0  # sent in the last days of a year, numbered in the next
        assert first <= int(entry["year"]) - (2000 + int(year)) <= 3, f"{key}: arXiv id and year disagree"
    if "isbn" in entry:
        digits = [int(d) for d in entry["isbn"].replace("-", "")]
        assert len(digits) == 13
        assert sum(d * (1 + 2 * (i % 2)) for i, d in enumerate(digits)) % 10 == 0, f"{key}: ISBN has a typo"


def test_no_two_references_are_the_same_paper():
    for field in ("doi", "eprint", "isbn", "title"):
        values = [e[field].casefold() for e in entries().values() if field in e and e["kind"] != "book"]
        assert len(values) == len(set(values)), field


def test_everything_cited_is_in_the_references():
    for path in [*PAGES, *(ROOT / "notebooks").glob("*/*.ipynb")]:
        for keys in re.findall(r"\{cite(?::\w+)?\}`([^`]+)`", path.read_text(encoding="utf-8")):
            assert {k.strip() for k in keys.split(",")} <= set(entries()), path.name


def glossary() -> dict[str, str]:
    lines = read("glossary.md").split(":::{glossary}\n")[1].split("\n:::")[0]
    return dict(re.findall(r"^(\S.*)\n  (.+)$", lines, flags=re.M))


def test_the_glossary_is_sorted_and_has_no_term_twice():
    text = read("glossary.md").split(":::{glossary}\n")[1].split("\n:::")[0]
    terms = [line for line in text.splitlines() if line and not line.startswith(" ")]
    assert len(terms) == len(set(terms)) == len(glossary())
    assert len(terms) >= 60
    assert terms == sorted(terms, key=lambda t: t.replace("β", "beta").casefold())


@pytest.mark.parametrize("term", glossary())
def test_a_term_is_explained_in_at_most_three_sentences(term):
    meaning = glossary()[term]
    assert meaning.endswith(".")
    assert 1 <= len(re.findall(r"[.?!](?:\s|$)", meaning)) <= 3
    assert len(meaning) <= 260


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.stem)
def test_a_page_has_no_hype(page):
    found = re.findall(rf"\b(?:{HYPE})\w*", page.read_text(encoding="utf-8"), flags=re.I)
    assert not found


def test_promises_have_no_hype():
    assert not re.findall(rf"\b(?:{HYPE})\w*", read("chapters.yml") + read("claims.yml"), flags=re.I)


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.stem)
def test_sentences_are_short(page):
    text = re.sub(r"^(:::.*|\|.*|#.*|```.*?```|<.*)$", "", page.read_text(encoding="utf-8"), flags=re.M)
    text = re.sub(r"```.*?```", "", text, flags=re.S)
    for sentence in re.split(r"(?<=[.?!:])\s+|\n\n|\n- |\n\d+\. ", text):
        assert len(sentence.split()) <= 38, sentence


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.stem)
def test_a_page_uses_no_role_and_no_backtick_fence_with_a_name(page):
    text = page.read_text(encoding="utf-8")
    assert not re.findall(r"\{(?!cite)[\w:]+\}`", text), "a role shows raw where MyST is not at hand"
    assert not re.findall(r"^```\{", text, flags=re.M), "use colon fences"


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.stem)
def test_links_between_pages_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        if not re.match(r"\w+:", target):
            assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.stem)
def test_every_image_has_words_beside_it(page):
    text = page.read_text(encoding="utf-8")
    assert not re.findall(r"!\[\]\(", text)
    for tag in re.findall(r"<img[^>]*>", text):
        assert re.search(r'alt="[^"]+"', tag), tag
    for tag in re.findall(r"<canvas[^>]*>", text):
        assert re.search(r'aria-label="[^"]+"', tag), tag


@pytest.mark.parametrize("picture", sorted((BOOK / "_static").glob("*.svg")), ids=lambda p: p.name)
def test_a_drawing_of_ours_asks_no_other_host(picture):
    text = picture.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
    assert "http" not in text
    assert "<script" not in text


@pytest.mark.parametrize("sheet", sorted((BOOK / "_static").glob("*.css")), ids=lambda p: p.name)
def test_a_style_sheet_asks_no_other_host_and_closes_its_braces(sheet):
    text = sheet.read_text(encoding="utf-8")
    assert "http" not in text and "@import" not in text
    assert text.count("{") == text.count("}")


def contrast(a: str, b: str) -> float:
    """The contrast of two colours, WCAG 2.2."""

    def luminance(colour: str) -> float:
        colour = colour.lstrip("#")
        colour = colour if len(colour) == 6 else "".join(2 * c for c in colour)
        parts = [int(colour[i : i + 2], 16) / 255 for i in (0, 2, 4)]
        parts = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]

    high, low = sorted((luminance(a), luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_can_be_read_on_every_surface(theme):
    block = re.search(rf'html\[data-theme="{theme}"\] \{{(.*?)\}}', read("_static/book.css"), flags=re.S)[1]
    colours = {k.removeprefix("pst-color-"): v for k, v in re.findall(r"--([\w-]+): (#\w+)", block)}
    grounds = ["background", "surface", "on-background", "primary-bg", "table-row-hover-bg", "target"]
    for ink, least in {"text-base": 7, "text-muted": 4.5, "primary": 4.5, "inline-code": 4.5, "secondary": 4.5}.items():
        for ground in grounds if ink == "text-base" else ["background", "surface"]:
            assert contrast(colours[ink], colours[ground]) >= least, (ink, ground)
    for ink in ("book-right", "book-wrong", "book-open"):
        assert contrast(colours[ink], colours["surface"]) >= 4.5, ink
    assert contrast(colours["primary-text"], colours["primary"]) >= 4.5
