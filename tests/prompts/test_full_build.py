"""All prompts, built once and heard: their loudness, pace and length, where they meet, and their codecs."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

import settings as settings_module
from prompts import catalogue, render, sound, sources
from prompts.check import check
from prompts.lengths import estimate_longest, list_lengths
from settings import Settings, city_file
from tests.kit.process import in_time
from tests.kit.system import give_new_prompts
from tests.prompts.clips import CEILING, wav

ISFAHAN = city_file.read(city_file.SAMPLE)

pytestmark = [pytest.mark.usefixtures("own_environment"), pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, no_recordings: Path) -> Settings:
    """Settings whose prompts are all built with the synthetic voice alone. Not to be changed.

    If this run has built them for its running systems, they are those.
    """
    settings = settings_module.load(_env_file=None, state_dir=tmp_path_factory.mktemp("built"))
    if any(render.RECORDINGS.rglob("*.wav")) or not give_new_prompts(settings):
        render.build(settings, recordings=no_recordings)
    return settings


def spoken_clips() -> Iterator[tuple[str, str]]:
    for language in catalogue.list_languages():
        for clip in catalogue.list_texts(language, ISFAHAN):
            yield language, clip


def test_full_build_passes_the_check(built: Settings, no_recordings: Path) -> None:
    assert check(built, recordings=no_recordings) == []


def test_each_clip_is_audible_and_below_the_ceiling(
    built: Settings,
) -> None:
    for language, clip in spoken_clips():
        samples = wav(built, f"{language}/{clip}")
        assert 0.15 < samples.size / 8000 < 20, clip
        assert 0.1 < np.abs(samples).max() <= CEILING + 1e-3, clip


@pytest.mark.parametrize("language", catalogue.list_languages())
def test_each_clip_has_the_same_loudness(built: Settings, language: str) -> None:
    import pyloudnorm  # here: every process of the tests would have the whole of SciPy

    meter = pyloudnorm.Meter(8000)
    for clip in catalogue.list_texts(language, ISFAHAN):
        samples = wav(built, f"{language}/{clip}")
        loud = np.flatnonzero(np.abs(samples) > 0.02 * np.abs(samples).max())
        heard = samples[loud[0] : loud[-1] + 1]
        again = np.tile(heard, -(-8000 // heard.size))  # as in a row of digits
        assert meter.integrated_loudness(again) == pytest.approx(sound.LOUDNESS, abs=1.5), clip
        if samples.size >= 3200:  # the least that is measured; a short word before a pause is heard as low
            assert meter.integrated_loudness(samples) > sound.LOUDNESS - 2, clip


def test_sharp_peak_is_limited_without_a_click() -> None:
    rate = 8000
    hum = 0.05 * np.sin(2 * np.pi * 300 * np.arange(rate) / rate)
    hum[rate // 2 : rate // 2 + 200] *= 18  # a cough of 25 ms
    loud = sound.level_samples(hum.astype(np.float32), rate)
    assert sound.measure_loudness(loud, rate) == pytest.approx(sound.LOUDNESS, abs=1)
    assert sound.find_peak(loud) <= CEILING + 1e-6
    turned = loud / np.where(np.abs(hum) < 1e-3, np.nan, hum)
    assert np.nanmax(np.abs(np.diff(turned))) < 0.1 * np.nanmax(turned), "a step would click"


@pytest.mark.parametrize("language", catalogue.list_languages())
def test_clips_within_a_sentence_meet_without_a_gap(built: Settings, language: str) -> None:
    for clip in (c for c in catalogue.list_texts(language, ISFAHAN) if not c.endswith("-slow")):
        if not sources.Clip(language, clip, catalogue.list_texts(language, ISFAHAN)[clip]).is_sentence:
            samples = wav(built, f"{language}/{clip}")
            loud = np.flatnonzero(np.abs(samples) > 0.01 * np.abs(samples).max())
            gap = loud[0] + samples.size - loud[-1]  # beside another one like it
            assert gap / 8000 < 0.2, clip


PACE = {False: (140, 150), True: (115, 125)}
"""Words a minute of the prompts of a sentence or more; of the slow ones."""


@pytest.mark.parametrize("language", catalogue.list_languages())
@pytest.mark.parametrize("slow", [False, True], ids=["usual", "slow"])
def test_speaking_pace_stays_within_its_limits(built: Settings, language: str, slow: bool) -> None:
    texts = catalogue.list_texts(language, ISFAHAN)
    prompts = [p for p in catalogue.list_prompts(language) & texts.keys() if p.endswith("-slow") is slow]
    words = {p: len(texts[p].split()) for p in prompts}
    paces = []
    for prompt in (p for p in prompts if words[p] >= 6):
        loud = np.flatnonzero(np.abs(wav(built, f"{language}/{prompt}")) > 0.02)
        paces.append(words[prompt] * 60 * 8000 / (loud[-1] - loud[0]))
    slowest, fastest = PACE[slow]
    assert slowest <= np.median(paces) <= fastest


@pytest.mark.parametrize("codec", ["alaw", "ulaw"])
def test_codec_files_sound_like_the_wav_file(built: Settings, codec: str) -> None:
    path = built.prompts_dir / "fa" / f"greeting.{codec}"
    decoded, _ = soundfile.read(
        path, format="RAW", subtype=codec.upper(), samplerate=8000, channels=1, endian="LITTLE"
    )
    original = wav(built, "fa/greeting")
    assert path.stat().st_size == original.size
    noise = decoded - original
    assert 10 * np.log10(np.sum(original**2) / np.sum(noise**2)) > 30


def test_looped_hold_music_has_no_seam(
    built: Settings,
) -> None:
    music = wav(built, "moh/hold")
    assert music.size == 30 * 8000
    seam = abs(music[0] - music[-1])
    assert seam <= np.abs(np.diff(music)).max()
    seconds = np.sqrt(np.mean(music.reshape(30, 8000) ** 2, axis=1))
    assert seconds.min() > 0.5 * seconds.max()


def test_pause_is_a_quarter_second_of_silence(
    built: Settings,
) -> None:
    assert wav(built, "fa/pause").tolist() == [0.0] * 2000


def test_build_without_changes_does_nothing_at_once(built: Settings, no_recordings: Path) -> None:
    report = render.build(built, recordings=no_recordings)
    assert (report.rendered, report.written, report.notes) == ((), (), ())
    assert in_time(report.seconds, 0.5)


@pytest.mark.parametrize("language", ["fa", "en"])
def test_no_prompt_exceeds_its_maximum_length(built: Settings, language: str) -> None:
    took = {length.prompt: length.seconds for length in list_lengths(built, language)}
    assert took.keys() == catalogue.list_prompts(language)
    assert {prompt: s for prompt, s in took.items() if s > estimate_longest(language, prompt)} == {}


# The signal path


def test_trimmed_clip_keeps_30_ms_and_a_sentence_its_pause() -> None:
    tone = np.sin(2 * np.pi * 500 * np.arange(16_000) / 16_000).astype(np.float32)
    padded = np.pad(tone, 8_000)
    joined = sound.trim(padded, 16_000, sentence=False)
    sentence = sound.trim(padded, 16_000, sentence=True)
    assert joined.size / 16_000 == pytest.approx(1.06, abs=0.01)
    assert sentence.size / 16_000 == pytest.approx(1.28, abs=0.01)
