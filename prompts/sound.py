"""The signal path of a clip: telephone sound, one loudness, and the files Asterisk plays.

Samples are float32 arrays of shape (n,), full scale ±1, mono.
"""

import math
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import BinaryIO

import G722
import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from prompts.loudness import measure

Samples = NDArray[np.float32]

RATE = 8_000
"""Samples a second in the telephone network."""
WIDE_RATE = 16_000
"""Samples a second of G.722, the wideband codec. Clips keep this rate until they are encoded."""
LOUDNESS = -21.0
"""LUFS of each clip."""
CEILING = -3.0
"""dBFS that no sample exceeds: the coders and the networks after us need the headroom."""

_AROUND = 0.03  # seconds of quiet kept on both sides of the sound
_AFTER_SENTENCE = 0.25  # seconds of quiet after a sentence, so that the next one stands apart
_FADE = 0.005  # seconds; a cut in a recording's room noise would click
_QUIET = 0.01  # of the peak: −40 dB
_SOFTLY = 0.005  # seconds
_LEVELLINGS = 3


def read(wav: bytes) -> tuple[Samples, int]:
    """Read a sound file, mixed to mono: its samples at its own rate in Hz.

    Raises ValueError if it is not a sound file.
    """
    try:
        with _in_memory(wav) as file:
            samples, rate = soundfile.read(file.fileno(), dtype="float32", always_2d=True, closefd=False)
    except soundfile.LibsndfileError as error:
        raise ValueError(f"not a sound file: {error.error_string}") from None
    return samples.mean(axis=1), rate


def trim(samples: Samples, rate: int, *, sentence: bool) -> Samples:
    """Resample to 16 kHz and trim the quiet at both ends to 30 ms; 250 ms follow a sentence.

    Peaks that resampling raises above full scale bring the clip down as a whole.
    Raises ValueError if the rate is below 8 kHz or nothing can be heard.
    """
    if rate < RATE:
        raise ValueError(f"sampled at {rate} Hz; at least {RATE} is needed")
    wide = resample(samples, rate, WIDE_RATE)
    heard = _heard(wide)
    around = round(_AROUND * WIDE_RATE)
    first, last = max(0, heard.start - around), heard.stop - 1 + around
    cut = wide[first:last] / max(1.0, find_peak(wide))
    fade = np.linspace(0, 1, round(_FADE * WIDE_RATE), dtype=np.float32)
    cut[: fade.size] *= fade[: cut.size]
    cut[-fade.size :] *= fade[::-1][-cut.size :]
    after = round((_AFTER_SENTENCE if sentence else _AROUND) * WIDE_RATE)
    return np.pad(cut, (0, max(0, heard.stop - 1 - first + after - cut.size)))


def resample(samples: Samples, rate: int, wanted: int) -> Samples:
    """Return the samples at another rate in Hz."""
    if rate == wanted:
        return samples
    return np.asarray(soxr.resample(samples, rate, wanted), dtype=np.float32)


def find_peak(samples: Samples) -> float:
    """Return the largest magnitude, full scale being 1; 0 for no samples."""
    return float(np.abs(samples).max(initial=0))


def measure_loudness(samples: Samples, rate: int) -> float:
    """Return the loudness in LUFS; a clip too short to be measured is taken as if said again and again."""
    said = samples[_heard(samples)]
    again = math.ceil(rate / said.size)  # a measurement needs 400 ms
    return measure(np.tile(said, again), rate)


def _heard(samples: Samples) -> slice:
    """Return where a clip begins and ends to the ear. Raises ValueError if nothing can be heard."""
    loud = np.flatnonzero(np.abs(samples) > max(_QUIET * find_peak(samples), 1e-4))
    if not loud.size:
        raise ValueError("nothing can be heard")
    return slice(int(loud[0]), int(loud[-1]) + 1)


def level_samples(samples: Samples, rate: int) -> Samples:
    """Bring a clip to −21 LUFS, with no peak above −3 dBFS.

    Each clip is levelled by itself. So a number or a name inside a sentence is as loud as its neighbours.
    """
    out, ceiling = samples, 10 ** (CEILING / 20)
    for _ in range(_LEVELLINGS):  # the limiter lowers the loudness, so repeat
        out = out * np.float32(10 ** ((LOUDNESS - measure_loudness(out, rate)) / 20))
        if find_peak(out) <= ceiling:
            break
        out = _limited(out, ceiling, rate)
    return out


def _limited(samples: Samples, ceiling: float, rate: int) -> Samples:
    """Turn down the moments above the ceiling, softly from 5 ms before to 5 ms after each."""
    reach = round(_SOFTLY * rate)
    wanted = np.pad(np.minimum(1.0, ceiling / np.maximum(np.abs(samples), 1e-9)), 2 * reach, mode="edge")
    least = _least_of(wanted, 2 * reach + 1)
    hann = np.hanning(2 * reach + 3)[1:-1]
    return np.asarray(samples * np.convolve(least, hann / hann.sum(), mode="valid"), dtype=np.float32)


def _least_of(values: Samples, window: int) -> Samples:
    """Return the least of each `window` consecutive values, from the least of shorter overlapping windows."""
    least, size = values, 1
    while size < window:
        step = min(size, window - size)
        least, size = np.minimum(least[:-step], least[step:]), size + step
    return least


def encode(samples: Samples, rate: int, codecs: Iterable[str], *, level: bool) -> dict[str, bytes]:
    """Return a clip as files by codec: raw for trunks, WAV for browsers. `level`: at LOUDNESS."""

    def at(wanted: int) -> Samples:
        narrow = resample(samples, rate, wanted)
        return level_samples(narrow, wanted) if level else narrow

    narrow = at(RATE)
    files = {}
    for codec in codecs:
        if codec == "g722":
            files[codec] = _g722(at(WIDE_RATE))
        elif codec == "wav":
            files[codec] = encode_wav(narrow, RATE)
        else:
            files[codec] = _file(narrow, RATE, "RAW", codec.upper())
    return files


def join(clips: Iterable[Samples]) -> Samples:
    """Return clips of one rate, joined."""
    return np.concatenate(list(clips))


def encode_wav(samples: Samples, rate: int) -> bytes:
    """Return the samples as a WAV file of 16 bits."""
    return _file(samples, rate, "WAV", "PCM_16")


def _file(samples: Samples, rate: int, container: str, subtype: str) -> bytes:
    with _in_memory() as file:
        soundfile.write(file.fileno(), samples, rate, format=container, subtype=subtype, closefd=False)
        file.seek(0)
        return file.read()


@contextmanager
def _in_memory(content: bytes = b"") -> Iterator[BinaryIO]:
    """Yield a file in memory that libsndfile reads and writes itself.

    A file object of Python would need callbacks, and these need writable and executable memory, which no
    service has (ops/deb/units).
    """
    with os.fdopen(os.memfd_create("sound"), "w+b") as file:
        file.write(content)
        file.seek(0)
        yield file


def _g722(samples: Samples) -> bytes:
    bits_a_second = 64_000
    whole = np.asarray(np.rint(samples * 32767), dtype=np.int16)
    whole = np.pad(whole, (0, whole.size % 2))  # a byte holds two samples
    encoded: bytes = G722.G722(WIDE_RATE, bits_a_second).encode(whole)
    return encoded
