"""A citizen on a real phone who listens, and presses keys at the right moment."""

import functools
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from dialplan.variables import LINES_FULL, LINES_FULL_OFFER
from prompts.catalogue import list_prompts
from tests.kit import sound
from tests.kit.exact_ears import ExactEars
from tests.kit.phone import Phone
from tests.kit.system import System

_OPENING_S = 1.2
"""The length of a clip that is enough to know it by. A caller who knows the menus presses no later."""


@dataclass(frozen=True)
class Said:
    """The prompts of a call, clip by clip; clips of other languages than Persian as `en/greeting`."""

    clips: Sequence[str]

    @property
    def prompts(self) -> list[str]:
        """The prompts in order, each known by its first fragment: later ones are short, and not unique."""
        known = list_prompts("fa") | {"beep"}
        firsts = [clip.removesuffix(".1") for clip in self.clips]
        return [name for name in firsts if name.rpartition("/")[2] in known]

    def digits(self, after: str) -> str:
        """The digits said right after the last time that a clip was said."""
        last = len(self.clips) - self.clips[::-1].index(after)
        names = [clip.rpartition("/")[2] for clip in self.clips[last:] if not clip.endswith("pause")]
        end = next((i for i, name in enumerate(names) if not name.startswith("digit-")), None)
        return "".join(name[-1] for name in names[:end])


class Caller(Phone):
    """Calls 137. `at()` waits for a prompt and answers it; `said()` is what was said in the whole call."""

    def __init__(
        self,
        system: System,
        number: str,
        *,
        language: str = "fa",
        port: int | None = None,
        sound: Path | None = None,
    ) -> None:
        super().__init__(number, port=port, sound=sound)
        self._system = system
        self._folder_of_prompts = system.settings.prompts_dir
        self.language = language
        self._listened: dict[str, float] = {}

    def call(self) -> None:
        """Dial 137 and wait until it answers; a round that has just been made is offered then."""
        self._system.wait_offered()
        call = self.dial(self._system.hotline)
        self.wait_for("established", call=call)

    def at(self, prompt: str, keys: str = "", timeout: float = 40.0) -> None:
        """Once a prompt's beginning is heard, after what was waited for before, press the keys."""
        self.either(prompt, timeout=timeout)
        self.press(keys)

    def either(self, *prompts: str, timeout: float = 40.0) -> str:
        """Wait for the beginning of any of the prompts, in the same way; the one that was heard first."""
        clips = beginnings(self._folder_of_prompts, self.language)
        openings = {p: clips[p if p in clips else f"{p}.1"] for p in prompts}
        heard_as = {_heard_as(self.language, p if p in clips else f"{p}.1"): p for p in prompts}

        call = self.calls[-1].id
        begin = self.listened
        first = ""

        def heard() -> bool:
            nonlocal begin, first
            recording = self.recording()
            known = self._ears().hear(recording, self.listened, heard_as)
            said = next((part for part in known.parts if part.clip in heard_as), None)
            if said:
                self._listened[call] = min(said.end, said.start + _OPENING_S)
                first = heard_as[said.clip]
            if said or known.all:
                return bool(said)
            matches = sound.heard(recording.part(begin), openings)
            if matches:
                self._listened[call] = begin + matches[0].end
                first = matches[0].clip
            # What was looked through in vain can only hold the beginning of it.
            begin = max(begin, recording.seconds - 2 * _OPENING_S)
            return bool(matches)

        try:
            sound.until_heard(heard, f"{self.number} heard {' or '.join(prompts)}", timeout)
        except TimeoutError as error:
            known = self._ears().hear(self.recording())
            told = [f"{part.clip} at {part.start:.1f}" for part in known.parts]
            raise TimeoutError(f"{error}; up to {self.listened:.1f} of {told}, all: {known.all}") from None
        return first

    @property
    def listened(self) -> float:
        """Up to here, in seconds of the call's sound, is what was waited for until now."""
        return self._listened.get(self.calls[-1].id, 0.0)

    def said(self, expected: Collection[str] = (), since: float = 0.0) -> Said:
        """Return the prompts so far, by the beginnings of clips, and whole by the `expected` ones.

        Every existing clip is searched for, so a part of a long call, `since` these seconds, costs less.
        """
        recording = self.recording()
        clips = _all_spoken(self._folder_of_prompts, self.language)
        likely = {name for name in clips if re.sub(r"\.\d+$", "", name) in expected}
        known = self._ears().hear(recording, since, likely)
        if known.all:
            return Said([part.clip for part in known.parts])
        wanted = {name: whole.part(0, _OPENING_S) for name, whole in clips.items() if name in likely}
        wanted |= {f"{name} ": clips[name] for name in likely}
        others = {name: whole.part(0, _OPENING_S) for name, whole in clips.items() if name not in likely}
        unlike = {clip.samples.tobytes(): name for name, clip in reversed([*wanted.items(), *others.items()])}
        ears = {name: (wanted | others)[name] for name in unlike.values()}
        return Said([match.clip.strip() for match in sound.heard(recording.part(since), ears)])

    def _ears(self) -> ExactEars:
        return _exact_ears(self._folder_of_prompts, self.language)


@functools.cache
def _exact_ears(folder: Path, language: str) -> ExactEars:
    return ExactEars(_all_spoken(folder, language), _OPENING_S)


def _all_spoken(folder: Path, language: str) -> dict[str, sound.Recording]:
    """The clips of both languages, by what they are heard as: each menu offers the other language in it."""
    return {
        _heard_as(spoken_in, name): clip
        for spoken_in in ("fa", "en")
        for name, clip in spoken(folder, spoken_in).items()
    }


def _heard_as(language: str, clip: str) -> str:
    return clip if language == "fa" else f"{language}/{clip}"


@functools.cache
def beginnings(folder: Path, language: str) -> dict[str, sound.Recording]:
    """Return the beginning of each clip, long enough to know it by."""
    return {name: whole.part(0, _OPENING_S) for name, whole in spoken(folder, language).items()}


@functools.cache
def spoken(folder: Path, language: str) -> dict[str, sound.Recording]:
    """The clips of a language."""
    files = sorted((folder / language).glob("*.alaw"))
    return {path.stem: _loaded(path) for path in files if path.stem not in (LINES_FULL, LINES_FULL_OFFER)}


def _loaded(path: Path) -> sound.Recording:
    """The clip; all systems of the tests have the same files."""
    status = path.stat()
    key = (status.st_dev, status.st_ino, status.st_mtime_ns)
    if key not in _LOADED:
        _LOADED[key] = sound.load(path)
    return _LOADED[key]


_LOADED: dict[tuple[int, int, int], sound.Recording] = {}
