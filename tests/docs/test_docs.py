"""The pages for people: short where they begin, and nothing that they point to is missing."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI

from hotline.version import VERSION
from settings import Settings
from settings.toml_files import OLD_NAMES
from tests.kit import performance, rooms_drawing

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
ARCHITECTURE = ROOT / "docs" / "architecture.md"
CHANGING = ROOT / "docs" / "changing.md"
PAGES = sorted([README, ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")])
MOST_WORDS = 600
LONGEST_SENTENCE = 30
SHORT_PAGES = [
    each
    for each in PAGES
    if each.parent in (ROOT, ROOT / "docs") and each.name not in ("CHANGELOG.md", "settings.md")
]
"""Pages for developers and the office; settings.md is made from docstrings."""
FILLED_BY_A_CITY = {"prompts/recordings/fa/"}

_LINK = re.compile(r"\]\((?!\w+:)(?P<path>[^)#\s]*)(?:#(?P<part>[^)\s]+))?\)")
_CODE = re.compile(r"^```.*?^```|^(?: {4}|\t).*?$", re.DOTALL | re.MULTILINE)
_FOLDERS = tuple(f"{each.name}/" for each in ROOT.iterdir() if each.is_dir() and each.name[0] != ".")
_FILES = ("docker-compose.yml", "docker-compose.scale.yml", "hotline.env.example", "Makefile")


def named_paths(text: str) -> Iterator[str]:
    """Everything in backticks that is a path of ours."""
    for name in re.findall(r"`([^`\s]+)`", text):
        if name.startswith(_FOLDERS) or name in _FILES:
            yield name


def anchors(page: Path) -> set[str]:
    """The parts of a page as GitHub names them."""
    heads = re.findall(r"^#+ +(.+)$", _CODE.sub("", page.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def test_readme_stays_below_its_word_limit() -> None:
    assert len(README.read_text().split()) <= MOST_WORDS


def list_sentences(text: str) -> Iterator[str]:
    """Yield the sentences of paragraphs, items and table cells; code and addresses of links are left out."""
    text = re.sub(r"\]\([^)]*\)", "]", _CODE.sub("", text))
    text = re.sub(r"^#.*$|^ *(?:[-*]|\d+\.) ", "\n\n", text, flags=re.MULTILINE)
    for block in re.split(r"\n\s*\n|\|", text):
        yield from re.split(r"[.!?][)»*]*\s+", " ".join(block.split()))


@pytest.mark.parametrize("page", SHORT_PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_sentences_of_a_page_are_short(page: Path) -> None:
    sentences = list_sentences(page.read_text())
    assert [each for each in sentences if len(each.split()) > LONGEST_SENTENCE] == []


def test_long_sentence_of_a_page_is_found() -> None:
    assert max(len(each.split()) for each in list_sentences("- One.\n\n| a | " + "word " * 31 + "|")) == 31


def test_text_files_hold_no_merge_conflict_markers() -> None:
    texts = [*PAGES, *ROOT.glob("*.yml"), *ROOT.glob("*.lock"), ROOT / "Makefile", ROOT / "Dockerfile"]

    assert [p.name for p in texts if re.search("^(<<<<<<<|>>>>>>>)", p.read_text(), re.MULTILINE)] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_each_link_of_a_page_has_a_target(page: Path) -> None:
    for link in _LINK.finditer(_CODE.sub("", page.read_text())):
        target = (page.parent / link["path"]).resolve() if link["path"] else page
        assert target.exists(), f"{page.name}: {link[0]}"
        if link["part"]:
            assert link["part"] in anchors(target), f"{page.name}: {link[0]}"


def test_index_lists_every_page_of_its_folder() -> None:
    for index in (ROOT / "docs" / "README.md", ROOT / "docs" / "decisions" / "README.md"):
        there = {page.name for page in index.parent.glob("*.md")} - {index.name}
        assert there - set(re.findall(r"\]\(([\w-]+\.md)\)", index.read_text())) == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_each_file_that_a_page_names_exists(page: Path) -> None:
    names = {name for name in named_paths(page.read_text()) if "<" not in name} - FILLED_BY_A_CITY
    assert page != CHANGING or len(names) > 50
    assert sorted(name for name in names if not any(ROOT.glob(name))) == []


def test_each_setting_that_a_page_names_exists() -> None:
    compose = "".join((ROOT / f"docker-compose{each}.yml").read_text() for each in ("", ".scale"))
    there = {f"HOTLINE_{name.upper()}" for name in Settings.model_fields.keys() - OLD_NAMES.keys()}
    there |= {"HOTLINE_ENV_FILE"}
    there |= set(re.findall(r"HOTLINE_[A-Z_]+", compose))
    history = {"CHANGELOG.md", "decisions", "settings.md"}
    pages = [page for page in PAGES if not history & set(page.relative_to(ROOT).parts) - {"docs"}]
    named = {
        name: page.name for page in pages for name in re.findall(r"HOTLINE_[A-Z_]+[A-Z]", page.read_text())
    }
    assert len(named) > 80
    assert {name: page for name, page in named.items() if name not in there} == {}


def test_newest_version_of_the_changelog_is_this_one() -> None:
    versions = re.findall(r"(?m)^## \[(\d\S*)\]", (ROOT / "CHANGELOG.md").read_text())

    assert versions[0] == VERSION


def test_file_defines_each_name_listed_after_it() -> None:
    text = CHANGING.read_text()
    said = re.findall(r"`([\w/.-]+\.(?:py|tsx?|toml))`:? \((`\w+`(?:, `\w+`)*)(?:, …)?\)", text)
    assert len(said) > 10
    for file, names in said:
        for name in re.findall(r"\w+", names):
            assert name in (ROOT / file).read_text(), (file, name)


def test_architecture_drawings_match_the_imports() -> None:
    page = ARCHITECTURE.read_text()
    found = rooms_drawing.arrows()
    assert set(re.findall(r"<!-- rooms: (\w+) -->", page)) == set(rooms_drawing.drawings(found))
    assert rooms_drawing.drawn(page, found) == page, "make rooms brings them up to date"


def test_measured_table_matches_its_figures() -> None:
    page = (ROOT / "docs" / "measured.md").read_text()
    kept = json.loads((ROOT / "docs" / "measured.json").read_text())
    table = "\n".join(performance.lines({each["row"]: performance.Figure(**each) for each in kept}))
    assert f"<!-- table -->\n{table}\n<!-- /table -->\n" in page


def test_import_list_counts_the_arrows_of_each_package() -> None:
    lines = dict(
        line.split(" -> ") for line in rooms_drawing.listed({("a", "b"): 2, ("a", "c"): 1}).splitlines()
    )
    assert lines == {"a": "b 2, c 1", "b": "nothing", "c": "nothing"}


def test_operations_of_the_api_have_names_and_error_types(app: FastAPI) -> None:
    document = app.openapi()
    operations = [one for methods in document["paths"].values() for one in methods.values()]
    assert [
        name for name, times in Counter(one["operationId"] for one in operations).items() if times > 1
    ] == []
    errors = [set(one["responses"]["default"]["content"]) for one in operations if one["tags"] != ["open311"]]
    assert all("application/problem+json" in kinds for kinds in errors)  # Open311 has its own form
