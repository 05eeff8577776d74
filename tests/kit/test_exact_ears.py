"""The exact ears know what was sent, how much of it, and when they are not for a line."""

import numpy as np
import pytest

from tests.kit.exact_ears import ExactEars
from tests.kit.sound import RATE, Recording

ENOUGH_S = 0.5
QUIET = np.zeros(400)
LENGTHS_S = {"greeting": 2.0, "registered.1": 1.0, "digit-7": 0.3}


@pytest.fixture
def clips() -> dict[str, np.ndarray]:
    """Noise that is as long as the words, with quiet around it."""
    random = np.random.default_rng(137)
    noises = {n: random.uniform(0.1, 0.9, int(s * RATE) - 800 + 7) for n, s in LENGTHS_S.items()}
    clips = {name: np.concatenate([QUIET, _whole(noise), QUIET]) for name, noise in noises.items()}
    return clips | {"same": clips["digit-7"], "pause": np.zeros(1000)}


@pytest.fixture
def ears(clips: dict[str, np.ndarray]) -> ExactEars:
    """They know these."""
    return ExactEars({name: Recording(clip, RATE) for name, clip in clips.items()}, ENOUGH_S)


def _whole(samples: np.ndarray) -> np.ndarray:
    return np.asarray(np.round(samples * 32768) / 32768)


def _line(*sounds: np.ndarray) -> Recording:
    return Recording(np.concatenate(sounds), RATE)


def test_successive_clips_are_recognised_with_their_times(
    ears: ExactEars, clips: dict[str, np.ndarray]
) -> None:
    line = _line(QUIET, clips["greeting"], clips["pause"], clips["registered.1"], clips["digit-7"])
    known = ears.hear(line, likely={"digit-7"})
    assert [part.clip for part in known.parts] == ["greeting", "registered.1", "digit-7"]
    assert known.all
    assert known.parts[0].start == pytest.approx(0.1)
    assert known.parts[1].start == pytest.approx(0.1 + (len(clips["greeting"]) + 1000) / RATE)


def test_identical_clips_resolve_to_the_likely_one(ears: ExactEars, clips: dict[str, np.ndarray]) -> None:
    assert ears.hear(_line(clips["same"]), likely={"same"}).parts[0].clip == "same"
    assert ears.hear(_line(clips["same"]), likely={"digit-7"}).parts[0].clip == "digit-7"


@pytest.mark.parametrize(("seconds", "is_known"), [(0.6, True), (0.4, False)])
def test_cut_clip_counts_once_its_beginning_was_heard(
    ears: ExactEars, clips: dict[str, np.ndarray], seconds: float, is_known: bool
) -> None:
    cut = clips["greeting"][: 400 + int(seconds * RATE)]
    known = ears.hear(_line(cut, clips["registered.1"]))
    assert [part.clip for part in known.parts] == ["greeting"] * is_known + ["registered.1"]
    assert known.all


def test_clips_recognised_before_the_given_time_are_left_out(
    ears: ExactEars, clips: dict[str, np.ndarray]
) -> None:
    line = _line(clips["greeting"], clips["registered.1"])
    greeting, registered = ears.hear(line).parts
    assert ears.hear(line, since=greeting.start + ENOUGH_S).parts == [registered]
    late = registered.start + 0.1  # by ears that were not sure when the one before it ended
    assert ears.hear(line, since=late).parts == [registered]


def test_unknown_sound_is_reported_as_unrecognised(ears: ExactEars, clips: dict[str, np.ndarray]) -> None:
    tone = 0.3 * np.sin(2 * np.pi * 440 * np.arange(RATE) / RATE)
    assert not ears.hear(_line(clips["greeting"], tone)).all
    assert ears.hear(_line(tone, QUIET, clips["greeting"]), since=1.0).all
    quieter = _whole(clips["registered.1"] * 0.5)
    assert ears.hear(_line(quieter)) == ([], False), "another codec, a mixed room"
    assert not ears.hear(Recording(clips["greeting"], 16_000)).all, "another rate"
