"""The catalogue of prompts: which texts a language has, and which clips speak a prompt."""

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import NamedTuple

from prompts import spoken

_FOLDER = Path(__file__).parent
_SLOT = re.compile(r"(\{\w+:\w+\})")
_DISTRICTS = range(1, 16)


class PromptError(Exception):
    """A prompt cannot be spoken: no such language, prompt or slot, or a value that does not fit."""


class Slot(NamedTuple):
    """A place in a prompt that is filled for each call, and how its value is read."""

    name: str
    kind: str


@dataclass
class Catalogue:
    """One language, as read from its file."""

    espeak: list[str]
    """The options with which espeak-ng speaks it."""
    texts: dict[str, str] = field(default_factory=dict)
    """What each clip says, by clip id."""
    prompts: dict[str, list[str | Slot]] = field(default_factory=dict)
    """The clip ids and slots of each prompt, in order."""

    def add(self, prompt_id: str, text: str) -> None:
        """Take in a prompt, cut at its slots."""
        pieces = [piece.strip() for piece in _SLOT.split(text)]
        parts: list[str | Slot] = []
        fragments = 0
        for index, piece in enumerate(pieces):
            if index % 2:  # re.split puts what the pattern matched at the odd places
                parts.append(Slot(*piece[1:-1].split(":")))
            elif piece == ".":
                parts.append(spoken.PAUSE)
            elif piece:
                fragments += 1
                clip = f"{prompt_id}.{fragments}" if len(pieces) > 1 else prompt_id
                goes_on = index < len(pieces) - 1 and piece[-1] not in "،:"
                self.texts[clip] = piece + "،" * goes_on  # keeps the voice from falling
                parts.append(clip)
        self.prompts[prompt_id] = parts


def languages() -> list[str]:
    """Return the languages that have a catalogue."""
    return sorted(path.stem for path in _FOLDER.glob("*.toml"))


@cache
def load(language: str) -> Catalogue:
    """Read the catalogue of a language, once. Raises PromptError if there is none."""
    if language not in languages():
        raise PromptError(f"no prompts in {language!r}; there are: {', '.join(languages())}")
    source = tomllib.loads((_FOLDER / f"{language}.toml").read_text("utf-8"))
    catalogue = Catalogue(source["voice"]["espeak"], spoken.clip_texts())
    for clip, text in source["clips"].items():
        if "*" not in clip:
            catalogue.texts[clip] = text
            continue
        for n in _DISTRICTS:
            catalogue.texts[clip.replace("*", str(n))] = text.replace("*", spoken.WORDS[n])
    for prompt_id, text in source["prompts"].items():
        catalogue.add(prompt_id, text)
    return catalogue


def prompt_ids(language: str) -> frozenset[str]:
    """Return the id of every prompt. Raises PromptError if there is no such language."""
    return frozenset(load(language).prompts)


def texts(language: str) -> Mapping[str, str]:
    """Return the text of every clip that has words, by clip id. Raises like `prompt_ids`."""
    return load(language).texts


def clips(language: str, prompt_id: str, **slots: str | int) -> list[str]:
    """Return the ids of the clips that speak one prompt, in order.

    `slots` gives each slot its value: a national number ("09131234567") for `phone`, a ticket
    number ("0123456") for `digits`, an int for `count`, a clip id for `clip`. Raises PromptError
    if the language or the prompt is unknown, if a slot is missing or is not in the prompt, or if
    a value does not fit its slot.
    """
    catalogue = load(language)
    if prompt_id not in catalogue.prompts:
        raise PromptError(f"no prompt {prompt_id!r} in {language!r}")
    parts = catalogue.prompts[prompt_id]
    wanted = {part.name for part in parts if isinstance(part, Slot)}
    if wanted != slots.keys():
        has = ", ".join(sorted(wanted)) or "no slots"
        given = ", ".join(sorted(slots)) or "none"
        raise PromptError(f"prompt {prompt_id!r} has {has}; given: {given}")
    spoken_clips: list[str] = []
    for part in parts:
        if isinstance(part, str):
            spoken_clips.append(part)
            continue
        try:
            spoken_clips += _fill(catalogue, part.kind, slots[part.name])
        except (TypeError, ValueError) as error:
            raise PromptError(f"prompt {prompt_id!r}, slot {part.name!r}: {error}") from None
    return spoken_clips


_READERS: dict[str, tuple[type, Callable[..., list[str]]]] = {
    "phone": (str, spoken.phone),
    "digits": (str, spoken.digits),
    "count": (int, spoken.count),
    "clip": (str, lambda clip: [clip]),
}


def _fill(catalogue: Catalogue, kind: str, value: str | int) -> list[str]:
    of_type, reader = _READERS[kind]
    if not isinstance(value, of_type):
        raise TypeError(f"{value!r} is not {of_type.__name__}")
    if kind == "clip" and value not in catalogue.texts:
        raise ValueError(f"no clip {value!r}")
    return reader(value)
