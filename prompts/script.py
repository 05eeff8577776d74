"""The recording script: a speaker's text in the studio, clip by clip."""

import textwrap
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

from prompts import catalogue
from prompts.catalogue import Catalogue, Slot
from prompts.sources import Clip, Studio
from settings.city_file import City

_WIDTH = 100
EVERYBODY = frozenset(
    f"""greeting main-menu menu-persian menu-english choose-kind kind-mayor kind-deputy kind-district
    ahead-none will-call ask-subject {" ".join(f"subject-{key}" for key in range(1, 10))} subject-others
    message-offer message-speak message-review message-kept no-key-again wrong-key one-moment goodbye
    operator-now operator-busy operator-choice operator-stay
    callback-intro callback-recorded wait-again wait-soon wait-minute wait-press-two""".split()
)
"""Prompts that nearly every caller hears. Each is a whole sentence, so its recording is used at once."""


class Line(NamedTuple):
    """One recording to be made."""

    clip: str
    """The clip's id; the recording is `<id>.wav`."""
    text: str
    """The text to read, without the signs for the synthetic voice."""
    context: str
    """For a fragment, the sentence it is part of."""


def list_lines(language: str, city: City, *, everybody: bool = False) -> dict[str, list[Line]]:
    """Return every recording of a language, grouped under the description of when it is heard.

    `everybody`: only those of EVERYBODY. Raises PromptError if there is no such language.
    """
    book = catalogue.load(language)
    script: dict[str, list[Line]] = {}
    said = partial(_said, language, city)
    fragments: set[str] = set()
    for section, prompts in book.sections.items():
        wanted = prompts.keys() & EVERYBODY if everybody else prompts.keys()
        found = [
            line
            for prompt, text in prompts.items()
            if prompt in wanted
            for line in _of_prompt(book, prompt, text, said)
        ]
        if found:
            script[book.speech.plain(section)] = found
        fragments.update(line.clip for line in found)
    if everybody:
        return script
    joined = [
        Line(clip, _read(book, text), "")
        for clip, text in catalogue.list_texts(language, city).items()
        if clip not in fragments
    ]
    script[book.speech.plain(book.joined)] = joined
    return script


def write(language: str, city: City, recordings: Path, *, everybody: bool = False) -> Iterator[str]:
    """Yield the script as lines of text; a recorded clip has a tick. Raises like `list_lines`."""
    studio = Studio(recordings)
    for section, found in list_lines(language, city, everybody=everybody).items():
        yield from ("", f"== {section}", "")
        for line in found:
            tick = "✓" if studio.has(Clip(language, line.clip, line.text)) else " "
            yield f"[{tick}] {line.clip}"
            yield textwrap.fill(line.text, _WIDTH, initial_indent="    ", subsequent_indent="    ")
            if line.context:
                yield textwrap.fill(line.context, _WIDTH, initial_indent="      ", subsequent_indent="      ")


def _said(language: str, city: City, text: str) -> str:
    return catalogue.fill_in(language, text, city)


def _of_prompt(book: Catalogue, prompt: str, text: str, said: Callable[[str], str]) -> Iterator[Line]:
    parts = book.prompts[prompt]
    names = {f"{{{part.name}:{part.kind}}}": f"[{part.name}]" for part in parts if isinstance(part, Slot)}
    for slot, name in names.items():
        text = text.replace(slot, name)
    context = f"→ {book.speech.plain(said(text))}" if names else ""
    for part in parts:
        if isinstance(part, str) and part in book.texts:
            yield Line(part, _read(book, said(book.texts[part])), context)


def _read(book: Catalogue, text: str) -> str:
    """Return a clip's text for the script, with … at the end of a fragment."""
    plain = book.speech.plain(text)
    return f"{plain.removesuffix(book.speech.comma)} …" if plain.endswith(book.speech.comma) else plain
