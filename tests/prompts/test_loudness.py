"""Loudness, against pyloudnorm, which has it from the same recommendation."""

import math

import numpy as np
import pytest

from prompts import loudness, sound


@pytest.mark.parametrize("rate", [8_000, 16_000, 48_000])
@pytest.mark.parametrize("seconds", [0.4, 0.93, 7.0])
@pytest.mark.parametrize("kind", ["noise", "hum", "treble", "pauses"])
def test_measured_loudness_matches_pyloudnorm(rate: int, seconds: float, kind: str) -> None:
    at = np.arange(round(rate * seconds)) / rate
    noise = np.random.default_rng(137).normal(0, 0.1, at.size)
    samples = {
        "noise": noise,
        "hum": 0.3 * np.sin(2 * np.pi * 50 * at) + 0.05,
        "treble": 0.02 * np.sin(2 * np.pi * 3_000 * at),
        "pauses": noise * (np.sin(2 * np.pi * 0.6 * at) > 0) + noise / 1_000,
    }[kind].astype(np.float32)

    import pyloudnorm  # here: every process of the tests would have the whole of SciPy

    expected = pyloudnorm.Meter(rate).integrated_loudness(samples)
    assert loudness.measure(samples, rate) == pytest.approx(expected, abs=0.02)


def test_silence_or_a_too_short_clip_has_no_loudness() -> None:
    assert loudness.measure(np.zeros(8_000, np.float32), 8_000) == -math.inf
    with pytest.raises(ValueError, match="too short"):
        loudness.measure(np.ones(3_199, np.float32), 8_000)


@pytest.mark.parametrize("window", [1, 2, 3, 81, 161])
def test_sliding_minimum_matches_numpy(window: int) -> None:
    values = np.random.default_rng(137).normal(size=500)
    windows = np.lib.stride_tricks.sliding_window_view(values, window)
    assert np.array_equal(sound._least_of(values, window), windows.min(axis=1))


def test_limited_peak_leaves_distant_samples_unchanged() -> None:
    samples = np.full(8_000, 0.1, np.float32)
    samples[4_000] = 1.0
    limited = sound._limited(samples, 0.5, 8_000)
    assert sound.find_peak(limited) == pytest.approx(0.5, abs=1e-6)
    assert limited[:3_800] == pytest.approx(samples[:3_800])
