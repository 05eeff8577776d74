"""Text messages in words, with the values that filled them."""

from collections.abc import Mapping
from typing import NamedTuple

from hotline.dates import Language
from hotline.words import Book
from prompts import MESSAGES

TEXTS = Book(MESSAGES)
"""Texts of messages by kind and case."""


class Text(NamedTuple):
    """Text message as it is sent: `to` is E.164. `values` fill a template."""

    to: str
    text: str
    by_messenger: bool = False
    language: str = "fa"
    name: str = ""
    values: Mapping[str, str] = {}


def make_text(to: str, language: Language | str, name: str, values: Mapping[str, str]) -> Text:
    """Return the text with that name in that language, to the E.164 number `to`."""
    said = TEXTS.fill(language, "texts", name, values)
    return Text(to, said, language=language, name=name, values=values)


_ONE, _PART = 70, 67
_ONE_LATIN, _PART_LATIN = 160, 153


def count_parts(said: str) -> int:
    """Return the number of parts in the network; Persian takes 16 bits for each character (UTF-16)."""
    if said.isascii():
        length, one, part = len(said) + sum(sign in "^{}\\[~]|" for sign in said), _ONE_LATIN, _PART_LATIN
    else:
        length, one, part = len(said.encode("utf-16-be")) // 2, _ONE, _PART
    return 1 if length <= one else -(-length // part)
