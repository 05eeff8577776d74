"""The texts of messages: read, not spoken, so no voice renders them. One file a language, in messages/."""

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from prompts.catalogue import PromptError

_FOLDER = Path(__file__).parent / "messages"
_SLOT = re.compile(r"\{(\w+)\}")


@cache
def load(language: str) -> Mapping[str, str]:
    """Every text of a language by its name, with its slots. Raises PromptError if there is none."""
    try:
        source = tomllib.loads((_FOLDER / f"{language}.toml").read_text("utf-8"))
    except FileNotFoundError:
        raise PromptError(f"no messages in {language!r}") from None
    texts: dict[str, str] = source["texts"]
    return texts


def slots(language: str, name: str) -> frozenset[str]:
    """The slots of a text. Raises PromptError if it is unknown."""
    if name not in load(language):
        raise PromptError(f"no message {name!r} in {language!r}")
    return frozenset(_SLOT.findall(load(language)[name]))


def fill(language: str, name: str, values: Mapping[str, str]) -> str:
    """The text with its slots filled; `values` may hold more. Raises PromptError if one is missing."""
    missing = slots(language, name) - values.keys()
    if missing:
        raise PromptError(f"message {name!r} needs {', '.join(sorted(missing))}")
    return _SLOT.sub(lambda slot: values[slot[1]], load(language)[name])
