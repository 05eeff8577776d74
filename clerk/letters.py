"""A text message in words, and what its words were made from."""

from collections.abc import Mapping
from typing import NamedTuple

from hotline.dates import Language
from hotline.words import Book
from prompts import MESSAGES

TEXTS = Book(MESSAGES)
"""The texts of messages by their kind and case."""


class Text(NamedTuple):
    """A text message as it goes out: `to` is E.164. A template is filled with `values`."""

    to: str
    text: str
    by_messenger: bool = False
    language: str = "fa"
    name: str = ""
    values: Mapping[str, str] = {}


def text(to: str, language: Language | str, name: str, values: Mapping[str, str]) -> Text:
    """The text of that name in that language, to the E.164 number `to`."""
    said = TEXTS.fill(language, "texts", name, values)
    return Text(to, said, language=language, name=name, values=values)


_ONE, _PART = 70, 67
_ONE_LATIN, _PART_LATIN = 160, 153


def parts(said: str) -> int:
    """In how many parts the network carries it: Persian takes 16 bits a sign, in UTF-16."""
    if said.isascii():
        length, one, part = len(said) + sum(sign in "^{}\\[~]|" for sign in said), _ONE_LATIN, _PART_LATIN
    else:
        length, one, part = len(said.encode("utf-16-be")) // 2, _ONE, _PART
    return 1 if length <= one else -(-length // part)
