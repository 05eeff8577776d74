"""The ear: it knows which clips and tones crossed a telephone line, and hears none that did not."""

import io
from itertools import pairwise

import numpy as np
import pytest
import soundfile
import soxr

from tests.kit import sound
from tests.kit.sound import THRESHOLD, Recording, best_score, heard, tone_level


def coded(samples, law="ALAW"):
    """The samples after the telephone's coding."""
    raw = io.BytesIO()
    soundfile.write(raw, samples, 8000, format="RAW", subtype=law)
    raw.seek(0)
    options = {"samplerate": 8000, "channels": 1, "format": "RAW", "subtype": law, "dtype": "float32"}
    return soundfile.read(raw, **options)[0]


def spoken(clips, names, pauses):
    """The clips one after another with pauses between them (in samples), as a caller hears them."""
    parts = [np.zeros(1600)]
    for name, pause in zip(names, pauses, strict=True):
        parts += [sound.load(clips[name]).samples, np.zeros(pause)]
    return coded(np.concatenate([*parts, np.zeros(1600)]))


def clean(samples, random):
    return samples


def quiet_mu_law(samples, random):
    return coded(samples * 0.2, "ULAW")


def lost_packets(samples, random):
    """One packet in two hundred is missing: the sound after it comes earlier."""
    frames = [samples[at : at + 160] for at in range(0, len(samples), 160)]
    return np.concatenate([frame for frame in frames if random.random() > 0.005])


def late_packets(samples, random):
    """One packet in two hundred is replaced by silence, and as many come twice."""
    frames = []
    for at in range(0, len(samples), 160):
        frame, chance = samples[at : at + 160], random.random()
        frames += [frame * 0] if chance < 0.005 else [frame, frame] if chance < 0.01 else [frame]
    return np.concatenate(frames)


def other_clock(samples, random):
    """The player's clock runs 100 ppm slow."""
    return soxr.resample(samples, 10_000, 10_001)


@pytest.mark.parametrize("way", [clean, quiet_mu_law, lost_packets, late_packets, other_clock])
def test_clips_in_any_order_are_recognised_across_the_line(clips, way):
    random = np.random.default_rng(137)
    for _ in range(3):
        names = [str(name) for name in random.choice(list(clips), 10)]
        line = way(spoken(clips, names, random.integers(0, 800, 10)), random)
        matches = heard(Recording(line, 8000), clips)
        assert [match.clip for match in matches] == names
        assert all(a.start < b.start for a, b in pairwise(matches))


def test_recognition_scores_lie_far_from_the_threshold(clips):
    right, wrong = [], []
    for played in clips:
        line = Recording(spoken(clips, [played], [0]), 8000)
        for name, path in clips.items():
            (right if name == played else wrong).append(best_score(line, path))
    assert min(right) > 0.99
    assert max(wrong) < THRESHOLD - 0.05  # «هفت» and «هشت» are the closest: 0.78
    assert np.quantile(wrong, 0.95) < 0.6


def test_noise_or_silence_matches_no_clip(clips):
    noise = np.random.default_rng(137).normal(0, 0.1, 40_000)
    for samples in (noise, np.zeros(40_000), np.zeros(0), np.zeros(100)):
        assert heard(Recording(samples, 8000), clips) == []
        assert tone_level(Recording(samples, 8000), 440) < 0.1


def test_levels_of_two_mixed_tones_are_measured(tone):
    both = sound.load(tone(440)).samples + 0.5 * sound.load(tone(1000)).samples
    recording = Recording(coded(both), 8000)
    assert tone_level(recording, 440) == pytest.approx(0.8, abs=0.02)
    assert tone_level(recording, 1000) == pytest.approx(0.2, abs=0.02)
    assert tone_level(recording, 700) < 0.001


def test_match_of_a_clip_that_goes_on_ends_with_the_recording(clips):
    name, path = next(iter(clips.items()))
    clip = coded(sound.load(path).samples)
    for samples in range(len(clip) // 2, len(clip), 160):
        so_far = Recording(clip[:samples], 8000)
        if matches := heard(so_far, {name: path}):
            break
    assert [match.end for match in matches] == [so_far.seconds]
