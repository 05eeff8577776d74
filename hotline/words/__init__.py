"""Words for people: TOML files for each language and audience, which a city may edit, and their loader.

A text has slots, `{name}`. All files of an audience have the same tables, names and slots; a test checks
that.
"""

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

_SLOT = re.compile(r"\{(\w+)\}")
_FOLDER = Path(__file__).parent

Tables = Mapping[str, Mapping[str, str]]
"""The texts of a file by table and name."""


class WordsError(Exception):
    """A language, table or text does not exist, or a slot has no value."""


class Book:
    """The texts of one audience: a folder with a file for each language."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def languages(self) -> list[str]:
        """Return the languages that have a file."""
        return sorted(path.stem for path in self._folder.glob("*.toml"))

    def tables(self, language: str) -> Tables:
        """Return all tables of a language. Raises WordsError if it has no file."""
        return _read(self._folder, language)

    def table(self, language: str, table: str) -> Mapping[str, str]:
        """Return a table's texts by name, with empty slots. Raises WordsError if there is no such table."""
        tables = self.tables(language)
        if table not in tables:
            raise WordsError(f"no words [{table}] in {language!r}")
        return tables[table]

    def text(self, language: str, table: str, name: str) -> str:
        """Return one text with empty slots. Raises WordsError if there is no such text."""
        texts = self.table(language, table)
        if name not in texts:
            raise WordsError(f"no words {name!r} of [{table}] in {language!r}")
        return texts[name]

    def slots(self, language: str, table: str, name: str) -> frozenset[str]:
        """Return the names of a text's slots. Raises WordsError if there is no such text."""
        return frozenset(_SLOT.findall(self.text(language, table, name)))

    def fill(self, language: str, table: str, name: str, values: Mapping[str, str]) -> str:
        """Return the text with its slots filled; `values` may have more.

        Raises WordsError if a value is missing.
        """
        missing = self.slots(language, table, name) - values.keys()
        if missing:
            raise WordsError(f"{name!r} of [{table}] needs {', '.join(sorted(missing))}")
        return _SLOT.sub(lambda slot: values[slot[1]], self.text(language, table, name))


@cache
def _read(folder: Path, language: str) -> Tables:
    try:
        return tomllib.loads((folder / f"{language}.toml").read_text("utf-8"))
    except FileNotFoundError:
        raise WordsError(f"no words in {language!r}: {folder.name} has no such file") from None


PUBLIC = Book(_FOLDER / "public")
"""Notices of rounds, feeds, days and hours."""
PAGES = Book(_FOLDER / "pages")
"""The public pages, api/templates/."""
STAFF = Book(_FOLDER / "staff")
"""The audit log and exported statistics."""
