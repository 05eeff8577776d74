"""The rendered clips: what a build makes, what it leaves alone, and what the check finds."""

import shutil
import threading
from pathlib import Path

import G722
import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

import settings as settings_module
from prompts import catalogue, render, sound, sources
from prompts.check import check
from settings import Settings, city_file
from tests.kit.cities import GOLRUD
from tests.kit.trunk_file import make_trunk
from tests.prompts.clips import CEILING, only_few, record, wav, with_text

pytestmark = pytest.mark.usefixtures("own_environment")


@pytest.fixture(scope="module")
def few_built(tmp_path_factory: pytest.TempPathFactory, no_recordings: Path) -> Settings:
    """Settings with a few Persian prompts built. Not to be changed."""
    settings = settings_module.load(
        _env_file=None, state_dir=tmp_path_factory.mktemp("few"), trunks=make_trunk(codecs=("alaw", "ulaw"))
    )
    with pytest.MonkeyPatch.context() as monkeypatch:
        only_few(monkeypatch)
        render.build(settings, recordings=no_recordings)
    return settings


@pytest.fixture
def own(few_built: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A copy of the few built prompts that a test may change; there are no others."""
    only_few(monkeypatch)
    settings = settings_module.load(
        _env_file=None, state_dir=tmp_path / "state", trunks=make_trunk(codecs=("alaw", "ulaw"))
    )
    shutil.copytree(few_built.prompts_dir, settings.prompts_dir)
    return settings


@pytest.fixture
def recordings(tmp_path: Path) -> Path:
    """An empty folder for studio recordings."""
    return tmp_path / "recordings"


def test_prompt_after_a_mistake_is_rendered_slower(
    own: Settings, no_recordings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pairs = {"goodbye": "goodbye-slow", "ticket-again.1": "ticket-again-slow.1"}
    for clip, slow in pairs.items():
        with_text(monkeypatch, slow, catalogue.list_texts("fa")[clip])
    render.build(own, recordings=no_recordings)
    for clip, slow in pairs.items():
        assert 1.1 < wav(own, f"fa/{slow}").size / wav(own, f"fa/{clip}").size < 1.4


# What changes is made again, and nothing else


def test_changed_text_renders_its_clip_only(
    own: Settings, no_recordings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = (own.prompts_dir / "fa/goodbye.alaw").read_bytes()
    with_text(monkeypatch, "goodbye", "خدا نگهدارِ شما.")
    assert [line.split(",")[0] for line in check(own, recordings=no_recordings)] == ["fa/goodbye: stale"]
    steps: list[tuple[int, int]] = []
    report = render.build(
        own, recordings=no_recordings, progress=lambda done, total: steps.append((done, total))
    )
    assert report.rendered == ("fa/goodbye",)
    assert "fa/goodbye" in report.written
    assert steps == [(1, 1)]
    assert (own.prompts_dir / "fa/goodbye.alaw").read_bytes() != before
    assert check(own, recordings=no_recordings) == []


@pytest.mark.parametrize("content", [None, b""])
def test_lost_or_empty_file_is_rewritten_without_the_voice(
    own: Settings, no_recordings: Path, content: bytes | None
) -> None:
    path = own.prompts_dir / "fa/greeting.ulaw"
    before = path.read_bytes()
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    assert check(own, recordings=no_recordings) == ["fa/greeting: missing ulaw"]
    report = render.build(own, recordings=no_recordings)
    assert (report.rendered, report.written) == ((), ("fa/greeting",))
    assert path.read_bytes() == before


@pytest.mark.parametrize("content", ["{", "[]", '{"fa/greeting": {"key": "of an earlier version"}}'])
def test_unusable_manifest_rebuilds_from_kept_takes(own: Settings, no_recordings: Path, content: str) -> None:
    (own.prompts_dir / "manifest.json").write_text(content)
    report = render.build(own, recordings=no_recordings)
    assert (report.rendered, len(report.written)) == ((), report.clips)


def test_changed_trunk_codec_converts_the_kept_takes(own: Settings, no_recordings: Path) -> None:
    wideband = own.model_copy(update={"trunks": make_trunk(codecs=("g722", "alaw"))})
    assert "fa/greeting: missing g722" in check(wideband, recordings=no_recordings)
    report = render.build(wideband, recordings=no_recordings)
    assert (report.rendered, len(report.written)) == ((), report.clips)
    files = {path.name for path in (own.prompts_dir / "fa").glob("greeting.*")}
    assert files == {"greeting.alaw", "greeting.g722", "greeting.wav"}
    assert (own.prompts_dir / "moh/hold.g722").stat().st_size == 30 * 8000


def test_g722_file_sounds_like_the_wav_with_its_upper_band(own: Settings, no_recordings: Path) -> None:
    render.build(own.model_copy(update={"trunks": make_trunk(codecs=("g722",))}), recordings=no_recordings)
    coded = (own.prompts_dir / "fa/greeting.g722").read_bytes()
    wide = np.asarray(G722.G722(16_000, 64_000).decode(coded), dtype=np.float32) / 32768
    original = wav(own, "fa/greeting")
    narrow = sound.resample(wide, 16_000, 8000)
    assert narrow.size == pytest.approx(original.size, abs=2)
    # the coder's filters delay the sound by a millisecond or so
    alike = [np.corrcoef(narrow[delay : delay + 8000], original[:8000])[0, 1] for delay in range(40)]
    assert max(alike) > 0.98
    spectrum = np.abs(np.fft.rfft(wide)) ** 2
    assert spectrum[spectrum.size // 2 :].sum() > 1e-3 * spectrum.sum()


def test_clip_read_during_a_rebuild_is_whole(own: Settings, no_recordings: Path) -> None:
    path = own.prompts_dir / "fa/greeting.alaw"
    whole = path.read_bytes()
    over = threading.Event()
    torn: list[int] = []

    def play() -> None:
        while not over.is_set():
            if (heard := path.read_bytes()) != whole:
                torn.append(len(heard))

    player = threading.Thread(target=play)
    player.start()
    try:
        for _ in range(3):
            (own.prompts_dir / "manifest.json").unlink()
            render.build(own, recordings=no_recordings)
    finally:
        over.set()
        player.join()
    assert not torn


# Studio recordings


def test_studio_recording_replaces_the_voice_until_removed(own: Settings, recordings: Path) -> None:
    synthetic = (own.prompts_dir / "fa/goodbye.alaw").read_bytes()
    record(recordings, "goodbye", level=0.9)
    report = render.build(own, recordings=recordings)
    assert report.rendered == ("fa/goodbye",)
    recorded = wav(own, "fa/goodbye")
    assert recorded.size / 8000 == pytest.approx(1.28, abs=0.02)
    spectrum = np.abs(np.fft.rfft(recorded))
    assert np.argmax(spectrum) * 8000 / recorded.size == pytest.approx(500, abs=2)
    assert np.abs(recorded).max() <= CEILING + 1e-3
    assert check(own, recordings=recordings) == []

    (recordings / "fa/goodbye.wav").unlink()
    assert render.build(own, recordings=recordings).rendered == ("fa/goodbye",)
    assert (own.prompts_dir / "fa/goodbye.alaw").read_bytes() == synthetic


def test_incomplete_recorded_fragments_wait_for_the_rest(own: Settings, recordings: Path) -> None:
    record(recordings, "ticket-again.1")
    record(recordings, "digit-0")
    report = render.build(own, recordings=recordings)
    problem = (
        "fa: 2 of 3 fragments, numbers and offices are recorded; they are used once all are: digit-1 missing"
    )
    assert report.rendered == ()
    assert report.notes == (problem,)
    assert check(own, recordings=recordings) == [problem]

    record(recordings, "digit-1")
    report = render.build(own, recordings=recordings)
    assert sorted(report.rendered) == ["fa/digit-0", "fa/digit-1", "fa/ticket-again.1"]
    assert check(own, recordings=recordings) == []


@pytest.mark.parametrize(
    ("rate", "level", "message"),
    [(6_000, 0.5, "sampled at 6000 Hz"), (44_100, 0.0, "nothing can be heard")],
)
def test_unusable_recording_is_named(
    own: Settings, recordings: Path, rate: int, level: float, message: str
) -> None:
    record(recordings, "goodbye", rate=rate, level=level)
    with pytest.raises(sources.VoiceError, match=f"fa/goodbye from studio: {message}"):
        render.build(own, recordings=recordings)


def test_recording_that_is_no_sound_file_is_named(own: Settings, recordings: Path) -> None:
    (recordings / "fa").mkdir(parents=True)
    (recordings / "fa/goodbye.wav").write_text("later")
    with pytest.raises(sources.VoiceError, match="fa/goodbye from studio: not a sound file"):
        render.build(own, recordings=recordings)


# What the check finds


def test_check_names_each_damaged_clip(own: Settings, no_recordings: Path) -> None:
    def put(clip: str, samples: NDArray[np.float64]) -> None:
        soundfile.write(own.prompts_dir / "fa" / f"{clip}.wav", samples, 8000)

    put("greeting", np.ones(8000))
    put("goodbye", np.zeros(8000))
    put("apology", np.full(21 * 8000, 0.5))
    (own.prompts_dir / "fa" / "lines-full.wav").write_bytes(b"torn")
    assert check(own, recordings=no_recordings) == [
        "fa/greeting: clipped, a peak passes -3 dBFS",
        "fa/goodbye: silent",
        "fa/apology: 21 s, longer than 20 s",
        "fa/lines-full: not a sound file: Format not recognised.",
    ]


def test_recording_of_another_city_is_unused_until_made_anew(own: Settings, recordings: Path) -> None:
    record(recordings, "greeting")
    record(recordings, "goodbye")
    render.build(own, recordings=recordings)
    heard = wav(own, "fa/greeting")
    assert check(own, recordings=recordings) == []

    elsewhere = own.model_copy(update={"city": GOLRUD})
    (said,) = [line for line in check(elsewhere, recordings=recordings) if "another city" in line]
    assert said == "fa: recorded for another city, and not used: greeting; record them anew"
    for _ in range(2):
        assert said in render.build(elsewhere, recordings=recordings).notes
        assert not np.array_equal(wav(elsewhere, "fa/greeting")[:4000], heard[:4000])

    record(recordings, "greeting", level=0.4)
    report = render.build(elsewhere, recordings=recordings)
    assert report.written == ("fa/greeting",) and said not in report.notes
    back = own.model_copy(update={"city": city_file.SAMPLE})
    assert "fa/greeting" in render.build(back, recordings=recordings).written, "which is Golrud's now"


def test_manifest_of_an_older_version_keeps_its_city(own: Settings, recordings: Path) -> None:
    record(recordings, "greeting")
    render.build(own, recordings=recordings)
    manifest = render.Manifest.read(own.prompts_dir)
    render.Manifest(manifest.clips).write(own.prompts_dir)
    assert render.build(own, recordings=recordings).written == ()
    assert render.Manifest.read(own.prompts_dir) == manifest
