"""The Persian guides: what they quote is what the pages say, and their pictures are there and small."""

import re
from pathlib import Path

import pytest

from tests.kit import guides

ROOT = Path(__file__).parents[2]
PICTURES = guides.GUIDES / "pictures"
WORDS = [*(ROOT / "web" / "src").rglob("*.fa.ts"), ROOT / "web" / "src" / "language" / "fa.ts"]
LARGEST, ALL = 150_000, 2_000_000
MIN_PART = 12
"""Length of the part of a longer sentence that may be quoted, in characters."""


def said() -> list[str]:
    """Each text of the pages; what stands around a value is a text of its own."""
    literals = (found for file in WORDS for found in re.findall(r"'([^'\n]*)'|`([^`]*)`", file.read_text()))
    return [
        part.strip(" ()")
        for plain, template in literals
        for part in re.split(r"\$\{.*?\}", plain or template)
    ]


@pytest.mark.parametrize("name", guides.NAMES)
def test_pages_say_each_phrase_that_a_guide_quotes(name: str) -> None:
    quoted = set(re.findall(r"«([^»]+)»", (guides.GUIDES / f"{name}.md").read_text()))
    there = said()
    assert len(quoted) > 10
    assert (
        sorted(
            words
            for words in quoted
            if not any(words == one or (len(words) >= MIN_PART and words in one) for one in there)
        )
        == []
    )


def test_each_picture_of_the_guides_is_shown_and_small() -> None:
    shown = {
        found
        for name in guides.NAMES
        for found in re.findall(r"\]\(pictures/([^)]+)\)", (guides.GUIDES / f"{name}.md").read_text())
    }
    sizes = {file.name: file.stat().st_size for file in PICTURES.iterdir()}
    assert sizes.keys() == shown
    assert max(sizes.values()) < LARGEST and sum(sizes.values()) < ALL


@pytest.mark.parametrize("name", guides.NAMES)
def test_printed_guide_is_self_contained_and_right_to_left(
    name: str,
) -> None:
    made = guides.html(name)
    assert '<html lang="fa" dir="rtl">' in made and "Vazirmatn" in made
    sources = re.findall(r'(?:src="|url\()([^")]{1,30})', made)
    assert len(sources) > len(guides.WEIGHTS) and all(source.startswith("data:") for source in sources)
