"""Ears: which prompts, and which tones, are in a recording.

A clip is searched for by normalised cross-correlation, so loudness does not matter. The loudest quarter of a
second of each half (an anchor) finds candidates, first roughly, at half the rate. There the clip is followed
in short pieces, each of which may have moved a little against the one before. Lost or late packets and clock
drift cost little. Its score is the mean of the pieces: near 1 if it was played, far below `THRESHOLD` if not.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile
import soxr
from numpy.lib.stride_tricks import sliding_window_view

from tests.kit.process import until

RATE = 8000
THRESHOLD = 0.85
"""Scores above it are played clips: `tests/kit/test_sound.py` measures how far both sides are from it."""

_ANCHOR = RATE // 4
_BLOCK = 8192
_PIECE = RATE // 10
_SLACK = RATE // 40  # how far a piece may have moved
_CANDIDATE = 0.5  # an anchor's score worth following
_COARSE = 2  # of so many samples one is enough to find the places; the lower half of the sound is the louder
_ROUGHLY = 0.4  # an anchor's score there worth looking closer
_CLOSE = 4  # so far from the rough place the true one may be
QUIET = 10 ** (-66 / 20)  # below this level nothing is heard


class Match(NamedTuple):
    """A clip that was heard: when its sound begins and ends, in seconds, and how sure that is."""

    clip: str
    start: float
    end: float
    score: float


@dataclass
class Recording:
    """A heard recording: samples from -1 to 1, `rate` of them a second."""

    samples: np.ndarray
    rate: int

    @property
    def seconds(self) -> float:
        """How long it is."""
        return len(self.samples) / self.rate

    def part(self, start: float, end: float | None = None) -> "Recording":
        """The part between two times; a negative start counts from the end."""
        stop = None if end is None else int(end * self.rate)
        return Recording(self.samples[int(start * self.rate) : stop], self.rate)

    @cached_property
    def voice(self) -> "_Voice":
        """Return the search form of this clip, cached for many searches."""
        return _Voice(_at_rate(self))


def load(path: Path) -> Recording:
    """Read a sound file; `.alaw` and `.ulaw` are raw at 8 kHz."""
    if (law := path.suffix[1:].upper()) in ("ALAW", "ULAW"):
        samples, rate = soundfile.read(
            path, dtype="float32", samplerate=RATE, channels=1, format="RAW", subtype=law
        )
    else:
        samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
        samples = samples.mean(axis=1)
    return Recording(samples, rate)


def heard(
    recording: Recording,
    clips: Mapping[str, Path | Recording],
    threshold: float = THRESHOLD,
) -> list[Match]:
    """Which of the clips were played, in order. Where clips overlap, those that explain most win.

    A clip may be known before it has ended; its match then ends with the recording.
    """
    ears = _Ears(_at_rate(recording))
    found = []
    for name, clip in clips.items():
        voice = (clip if isinstance(clip, Recording) else load(clip)).voice
        places = _places(ears, voice, threshold)
        found += [
            Match(name, start, min(end, recording.seconds), score)
            for start, end, score in places
            if score >= threshold
        ]
    return _best(found)


def best_score(recording: Recording, clip: Path | Recording) -> float:
    """The score of the clip's likeliest place, to see how sure a decision is."""
    voice = (clip if isinstance(clip, Recording) else load(clip)).voice
    return max((score for *_, score in _places(_Ears(_at_rate(recording)), voice)), default=0.0)


def until_heard(found: Callable[[], object], what: str, timeout: float = 30.0) -> None:
    """Wait until `found()` is true: ears cost much, so they are asked five times a second."""
    until(found, what, timeout, every=0.2)


def tone_level(recording: Recording, hz: float) -> float:
    """How much of what was heard was this tone: the largest share (0 to 1) in any half second."""
    size = recording.rate // 2
    window = np.hanning(size)
    near = slice(int(hz / 2) - 4, int(hz / 2) + 5)  # bins are 2 Hz wide
    best = 0.0
    for start in range(0, len(recording.samples) - size + 1, size // 2):
        piece = recording.samples[start : start + size]
        if np.sqrt(np.mean(piece**2)) > QUIET:
            power = np.abs(np.fft.rfft(piece * window)) ** 2
            best = max(best, float(power[near].sum() / power.sum()))
    return best


def a_tone(folder: Path, hz: int) -> Path:
    """A file with four seconds of a tone, for a phone to say."""
    seconds = np.arange(4 * RATE) / RATE
    path = folder / f"{hz}.wav"
    soundfile.write(path, 0.4 * np.sin(2 * np.pi * hz * seconds), RATE, subtype="PCM_16")
    return path


def _at_rate(recording: Recording) -> np.ndarray:
    samples = np.asarray(recording.samples, np.float32)
    return samples if recording.rate == RATE else soxr.resample(samples, recording.rate, RATE)


class _Voice:
    """A clip without the silence around it, made ready to be looked for."""

    def __init__(self, clip: np.ndarray) -> None:
        loud = np.flatnonzero(np.abs(clip) > 0.02 * np.abs(clip).max(initial=1e-9))
        self.samples = clip[loud[0] : loud[-1] + 1] if len(loud) else clip[:0]
        self.pieces = _pieces(self.samples) if len(self.samples) else []
        self.anchors = [_Anchor(place, sound) for place, sound in _anchors(self.samples)]


class _Anchor:
    """The loudest part of a half of a clip: its place there, and its spectrum at the coarse rate."""

    def __init__(self, place: int, sound: np.ndarray) -> None:
        self.place, self.sound = place, sound
        self.norm = float(np.linalg.norm(sound))
        rough = _coarsely(sound)
        self.rough_size = len(rough) if rough.any() else 0
        if self.rough_size:
            self.spectrum = np.conj(np.fft.rfft(rough / np.linalg.norm(rough), _BLOCK))


class _Ears:
    """A sound made ready to look for many clips in it."""

    def __init__(self, sound: np.ndarray) -> None:
        self.length = len(sound)
        self._sound = sound
        self._energy = _energy(sound)
        # the anchors' search: overlapping blocks, each transformed once
        self._coarse = _coarsely(sound)
        self._coarse_energy = _energy(self._coarse)
        self._hop = _BLOCK - _ANCHOR // _COARSE
        padded = np.concatenate((self._coarse, np.zeros(_BLOCK, np.float32)))
        self._spectra = np.fft.rfft(sliding_window_view(padded, _BLOCK)[:: self._hop])
        self._softness: dict[tuple[int, int], np.ndarray] = {}

    @cached_property
    def _phases(self) -> tuple[np.ndarray, np.ndarray]:
        """The pieces' search: as it is, and half a sample later, which another clock may bring."""
        size = 1 << (self.length + _BLOCK - 1).bit_length()  # other sizes cost many times as much
        padded = np.concatenate((self._sound, np.zeros(size - self.length, np.float32)))
        turn = np.exp(1j * np.pi * np.fft.rfftfreq(len(padded)))
        later = np.fft.irfft(np.fft.rfft(padded) * turn, len(padded))[: self.length]
        return self._sound, later.astype(np.float32)

    def places(self, anchor: _Anchor) -> dict[int, float]:
        """Return the candidate positions of the anchor with their normalised correlation, `_CANDIDATE` at
        least.
        """
        if not anchor.rough_size or anchor.rough_size > len(self._coarse):
            return {}
        softness = self._soft(self._coarse_energy, anchor.rough_size)
        products = np.fft.irfft(self._spectra * anchor.spectrum, _BLOCK)
        scores = products[:, : self._hop].ravel()[: len(softness)] * softness
        likely = np.flatnonzero(scores >= _ROUGHLY)
        before, after = scores[np.maximum(likely - 1, 0)], scores[np.minimum(likely + 1, len(scores) - 1)]
        tops = likely[(scores[likely] >= before) & (scores[likely] >= after)]
        found = dict(self._closely(anchor, top * _COARSE) for top in tops.tolist())
        return {place: score for place, score in found.items() if score >= _CANDIDATE}

    def _closely(self, anchor: _Anchor, place: int) -> tuple[int, float]:
        """The best place near a rough one, and the score there."""
        size = len(anchor.sound)
        softness = self._soft(self._energy, size)
        first = max(0, min(place, len(softness) - 1) - _CLOSE)
        near = softness[first : place + _CLOSE + 1]
        scores = np.correlate(self._sound[first : first + len(near) - 1 + size], anchor.sound, "valid") * near
        top = int(scores.argmax())
        return first + top, float(scores[top] / anchor.norm)

    def _soft(self, energy: np.ndarray, size: int) -> np.ndarray:
        """One over the level of each window of that size."""
        key = (len(energy), size)
        if key not in self._softness:
            self._softness[key] = (1 / _level(energy, 0, len(energy) - size, size)).astype(np.float32)
        return self._softness[key]

    def nearby(self, piece: np.ndarray, place: int) -> tuple[float, int]:
        """The best score of the piece within the slack around a place, and where that is."""
        first = max(0, place - _SLACK)
        last = min(place + _SLACK, self.length - len(piece)) + 1
        if first >= last:
            return 0.0, place
        level = _level(self._energy, first, last, len(piece)) * max(np.linalg.norm(piece), 1e-9)
        views = [phase[first : last - 1 + len(piece)] for phase in self._phases]
        scores = np.maximum(*(np.correlate(view, piece, "valid") for view in views)) / level
        top = int(np.argmax(scores))
        return max(0.0, float(scores[top])), first + top


def _energy(sound: np.ndarray) -> np.ndarray:
    """The sum of all squares before each sample."""
    return np.concatenate(([0.0], np.cumsum(sound.astype(float) ** 2)))


def _level(energy: np.ndarray, first: int, last: int, size: int) -> np.ndarray:
    """How loud each window of that size is; the quiet ones are made loud enough to score nothing."""
    within = energy[first + size : last + size] - energy[first:last]
    return np.where(within > size * QUIET**2, np.sqrt(np.maximum(within, 0)), np.inf)


def _coarsely(sound: np.ndarray) -> np.ndarray:
    """The sound at the rate at which anchors are looked for."""
    return soxr.resample(sound, RATE, RATE // _COARSE).astype(np.float32)


def _anchors(voice: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """The loudest part of each half of the clip, with its place in it."""
    energy = _energy(voice)
    half = len(voice) // 2
    size = min(_ANCHOR, half)
    for begin in (0, half) if size else ():
        within = energy[begin : begin + half + 1]
        place = begin + int(np.argmax(within[size:] - within[:-size]))
        yield place, voice[place : place + size]


def _places(ears: _Ears, voice: _Voice, enough: float = 0.0) -> Iterator[tuple[float, float, float]]:
    """Start, end and score of every place where the clip may have been played."""
    tried: list[int] = []
    half = len(voice.samples) // 2
    for anchor in voice.anchors:
        if len(anchor.sound) > ears.length:
            continue
        taken: list[int] = []
        likeliest_first = sorted(ears.places(anchor).items(), key=lambda found: -found[1])
        for top, _score in likeliest_first:
            if any(-len(voice.samples) // 2 <= top - other < max(half, 1) for other in taken):
                continue
            taken.append(top)
            shift = top - anchor.place
            if all(abs(shift - other) > _SLACK for other in tried):
                tried.append(shift)
                yield _follow(ears, voice, shift, anchor.place, enough)


def _pieces(voice: np.ndarray) -> list[tuple[int, int]]:
    """Return the bounds of the clip's short pieces: a pause inside a clip says nothing."""
    edges = np.linspace(0, len(voice), max(1, round(len(voice) / _PIECE)) + 1).astype(int).tolist()
    loud = [float(np.sqrt(np.mean(voice[a:b] ** 2))) for a, b in pairwise(edges)]
    return [
        piece for piece, how_loud in zip(pairwise(edges), loud, strict=True) if how_loud > 0.05 * max(loud)
    ]


def _follow(ears: _Ears, voice: _Voice, shift: int, anchor: int, enough: float) -> tuple[float, float, float]:
    """Follow the clip piece by piece from its anchor to both ends, while the score can be enough."""
    missing, ends, pieces = 0.0, [], voice.pieces
    after, before = ([p for p in pieces if p[0] >= anchor], [p for p in pieces if p[0] < anchor][::-1])
    for way in (after, before):
        moved = shift
        for begin, end in way:
            score, place = ears.nearby(voice.samples[begin:end], begin + moved)
            if score >= _CANDIDATE:
                moved = place - begin
            missing += 1 - score
            if missing > (1 - enough) * len(pieces):
                return 0.0, 0.0, 0.0
        ends.append(moved)
    start, end = float(ends[1] / RATE), float((len(voice.samples) + ends[0]) / RATE)
    return start, end, 1 - missing / len(pieces)


def _best(found: list[Match]) -> list[Match]:
    """The matches that do not overlap and together explain most of the sound."""
    found = sorted(found, key=lambda match: match.end)
    best: list[tuple[float, list[Match]]] = [(0.0, [])]
    for i, match in enumerate(found):
        before = sum(other.end <= match.start + 0.05 for other in found[:i])
        value, chosen = best[before]
        with_it = value + (match.end - match.start) * match.score**2
        best.append(max(best[i], (with_it, [*chosen, match]), key=lambda option: option[0]))
    return best[-1][1]
