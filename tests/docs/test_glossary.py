"""One word for one thing: whatever a citizen or a desk reads or hears says it as the glossary does."""

import re
import unicodedata
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GLOSSARY = (ROOT / "docs" / "architecture.md").read_text().partition("## Glossary\n")[2].partition("\n## ")[0]
WORDS = sorted(
    [*ROOT.glob("web/src/**/*.fa.ts"), *ROOT.glob("prompts/**/fa.toml"), *ROOT.glob("hotline/**/fa.toml")]
)
PAGES = sorted([ROOT / "README.md", *ROOT.glob("docs/**/*.md")])


def _plain(text: str) -> str:
    """Without vowel signs and joiners, in which one word is written in several ways."""
    return "".join(sign for sign in text.replace("\u200c", "") if not unicodedata.combining(sign))


def _never() -> list[str]:
    rows = [line.strip("|").split("|") for line in GLOSSARY.splitlines() if line.startswith("| ")][1:]
    return [word.strip() for row in rows for word in row[3].split("،") if word.strip()]


@pytest.mark.parametrize("file", WORDS + PAGES, ids=lambda file: str(file.relative_to(ROOT)))
def test_texts_for_people_hold_no_word_the_glossary_replaces(file: Path) -> None:
    text = _plain(file.read_text().replace(GLOSSARY, ""))
    assert [word for word in _never() if re.search(rf"(?<!\w){re.escape(_plain(word))}", text)] == []


def test_glossary_and_its_texts_are_found() -> None:
    assert "شماره پیگیری" in _never()
    assert len(WORDS) > 30
