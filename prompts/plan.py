"""The source of each clip.

A language has one synthetic voice. A studio recording replaces it where no sentence mixes voices. So a
recorded whole prompt is used at once. Fragments, numbers and offices are joined into sentences, and are used
once all of them are recorded.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from prompts import catalogue, voices
from prompts.sources import Clip, Source, Studio, Tones
from prompts.spoken import PAUSE
from settings import Settings

_NONE: Mapping[str, str] = {}


@dataclass(frozen=True)
class Take:
    """A clip, the source that makes it, and a key that changes with its sound."""

    clip: Clip
    source: Source
    key: str

    @property
    def voice(self) -> str:
        """The voice that speaks the clip: `<language>/<source>`."""
        return f"{self.clip.folder}/{self.source.name}"


@dataclass(frozen=True)
class Plan:
    """All clips to be made."""

    takes: tuple[Take, ...]
    notes: tuple[str, ...]
    """Voices that are switched on but lack a language."""
    problems: tuple[str, ...]
    """Voices that are switched on or recorded but cannot speak yet, and why."""
    of_city: Mapping[str, str]
    """For each recorded clip with the city's name or numbers: its recording's hash and text."""


def make(
    settings: Settings, recordings: Path, gave_up: Mapping[str, str], of_city: Mapping[str, str] = _NONE
) -> Plan:
    """Plan every clip of every language. `gave_up` is as in `voices.choose`. Raises VoiceError.

    `of_city` comes from the plan before: a recording made for another city is not used.
    """
    takes = [_take(Clip("moh", "hold", ""), (Studio(recordings), Tones()))]
    say: dict[str, str] = {}
    notes: list[str] = []
    problems: list[str] = []
    for language in catalogue.list_languages():
        voice, note = voices.choose(settings, language, gave_up)
        whole = catalogue.list_prompts(language)
        clips = [
            Clip(language, clip, text)
            for clip, text in catalogue.list_texts(language, settings.of_city).items()
        ]
        others = []
        for clip, says in _naming_the_city(Studio(recordings), language, clips, of_city):
            say[clip.name] = says
            if says.partition(" ")[2] != clip.text:
                others.append(clip)
        studio = Studio(recordings, {clip.name for clip in others})
        joined = [clip for clip in clips if clip.id not in whole]
        missing = [clip.id for clip in joined if not studio.has(clip)]
        for clip in clips:
            sources = (voice,) if missing and clip.id not in whole else (studio, voice)
            takes.append(_take(clip, sources))
        takes += [
            _take(Clip(language, clip, ""), (studio, Tones()))
            for clip in (PAUSE, "beep", "nearly-over", "live-call")
        ]
        problems += _unused(language, len(joined), missing)
        if others:
            names = ", ".join(clip.id for clip in others)
            problems.append(f"{language}: recorded for another city, and not used: {names}; record them anew")
        if note:
            (problems if language in gave_up else notes).append(note)
    return Plan(tuple(takes), tuple(notes), tuple(problems), say)


def _take(clip: Clip, sources: tuple[Source, ...]) -> Take:
    source, recipe = next(
        (source, recipe) for source in sources if (recipe := source.recipe(clip)) is not None
    )
    parts = (_signal_path(), source.name.encode(), str(clip.is_sentence).encode(), recipe)
    return Take(clip, source, hashlib.sha256(b"\0".join(parts)).hexdigest()[:32])


def _naming_the_city(
    studio: Studio, language: str, clips: Iterable[Clip], before: Mapping[str, str]
) -> Iterator[tuple[Clip, str]]:
    """Yield the recorded clips with this city's text, each with its recording's hash and the text it was made
    for.
    """
    written = catalogue.list_texts(language)
    for clip in clips:
        recorded = None if written[clip.id] == clip.text else studio.recipe(clip)
        if recorded is not None:
            which = f"{hashlib.sha256(recorded).hexdigest()[:32]} "
            known = before.get(clip.name, "")
            yield clip, known if known.startswith(which) else which + clip.text


@cache
def _signal_path() -> bytes:
    """Return the code of the signal path, on which a clip's sound depends."""
    return Path(__file__).with_name("sound.py").read_bytes()


def _unused(language: str, joined: int, missing: list[str]) -> Iterator[str]:
    """Report recordings that are not used until the others exist."""
    if 0 < len(missing) < joined:
        names = ", ".join(missing[:3]) + ", …" * (len(missing) > 3)
        yield (
            f"{language}: {joined - len(missing)} of {joined} fragments, numbers and offices are recorded; "
            f"they are used once all are: {names} missing"
        )
