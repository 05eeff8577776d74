"""Checks of studio recordings, take by take: faults that a listener would reject, and missing takes."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from prompts import script
from prompts.sources import Clip, Studio
from settings.city_file import City

_LEAST_RATE = 16_000
_QUIETEST, _LOUDEST = -35.0, -14.0
"""LUFS of a raw take; outside this range the microphone's level was wrong."""
_NOISE = -50.0
"""dBFS of the room between and around the words, at most."""
_LONGEST_GAP = 1.0
"""Seconds of silence within a take; a longer one is a mistake."""
_PACE = (0.5, 2.2)
"""A take's length, relative to its text at 13 letters a second."""
_LETTERS_A_SECOND = 13
_FRAME = 0.02  # seconds
_CLIPPED = 0.999


class Checked(NamedTuple):
    """A recording of the script; `problems` is empty if the take is good, None if it is missing."""

    clip: str
    problems: list[str] | None


def check(recordings: Path, language: str, city: City, *, everybody: bool = False) -> Iterator[Checked]:
    """Yield every recording that the script asks for, in its order; `everybody` as in `script.list_lines`.

    Raises PromptError like that.
    """
    studio = Studio(recordings)
    for found in script.list_lines(language, city, everybody=everybody).values():
        for line in found:
            clip = Clip(language, line.clip, line.text)
            yield Checked(line.clip, list(_problems(studio.sound(clip), line)) if studio.has(clip) else None)


def _problems(wav: bytes, line: script.Line) -> Iterator[str]:
    # numpy is slow to import, and most importers of this module do not need it
    import numpy as np  # noqa: PLC0415

    from prompts import sound  # noqa: PLC0415

    try:
        samples, rate = sound.read(wav)
        loudness = sound.measure_loudness(samples, rate)
    except ValueError as error:
        yield str(error)
        return
    if rate < _LEAST_RATE:
        yield f"recorded at {rate} Hz; at least {_LEAST_RATE} is needed"
    if sound.find_peak(samples) >= _CLIPPED:
        yield "clipped: farther from the microphone, or less gain"
    if loudness < _QUIETEST:
        yield f"too quiet, {loudness:.0f} LUFS"
    if loudness > _LOUDEST:
        yield f"too loud, {loudness:.0f} LUFS"
    size = round(_FRAME * rate)
    frames = samples[: samples.size // size * size].reshape(-1, size)
    levels = 20 * np.log10(np.sqrt(np.mean(np.square(frames), axis=1)) + 1e-9)
    if (noise := float(np.percentile(levels, 5))) > _NOISE and levels.max() - noise < 30:
        yield f"noise in the room, {noise:.0f} dBFS between the words"
    spoken = np.flatnonzero(levels > levels.max() - 35)
    if spoken.size > 1 and np.diff(spoken).max() * _FRAME > _LONGEST_GAP:
        yield f"{np.diff(spoken).max() * _FRAME:.1f} s of silence within"
    seconds, expected = (spoken[-1] - spoken[0] + 1) * _FRAME, _expected(line.text)
    if not _PACE[0] < seconds / expected < _PACE[1]:
        yield f"{seconds:.1f} s long, about {expected:.1f} s are expected: is it the right text, whole?"


def _expected(text: str) -> float:
    return max(0.35, len(text) / _LETTERS_A_SECOND)
