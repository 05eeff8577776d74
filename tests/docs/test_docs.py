"""The pages for people: short where they begin, and nothing that they point to is missing."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI

from settings import Settings
from tests.kit import rooms_drawing

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
ARCHITECTURE = ROOT / "docs" / "architecture.md"
PAGES = sorted([README, ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")])
MOST_WORDS = 600
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


def test_given_the_front_door_when_its_words_are_counted_then_they_are_few() -> None:
    assert len(README.read_text().split()) <= MOST_WORDS


def test_given_what_no_compiler_reads_when_read_then_no_merge_has_left_its_marks() -> None:
    texts = [*PAGES, *ROOT.glob("*.yml"), *ROOT.glob("*.lock"), ROOT / "Makefile", ROOT / "Dockerfile"]

    assert [p.name for p in texts if re.search("^(<<<<<<<|>>>>>>>)", p.read_text(), re.MULTILINE)] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_given_a_page_when_its_links_are_followed_then_each_leads_somewhere(page: Path) -> None:
    for link in _LINK.finditer(_CODE.sub("", page.read_text())):
        target = (page.parent / link["path"]).resolve() if link["path"] else page
        assert target.exists(), f"{page.name}: {link[0]}"
        if link["part"]:
            assert link["part"] in anchors(target), f"{page.name}: {link[0]}"


def test_given_the_index_when_compared_with_the_folders_then_it_names_every_page() -> None:
    for index in (ROOT / "docs" / "README.md", ROOT / "docs" / "decisions" / "README.md"):
        there = {page.name for page in index.parent.glob("*.md")} - {index.name}
        assert there - set(re.findall(r"\]\(([\w-]+\.md)\)", index.read_text())) == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_given_a_page_when_the_files_that_it_names_are_looked_up_then_each_exists(page: Path) -> None:
    names = {name for name in named_paths(page.read_text()) if "<" not in name} - FILLED_BY_A_CITY
    assert page != ARCHITECTURE or len(names) > 50
    assert sorted(name for name in names if not any(ROOT.glob(name))) == []


def test_given_the_settings_that_pages_name_when_looked_up_then_each_is_one() -> None:
    compose = "".join((ROOT / f"docker-compose{each}.yml").read_text() for each in ("", ".scale"))
    there = {f"HOTLINE_{name.upper()}" for name in Settings.model_fields} | {"HOTLINE_ENV_FILE"}
    there |= set(re.findall(r"HOTLINE_[A-Z_]+", compose))
    history = {"CHANGELOG.md", "decisions"}
    pages = [page for page in PAGES if not history & set(page.relative_to(ROOT).parts) - {"docs"}]
    named = {
        name: page.name for page in pages for name in re.findall(r"HOTLINE_[A-Z_]+[A-Z]", page.read_text())
    }
    assert len(named) > 100
    assert {name: page for name, page in named.items() if name not in there} == {}


def test_given_what_is_in_brackets_after_a_file_when_looked_up_then_the_file_has_it() -> None:
    text = ARCHITECTURE.read_text()
    said = re.findall(r"`([\w/.-]+\.(?:py|tsx?|toml))`:? \((`\w+`(?:, `\w+`)*)(?:, …)?\)", text)
    assert len(said) > 10
    for file, names in said:
        for name in re.findall(r"\w+", names):
            assert name in (ROOT / file).read_text(), (file, name)


def test_given_the_imports_when_drawn_then_the_drawings_in_the_page_are_those() -> None:
    page = ARCHITECTURE.read_text()
    found = rooms_drawing.arrows()
    assert set(re.findall(r"<!-- rooms: (\w+) -->", page)) == set(rooms_drawing.drawings(found))
    assert rooms_drawing.drawn(page, found) == page, "make rooms brings them up to date"


def test_given_the_imports_when_listed_then_each_room_is_a_line_with_its_arrows_counted() -> None:
    lines = dict(
        line.split(" -> ") for line in rooms_drawing.listed({("a", "b"): 2, ("a", "c"): 1}).splitlines()
    )
    assert lines == {"a": "b 2, c 1", "b": "nothing", "c": "nothing"}


def test_given_the_apis_document_when_it_is_written_anew_then_it_is_the_one_in_the_repository(
    app: FastAPI,
) -> None:
    document = json.loads((ROOT / "web" / "openapi.json").read_text())
    assert document == app.openapi(), "make openapi"
    operations = [one for methods in document["paths"].values() for one in methods.values()]
    assert [
        name for name, times in Counter(one["operationId"] for one in operations).items() if times > 1
    ] == []
    errors = [set(one["responses"]["default"]["content"]) for one in operations if one["tags"] != ["open311"]]
    assert all("application/problem+json" in kinds for kinds in errors)  # Open311 has its own form
