"""Which voice speaks a language: Piper, gTTS and espeak-ng, each with what surrounds it faked."""

import base64
import http.server
import io
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

import settings as settings_module
from prompts import catalogue, render, sound
from prompts.check import check
from prompts.sources import VoiceError
from settings import Settings, SettingsError

pytestmark = pytest.mark.usefixtures("own_environment")
CLIPS = ("goodbye", "message-kept", "ask-district-slow", "ticket-again.1", "digit-7")
PROMPTS = ("goodbye", "message-kept", "ask-district-slow")

# What `python -m piper` runs: a tone instead of a voice, and a note of how it was called.
PIPER = """
import pathlib, sys
import numpy, soundfile
arguments, text = sys.argv[1:], sys.stdin.read()
with pathlib.Path(__file__).with_name("calls").open("a") as calls:
    calls.write(repr((arguments, text)) + "\\n")
assert arguments[0] == "-m" and arguments[2] == "-f"
seconds = 0.5 * (2 if "--length-scale" in arguments else 1)
tone = 0.5 * numpy.sin(2 * numpy.pi * 700 * numpy.arange(int(22050 * seconds)) / 22050)
soundfile.write(arguments[3], tone, 22050)
"""


@pytest.fixture
def no_recordings(tmp_path: Path) -> Path:
    return tmp_path / "no-recordings"


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave a few clips of each language, so that a build takes no time."""
    for language in ("en", "fa"):
        whole = catalogue.load(language)
        monkeypatch.setattr(whole, "texts", {clip: whole.texts[clip] for clip in CLIPS})
        monkeypatch.setattr(whole, "prompts", {prompt: whole.prompts[prompt] for prompt in PROMPTS})


@pytest.fixture
def plain(tmp_path: Path) -> Settings:
    return settings_module.load(_env_file=None, state_dir=tmp_path / "state")


def pitch(settings: Settings, name: str) -> float:
    """The strongest frequency of a clip, in Hz."""
    samples, rate = sound.read((settings.prompts_dir / f"{name}.wav").read_bytes())
    return float(np.argmax(np.abs(np.fft.rfft(samples))) * rate / samples.size)


def seconds(settings: Settings, name: str) -> float:
    samples, rate = sound.read((settings.prompts_dir / f"{name}.wav").read_bytes())
    return len(samples) / rate


# Piper


@pytest.fixture
def voice(tmp_path: Path) -> Path:
    """The file of a voice."""
    path = tmp_path / "voices" / "fa.onnx"
    path.parent.mkdir()
    path.write_bytes(b"a voice")
    return path


@pytest.fixture
def piper(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A module `piper` for the process that is started; returns the file that notes its calls."""
    package = tmp_path / "site" / "piper"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "__main__.py").write_text(PIPER)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "site"))
    return package / "calls"


def test_piper_voice_speaks_every_clip_of_its_language(
    plain: Settings, no_recordings: Path, voice: Path, piper: Path
) -> None:
    settings = plain.model_copy(update={"prompts_piper": {"fa": voice}})
    report = render.build(settings, recordings=no_recordings)
    assert set(report.voices) == {"fa/piper", "en/espeak"}
    for clip in CLIPS:
        assert pitch(settings, f"fa/{clip}") == pytest.approx(700, abs=5), clip
    assert seconds(settings, "fa/ask-district-slow") > 1.5 * seconds(settings, "fa/goodbye")
    assert check(settings, recordings=no_recordings) == []
    calls = piper.read_text().splitlines()
    assert len(calls) == len(CLIPS)
    assert all(str(voice) in call for call in calls)
    assert sum("--length-scale" in call for call in calls) == 1

    assert render.build(settings, recordings=no_recordings).written == ()
    assert piper.read_text().splitlines() == calls


def test_changed_voice_file_renders_its_language_anew(
    plain: Settings, no_recordings: Path, voice: Path, piper: Path
) -> None:
    settings = plain.model_copy(update={"prompts_piper": {"fa": voice}})
    render.build(settings, recordings=no_recordings)
    voice.write_bytes(b"a better voice")
    assert "fa/goodbye: stale, its text, recording or voice has changed" in check(
        settings, recordings=no_recordings
    )
    report = render.build(settings, recordings=no_recordings)
    assert sorted(report.rendered) == sorted(f"fa/{clip}" for clip in CLIPS)


def test_missing_piper_is_reported_with_how_to_install_it(
    plain: Settings, no_recordings: Path, voice: Path
) -> None:
    settings = plain.model_copy(update={"prompts_piper": {"fa": voice}})
    with pytest.raises(VoiceError, match=r"Piper is missing; install it: .+ -m pip install piper-tts"):
        render.build(settings, recordings=no_recordings)


def test_missing_voice_file_is_reported_with_its_setting(
    plain: Settings, no_recordings: Path, voice: Path
) -> None:
    settings = plain.model_copy(update={"prompts_piper": {"fa": voice.with_name("lost.onnx")}})
    for work in (render.build, check):
        with pytest.raises(VoiceError, match=r"HOTLINE_PROMPTS_PIPER: fa=.+lost.onnx: No such file"):
            work(settings, recordings=no_recordings)


def test_failure_of_piper_names_the_clip_and_the_error(
    plain: Settings, no_recordings: Path, voice: Path, piper: Path
) -> None:
    piper.with_name("__main__.py").write_text("raise SystemExit('the voice is broken')")
    settings = plain.model_copy(update={"prompts_piper": {"fa": voice}})
    with pytest.raises(VoiceError, match=r"fa/.+: Piper: the voice is broken"):
        render.build(settings, recordings=no_recordings)


@pytest.mark.parametrize(
    ("written", "voices"),
    [
        ("fa=/srv/fa.onnx", {"fa": Path("/srv/fa.onnx")}),
        (" fa=/srv/a voice.onnx , en=en.onnx,", {"fa": Path("/srv/a voice.onnx"), "en": Path("en.onnx")}),
        ("", {}),
    ],
)
def test_voice_files_of_the_environment_map_to_languages(
    written: str, voices: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOTLINE_PROMPTS_PIPER", written)
    assert settings_module.load(_env_file=None).prompts_piper == voices


@pytest.mark.parametrize("written", ["/srv/fa.onnx", "fa=", "=/srv/fa.onnx"])
def test_voice_file_without_a_language_names_the_setting(
    written: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOTLINE_PROMPTS_PIPER", written)
    with pytest.raises(SettingsError, match=r"HOTLINE_PROMPTS_PIPER.+must be language=file"):
        settings_module.load(_env_file=None)


# gTTS


class Google(http.server.ThreadingHTTPServer):
    """A fake of gTTS' server: answers with a tone as MP3, or with a failure once `answers` are given."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.asked: list[str] = []
        self.answers = 1_000


class _Answer(http.server.BaseHTTPRequestHandler):
    server: Google

    def do_POST(self) -> None:
        self.server.asked.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
        if len(self.server.asked) > self.server.answers:
            self.send_error(429)
            return
        mp3 = io.BytesIO()
        tone = 0.5 * np.sin(2 * np.pi * 900 * np.arange(24_000) / 24_000)
        soundfile.write(mp3, tone, 24_000, format="MP3")
        spoken = base64.b64encode(mp3.getvalue()).decode()
        body = f')]}}\'\n\n[["wrb.fr","jQ1olc","[\\"{spoken}\\"]",null]]\n'.encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def google(monkeypatch: pytest.MonkeyPatch) -> Iterator[Google]:
    """An endpoint on this machine that gTTS takes for Google's."""
    with Google() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        monkeypatch.setattr(
            "gtts.tts._translate_url", lambda path="", **_: f"http://127.0.0.1:{server.server_port}/{path}"
        )
        monkeypatch.setattr("urllib.request.getproxies", dict)
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def switched_on(plain: Settings) -> Settings:
    return plain.model_copy(update={"prompts_gtts": True})


def test_gtts_that_is_switched_off_is_never_asked(
    plain: Settings, no_recordings: Path, google: Google
) -> None:
    render.build(plain, recordings=no_recordings)
    assert google.asked == []


def test_gtts_speaks_english_and_is_refused_for_persian(
    switched_on: Settings, no_recordings: Path, google: Google
) -> None:
    report = render.build(switched_on, recordings=no_recordings)
    assert set(report.voices) == {"en/gtts", "fa/espeak"}
    assert report.notes == ("fa: gTTS does not have this language; espeak-ng speaks it",)
    for clip in CLIPS:
        assert pitch(switched_on, f"en/{clip}") == pytest.approx(900, abs=5), clip
    assert check(switched_on, recordings=no_recordings) == []


def test_rebuild_from_nothing_reuses_the_answers_of_gtts(
    switched_on: Settings, no_recordings: Path, google: Google
) -> None:
    render.build(switched_on, recordings=no_recordings)
    asked = len(google.asked)
    (switched_on.prompts_dir / "manifest.json").unlink()
    for take in (switched_on.prompts_dir / ".takes").iterdir():
        take.unlink()
    render.build(switched_on, recordings=no_recordings)
    assert len(google.asked) == asked
    assert pitch(switched_on, "en/goodbye") == pytest.approx(900, abs=5)


@pytest.mark.parametrize("answers", [0, 2])
def test_failing_gtts_is_replaced_by_espeak_until_it_answers(
    switched_on: Settings, no_recordings: Path, google: Google, answers: int
) -> None:
    google.answers = answers
    report = render.build(switched_on, recordings=no_recordings)
    assert set(report.voices) == {"en/espeak", "fa/espeak"}
    for clip in CLIPS:
        assert pitch(switched_on, f"en/{clip}") != pytest.approx(900, abs=5), clip
    (problem,) = check(switched_on, recordings=no_recordings)
    assert problem in report.notes
    assert problem.startswith("en: espeak-ng speaks it as a whole, because gTTS failed at en/")
    assert "429" in problem

    google.answers = 1_000
    report = render.build(switched_on, recordings=no_recordings)
    assert sorted(report.rendered) == sorted(f"en/{clip}" for clip in CLIPS)
    assert check(switched_on, recordings=no_recordings) == []


def test_build_without_a_network_uses_espeak(
    switched_on: Settings, no_recordings: Path, google: Google, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gtts.tts._translate_url", lambda **_: "http://127.0.0.1:1/")
    report = render.build(switched_on, recordings=no_recordings)
    assert set(report.voices) == {"en/espeak", "fa/espeak"}
    assert "Failed to connect" in report.notes[-1]


# espeak-ng


def test_missing_espeak_is_reported_with_how_to_install_it(
    plain: Settings, no_recordings: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    render.build(plain, recordings=no_recordings)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert render.build(plain, recordings=no_recordings).rendered == ()
    monkeypatch.setitem(catalogue.load("fa").texts, "goodbye", "خدا نگهدارِ شما.")
    with pytest.raises(VoiceError, match="apt install espeak-ng"):
        render.build(plain, recordings=no_recordings)


def test_fully_recorded_language_needs_no_synthetic_voice(
    plain: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tone = 0.5 * np.sin(2 * np.pi * 500 * np.arange(8000) / 8000)
    for language in ("en", "fa"):
        (tmp_path / "recordings" / language).mkdir(parents=True)
        for clip in CLIPS:
            soundfile.write(tmp_path / "recordings" / language / f"{clip}.wav", tone, 8000)
    monkeypatch.setenv("PATH", str(tmp_path))
    report = render.build(plain, recordings=tmp_path / "recordings")
    assert set(report.voices) == {"en/studio", "fa/studio"}
