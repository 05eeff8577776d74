"""The catalogue of prompts: a language's texts, and the clips of each prompt."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from functools import cache
from pathlib import Path
from typing import NamedTuple

from prompts.english import English
from prompts.persian import Persian
from prompts.spoken import PAUSE, Speech, add_comma
from settings import CITY
from settings.city_file import MOST_DISTRICTS, City

Value = str | int | date | time
"""Types of values for slots."""

_FOLDER = Path(__file__).parent
_SLOT = re.compile(r"(\{\w+:\w+\})")
_OWN = re.compile(r"\{(\w+)\}")
_DISTRICTS = range(1, MOST_DISTRICTS + 1)
_EXAMPLES = (12, 3)
"""Districts that are typed with two keys, and with one."""
_SPEECH: dict[str, Speech] = {"en": English(), "fa": Persian()}
_KINDS: dict[str, type[Value]] = {
    "phone": str,
    "digits": str,
    "clip": str,
    "count": int,
    "ordinal": int,
    "weekday": date,
    "date": date,
    "time": time,
}


class PromptError(Exception):
    """A prompt cannot be spoken: an unknown language, prompt or slot, or a value that does not fit."""


class Slot(NamedTuple):
    """A place in a prompt that is filled for each call, and how its value is read."""

    name: str
    kind: str


class Voice(NamedTuple):
    """How the synthetic voices speak a language."""

    espeak: list[str]
    """The options of espeak-ng."""
    espeak_slow: list[str]
    """Additional options for prompts with an id that ends in -slow."""
    gtts: dict[str, str]
    """The options of gTTS; empty if gTTS lacks the language."""


@dataclass
class Catalogue:
    """One language, as read from its file."""

    speech: Speech
    voice: Voice
    texts: dict[str, str] = field(default_factory=dict)
    """The text of each clip, by clip id."""
    prompts: dict[str, list[str | Slot]] = field(default_factory=dict)
    """The clip ids and slots of each prompt, in order."""
    sections: dict[str, dict[str, str]] = field(default_factory=dict)
    """The texts of prompts by id, grouped under the description of when they are heard."""
    examples: dict[str, str] = field(default_factory=dict)
    """How a district is typed: one with two digits, and one with a single digit."""
    joined: str = ""
    """The heading of the studio's script over clips that are joined into sentences."""

    def add(self, prompt_id: str, text: str) -> None:
        """Add a prompt, cut at its slots."""
        pieces = _SLOT.split(text)
        parts: list[str | Slot] = []
        fragments = 0
        for index, written in enumerate(pieces):
            piece = written.strip()
            if index % 2:  # re.split puts matches at odd places
                parts.append(Slot(*piece[1:-1].split(":")))
                continue
            if index and piece.startswith("."):  # the slot before it ended the sentence
                parts.append(PAUSE)
                piece = piece[1:].strip()
            if piece:
                fragments += 1
                clip = f"{prompt_id}.{fragments}" if len(pieces) > 1 else prompt_id
                last = index == len(pieces) - 1
                self.texts[clip] = piece if last else add_comma(piece, self.speech.comma)
                parts.append(clip)
        self.prompts[prompt_id] = parts


def list_languages() -> list[str]:
    """Return the languages that have a catalogue."""
    return sorted(path.stem for path in _FOLDER.glob("*.toml"))


@cache
def load(language: str) -> Catalogue:
    """Read the catalogue of a language, once. Raises PromptError if there is none."""
    if language not in list_languages():
        raise PromptError(f"no prompts in {language!r}; there are: {', '.join(list_languages())}")
    source = tomllib.loads((_FOLDER / f"{language}.toml").read_text("utf-8"))
    speech = _SPEECH[language]
    voice = source["voice"]
    catalogue = Catalogue(
        speech, Voice(voice["espeak"], voice["espeak-slow"], voice.get("gtts", {})), speech.clip_texts()
    )
    catalogue.joined = source["script"]["joined"]
    catalogue.examples = source["city"]
    for clip, text in source["clips"].items():
        if "*" not in clip:
            catalogue.texts[clip] = text
            continue
        for n in _DISTRICTS:
            catalogue.texts[clip.replace("*", str(n))] = text.replace("*", speech.spelled(n))
    for section, prompts in source["prompts"].items():
        catalogue.sections[source["sections"][section]] = prompts
        for prompt_id, text in prompts.items():
            catalogue.add(prompt_id, text)
    return catalogue


def fill_in(language: str, text: str, city: City) -> str:
    """Return a text with this city's names and numbers filled in."""
    catalogue, districts = load(language), len(city.districts)
    speech = catalogue.speech
    two, one = (min(example, districts) for example in _EXAMPLES)
    example = two if districts > 9 else one
    shown = catalogue.examples["example-two-keys" if districts > 9 else "example-one-key"]
    own = {"city": city.spoken(language), "districts": speech.spelled(districts)}
    own |= {"example": speech.spelled(example), "last": speech.spelled(example % 10)}
    filled = text.replace("{example}", shown)
    return _OWN.sub(lambda slot: own.get(slot[1], slot[0]), filled)


def list_prompts(language: str) -> frozenset[str]:
    """Return the id of every prompt. Raises PromptError if there is no such language."""
    return frozenset(load(language).prompts)


def list_office_clips(city: City | None = None) -> list[str]:
    """Return the prompts for offices' names that exist in every language; only this city's, if one
    is given.
    """
    spoken = [list_texts(language) for language in list_languages()]
    named = (clip for clip in spoken[0] if clip.startswith("office-") and all(clip in t for t in spoken))
    return sorted(set(named) - _beyond(city))


def _beyond(city: City | None) -> set[str]:
    """Return the prompts of districts that the city does not have."""
    return {f"office-district-{n}" for n in _DISTRICTS if city and n > len(city.districts)}


def list_texts(language: str, city: City | None = None) -> Mapping[str, str]:
    """Return the text of every clip with words, by clip id. With a city, its names and numbers are filled in.

    Raises like `list_prompts`.
    """
    found = load(language).texts
    if city is None:
        return found
    beyond = _beyond(city)
    return {clip: fill_in(language, text, city) for clip, text in found.items() if clip not in beyond}


@cache
def find_slots(language: str, prompt_id: str) -> Mapping[str, str]:
    """Return the kind of each slot of a prompt by its name. Raises PromptError if it is unknown."""
    catalogue = load(language)
    if prompt_id not in catalogue.prompts:
        raise PromptError(f"no prompt {prompt_id!r} in {language!r}")
    return {part.name: part.kind for part in catalogue.prompts[prompt_id] if isinstance(part, Slot)}


def list_clips(language: str, prompt_id: str, **values: Value) -> list[str]:
    """Return the ids of the clips that speak one prompt, in order.

    `values` fills each slot. `phone` takes a national number ("09131234567"), `digits` a ticket number
    ("0123456"). `count` and `ordinal` take an int, `clip` takes a clip id. `weekday` and `date` take a local
    date, `time` a local time of day. These three also take a datetime with a zone, which is read in the
    city's time.

    Raises PromptError if the language or the prompt is unknown, or if a slot or its value does not fit.
    """
    wanted = find_slots(language, prompt_id)
    if wanted.keys() != values.keys():
        has = ", ".join(sorted(wanted)) or "no slots"
        given = ", ".join(sorted(values)) or "none"
        raise PromptError(f"prompt {prompt_id!r} has {has}; given: {given}")
    catalogue = load(language)
    spoken_clips: list[str] = []
    for part in catalogue.prompts[prompt_id]:
        if isinstance(part, str):
            spoken_clips.append(part)
            continue
        try:
            spoken_clips += _fill(catalogue, part.kind, values[part.name])
        except (TypeError, ValueError) as error:
            raise PromptError(f"prompt {prompt_id!r}, slot {part.name!r}: {error}") from None
    return spoken_clips


def _fill(catalogue: Catalogue, kind: str, value: Value) -> list[str]:
    if isinstance(value, datetime):
        value = _local(kind, value)
    of_type = _KINDS[kind]
    if not isinstance(value, of_type):
        raise TypeError(f"{value!r} is not {of_type.__name__}")
    if kind != "clip":
        read: list[str] = getattr(catalogue.speech, kind)(value)
        return read
    if value not in catalogue.texts:
        raise ValueError(f"no clip {value!r}")
    return [str(value)]


def _local(kind: str, at: datetime) -> date | time:
    if at.tzinfo is None:
        raise ValueError("a date and time without a zone")
    local = at.astimezone(CITY)
    return local.time() if kind == "time" else local.date()
