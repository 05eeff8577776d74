"""Words for people: a TOML file for each language and audience, which a city may edit, and their loader.

A text has slots, `{name}`. The files of an audience have the same tables, names and slots; a test compares.
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
    """There is no such language, table or text, or nothing for one of its slots."""


class Book:
    """What one audience reads: a folder with a file for each language."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def languages(self) -> list[str]:
        """The languages that have a file."""
        return sorted(path.stem for path in self._folder.glob("*.toml"))

    def tables(self, language: str) -> Tables:
        """The whole file. Raises WordsError if there is none."""
        return _read(self._folder, language)

    def table(self, language: str, table: str) -> Mapping[str, str]:
        """Its texts by name, their slots empty. Raises WordsError if there is none."""
        tables = self.tables(language)
        if table not in tables:
            raise WordsError(f"no words [{table}] in {language!r}")
        return tables[table]

    def text(self, language: str, table: str, name: str) -> str:
        """One text, its slots empty. Raises WordsError if there is none."""
        texts = self.table(language, table)
        if name not in texts:
            raise WordsError(f"no words {name!r} of [{table}] in {language!r}")
        return texts[name]

    def slots(self, language: str, table: str, name: str) -> frozenset[str]:
        """What is filled in. Raises WordsError if there is no such text."""
        return frozenset(_SLOT.findall(self.text(language, table, name)))

    def fill(self, language: str, table: str, name: str, values: Mapping[str, str]) -> str:
        """The text with its slots filled; `values` may hold more. Raises WordsError if one is missing."""
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
"""The audit log and exported reports."""
