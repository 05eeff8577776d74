"""Loudness as the ear hears it: integrated loudness by ITU-R BS.1770-4, for one channel.

Two dozen lines of numpy replace scipy, which every library for this needs and which would be our largest
dependency. `tests/prompts/test_loudness.py` compares the results with such a library.
"""

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Coefficients = tuple[tuple[float, float, float], tuple[float, float, float]]

_BLOCK, _STEP = 0.4, 0.1  # seconds
_SILENT, _BELOW = -70.0, -10.0
"""In dB: blocks below the first are ignored, then blocks this far below the mean of the others."""
_OFFSET = -0.691
_RINGS_OUT = 0.5  # seconds


def measure(samples: NDArray[np.float32], rate: int) -> float:
    """Return the loudness in LUFS; −inf for silence. Raises ValueError for less than 400 ms."""
    if samples.size < _BLOCK * rate:
        raise ValueError("too short to be measured")
    squares = np.concatenate([[0.0], np.cumsum(np.square(_weighted(samples, rate)))])
    starts = np.arange(round((samples.size / rate - _BLOCK) / _STEP) + 1) * _STEP
    first = (starts * rate).astype(int)
    last = np.minimum(((starts + _BLOCK) * rate).astype(int), samples.size)
    power = (squares[last] - squares[first]) / (_BLOCK * rate)
    power = power[_lufs(power) >= _SILENT]
    if not power.size:
        return -math.inf
    power = power[_lufs(power) > _lufs(power.mean()) + _BELOW]
    return float(_lufs(power.mean()))


def _lufs(power: NDArray[np.float64]) -> NDArray[np.float64]:
    return _OFFSET + 10 * np.log10(np.maximum(power, 1e-30))


def _weighted(samples: NDArray[np.float32], rate: int) -> NDArray[np.float64]:
    """Filter the samples as the ear does: a treble shelf for the head, and a high-pass without the lowest
    bass.
    """
    # other sizes take twenty times as long
    size = 1 << (samples.size + round(_RINGS_OUT * rate)).bit_length()
    heard = np.fft.irfft(np.fft.rfft(samples.astype(np.float64), size) * _response(size, rate), size)
    return heard[: samples.size]


@lru_cache(maxsize=8)
def _response(size: int, rate: int) -> NDArray[np.complex128]:
    turn = np.exp(-2j * np.pi * np.fft.rfftfreq(size))
    filters = _shelf(rate), _high_pass(rate)
    parts = [np.polyval(over[::-1], turn) / np.polyval(under[::-1], turn) for over, under in filters]
    return np.asarray(parts[0] * parts[1])


def _shelf(rate: int, gain: float = 4.0, q: float = 2**-0.5, corner: float = 1500.0) -> Coefficients:
    a, w = 10 ** (gain / 40), 2 * math.pi * corner / rate
    alpha, cos = math.sin(w) / (2 * q), math.cos(w)
    root = 2 * math.sqrt(a) * alpha
    return (
        (
            a * (a + 1 + (a - 1) * cos + root),
            -2 * a * (a - 1 + (a + 1) * cos),
            a * (a + 1 + (a - 1) * cos - root),
        ),
        (a + 1 - (a - 1) * cos + root, 2 * (a - 1 - (a + 1) * cos), a + 1 - (a - 1) * cos - root),
    )


def _high_pass(rate: int, q: float = 0.5, corner: float = 38.0) -> Coefficients:
    w = 2 * math.pi * corner / rate
    alpha, cos = math.sin(w) / (2 * q), math.cos(w)
    return ((1 + cos) / 2, -(1 + cos), (1 + cos) / 2), (1 + alpha, -2 * cos, 1 - alpha)
