"""The check of studio recordings: each slip of a recording day is named."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from prompts import catalogue, script, takes
from settings import city_file

CLIP = "goodbye"
RATE = 48_000

ISFAHAN = city_file.read(city_file.SAMPLE)


def voice(seconds: float, level: float = 0.2) -> NDArray[np.float64]:
    """Something like speech: syllables with a little quiet between them."""
    time = np.arange(round(seconds * RATE)) / RATE
    return level * np.sin(2 * np.pi * 220 * time) * (np.sin(2 * np.pi * 4 * time) > -0.8)


def expected() -> float:
    """About so long it takes to read the clip."""
    return len(catalogue.list_texts("fa")[CLIP]) / 13


def checked(folder: Path, samples: NDArray[np.float64], rate: int = RATE) -> list[str] | None:
    (folder / "fa").mkdir(exist_ok=True)
    soundfile.write(folder / "fa" / f"{CLIP}.wav", samples, rate)
    return next(take.problems for take in takes.check(folder, "fa", ISFAHAN) if take.clip == CLIP)


@pytest.mark.parametrize("language", catalogue.list_languages())
def test_script_of_what_everybody_hears_is_whole_sentences(language: str) -> None:
    found = script.list_lines(language, ISFAHAN, everybody=True)

    clips = {line.clip for lines in found.values() for line in lines}
    assert clips == script.EVERYBODY, "none is renamed or gone"
    assert clips <= catalogue.list_texts(language).keys(), "none waits for others: each is one clip"


def test_good_take_passes_and_the_others_are_missing(
    tmp_path: Path,
) -> None:
    assert checked(tmp_path, np.pad(voice(expected()), RATE // 2)) == []
    missing = [take.clip for take in takes.check(tmp_path, "fa", ISFAHAN) if take.problems is None]
    assert len(missing) == len(catalogue.list_texts("fa", ISFAHAN)) - 1


def noisy(samples: NDArray[np.float64]) -> NDArray[np.float64]:
    return samples + 0.02 * np.random.default_rng(1).standard_normal(samples.size)


def quiet(samples: NDArray[np.float64]) -> NDArray[np.float64]:
    return samples / 40


@pytest.mark.parametrize(
    ("take", "said"),
    [
        (lambda: quiet(voice(expected())), "too quiet"),
        (lambda: np.clip(voice(expected(), 3.0), -1, 1), "clipped"),
        (lambda: voice(expected(), 0.8), "too loud"),
        (lambda: noisy(voice(expected())), "noise"),
        (lambda: np.concatenate([half := voice(expected() / 2), np.zeros(2 * RATE), half]), "silence within"),
        (lambda: voice(expected() / 4), "is it the right text"),
        (lambda: voice(expected() * 3), "is it the right text"),
        (lambda: np.zeros(RATE), "nothing can be heard"),
    ],
    ids=["quiet", "clipped", "loud", "noise", "a-gap", "cut", "another-text", "nothing"],
)
def test_flawed_take_is_named(tmp_path: Path, take: object, said: str) -> None:
    problems = checked(tmp_path, take())  # type: ignore[operator]
    assert any(said in problem for problem in problems or []), problems


def test_take_of_telephone_quality_or_no_sound_is_named(tmp_path: Path) -> None:
    assert "recorded at 8000 Hz" in str(checked(tmp_path, voice(expected())[::6], 8000))
    (tmp_path / "fa" / f"{CLIP}.wav").write_text("not a sound")
    assert "not a sound file" in str([take.problems for take in takes.check(tmp_path, "fa", ISFAHAN)])
