"""Sounds other than speech: a pause, a beep, two chimes, and music on hold.

Asterisk's package brings no music, so a soft arpeggio is synthesised: thirty seconds that loop without a
seam. Every note, or its overtones, lies inside the telephone's band (300–3400 Hz).
"""

from collections.abc import Callable

import numpy as np

from prompts.sound import RATE, Samples

_EIGHTH = 15 / 32  # seconds: 64 beats a minute; eight bars of eight eighths are thirty seconds
_BARS = (  # the notes of each bar's chord as MIDI numbers, low to high; 60 is middle C
    (60, 64, 67, 71, 76),  # C
    (59, 62, 67, 71, 74),  # G
    (57, 64, 67, 72, 76),  # A minor
    (55, 64, 67, 71, 74),  # E minor
    (57, 65, 69, 72, 76),  # F
    (55, 64, 67, 72, 76),  # C
    (57, 62, 65, 69, 77),  # D minor
    (59, 62, 65, 67, 74),  # G seventh
)
_ORDER = (0, 1, 2, 3, 4, 3, 2, 1)  # up and down through the chord
_OVERTONES = ((1, 1.0), (2, 0.4), (3, 0.12), (4, 0.05))  # multiple, strength
_RING = 2.4  # seconds that a note rings
_ECHO = (3 * _EIGHTH, 0.22)  # seconds later, strength
_CHIME_PEAK = 0.12  # softer than the person who speaks meanwhile
_HOLD_PEAK = 0.25  # of full scale: about −25 LUFS, a little quieter than speech


def make_pause() -> Samples:
    """Return 250 ms of silence."""
    return np.zeros(RATE // 4, dtype=np.float32)


def make_beep() -> Samples:
    """Return 200 ms of 1 kHz at −12 dBFS, with soft edges."""
    time = np.arange(RATE // 5) / RATE
    edges = np.minimum(1, np.minimum(time, time[::-1]) / 0.01)
    return np.asarray(0.25 * edges * np.sin(2 * np.pi * 1000 * time), dtype=np.float32)


def make_nearly_over() -> Samples:
    """Return two soft, falling notes: the agreed minutes are nearly over."""
    return _chime(76, 72, step=round(0.4 * RATE))


def make_live_call() -> Samples:
    """Return two soft, rising notes: a caller who waited on the line is connected."""
    return _chime(72, 79, step=round(0.2 * RATE))


def _chime(first: int, second: int, step: int) -> Samples:
    lead = round(0.2 * RATE)  # the listener is only just being connected
    notes = [_note(first, accent=0.75), _note(second, accent=1.0)]
    chime = np.zeros(lead + step + notes[1].size)
    for place, note in enumerate(notes):
        start = lead + place * step
        chime[start : start + note.size] += note[: chime.size - start]
    return np.asarray(_CHIME_PEAK * chime / np.abs(chime).max(), dtype=np.float32)


def make_hold() -> Samples:
    """Return thirty seconds of gentle music whose end runs into its beginning."""
    step = round(_EIGHTH * RATE)
    music = np.zeros(step * len(_ORDER) * len(_BARS))
    for bar, chord in enumerate(_BARS):
        for place, degree in enumerate(_ORDER):
            start = (bar * len(_ORDER) + place) * step
            note = _note(chord[degree], accent=1.0 if place == 0 else 0.75)
            # a note that rings past the end continues at the beginning: the loop has no seam
            music[(start + np.arange(note.size)) % music.size] += note
    later, strength = _ECHO
    music += strength * np.roll(music, round(later * RATE))
    return np.asarray(_HOLD_PEAK * music / np.abs(music).max(), dtype=np.float32)


def _note(midi: int, *, accent: float) -> Samples:
    """Return one plucked note; its overtones die away before its fundamental."""
    time = np.arange(round(_RING * RATE)) / RATE
    pitch = 440 * 2 ** ((midi - 69) / 12)
    sound = sum(
        strength * np.exp(-time * (1.6 + 1.2 * multiple)) * np.sin(2 * np.pi * multiple * pitch * time)
        for multiple, strength in _OVERTONES
    )
    edges = np.minimum(1, np.minimum(time / 0.015, time[::-1] / 0.1))
    return np.asarray(accent * edges * sound, dtype=np.float32)


MAKERS: dict[str, Callable[[], Samples]] = {
    "pause": make_pause,
    "beep": make_beep,
    "nearly-over": make_nearly_over,
    "live-call": make_live_call,
    "hold": make_hold,
}
"""The maker of each sound, by clip id."""
