"""Ears that know clips sample by sample, on an A-law line that carries them as they lie on disk.

They cost next to nothing, where correlation (tests.kit.sound) costs a core. They say when they do not know
all (another codec, a mixed room, a lost packet). Correlation is asked then.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping
from operator import itemgetter
from typing import NamedTuple

import numpy as np

from tests.kit.sound import QUIET, RATE, Recording

_BEFORE = 40
"""The quiet samples before a clip: each begins with at least twice as many."""
_OPENING = 800
"""The samples since the first audible one by which a clip is known."""
_UNKNOWN = 2 * _OPENING
"""The samples outside any clip that make these ears unfit for the line."""


class Part(NamedTuple):
    """A clip that was said, at least its beginning, from when to when, in seconds of the recording."""

    clip: str
    start: float
    end: float


class Known(NamedTuple):
    """The recognised clips, in order, and whether they are all that could be heard."""

    parts: list[Part]
    all: bool


class ExactEars:
    """Knows these clips (at 8 kHz), each by its first `enough_s` or, if it is shorter, by all of it."""

    def __init__(self, clips: Mapping[str, Recording], enough_s: float) -> None:
        self._enough = int(enough_s * RATE)
        self._clips: dict[bytes, list[tuple[str, np.ndarray]]] = defaultdict(list)
        for name, clip in clips.items():
            samples = _samples(clip)
            for begin in _onsets(samples)[:1]:
                said = samples[begin : np.flatnonzero(_loud(samples))[-1] + 1]
                self._clips[said[:_OPENING].tobytes()].append((name, said))

    def hear(self, recording: Recording, since: float = 0.0, likely: Collection[str] = ()) -> Known:
        """Return the clips recognised `since` then; of equal clips the `likely`, a whole or the first one."""
        samples = _samples(recording) if recording.rate == RATE else np.zeros(0, np.int16)
        unknown = _loud(samples)
        parts: list[Part] = []
        end = 0
        for at in _onsets(samples):
            same = self._clips.get(samples[at : at + _OPENING].tobytes(), ()) if at >= end else ()
            alike = [
                (_alike(samples[at:], clip), name in likely, "." not in name, len(clip), name)
                for name, clip in same
            ]
            if alike:
                much, _, _, length, name = max(alike, key=itemgetter(0, 1, 2))
                end = at + much
                unknown[at:end] = False
                opening = min(self._enough, length)
                if at + opening > since * RATE + _BEFORE and much >= opening:
                    parts.append(Part(name, at / RATE, end / RATE))
        left = int(unknown[int(since * RATE) :].sum())
        return Known(parts, all=recording.rate == RATE and left < _UNKNOWN)


def _samples(sound: Recording) -> np.ndarray:
    return (np.asarray(sound.samples) * 32768).astype(np.int16)


def _loud(samples: np.ndarray) -> np.ndarray:
    return np.abs(samples) > QUIET * 32768


def _onsets(samples: np.ndarray) -> list[int]:
    """Return the positions at which sound begins after quiet."""
    loud = np.flatnonzero(_loud(samples))
    found: list[int] = loud[np.diff(loud, prepend=-_BEFORE - 1) > _BEFORE].tolist()
    return found


def _alike(said: np.ndarray, clip: np.ndarray) -> int:
    """How many samples are those of the clip; one that was broken off ends with a packet."""
    most = min(len(said), len(clip))
    unlike = np.flatnonzero(said[:most] != clip[:most])
    return int(unlike[0]) if len(unlike) else most
