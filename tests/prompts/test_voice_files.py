"""A voice from a file or an address: fetched once and whole, checked, and then it speaks."""

import hashlib
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

import settings as settings_module
from ops.cli import app
from prompts import catalogue, voices
from prompts.sources import VoiceError
from prompts.voice_files import take
from settings import Settings

pytestmark = pytest.mark.usefixtures("own_environment")

VOICE = bytes(range(256)) * 2000
SHA256 = hashlib.sha256(VOICE).hexdigest()


class Publisher(http.server.ThreadingHTTPServer):
    """Serves a voice, by parts if asked; `breaks_after` so many bytes of it the line breaks, once."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.breaks_after: int | None = None
        self.knows_parts = True
        self.ranges: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/fa.onnx"


class _Answer(http.server.BaseHTTPRequestHandler):
    server: Publisher

    def do_GET(self) -> None:
        content = {"/fa.onnx": VOICE, "/fa.onnx.json": b"{}"}.get(self.path)
        if content is None:
            self.send_error(404)
            return
        begin = 0
        if (asked := self.headers.get("Range")) and self.server.knows_parts:
            self.server.ranges.append(asked)
            begin = int(asked.removeprefix("bytes=").removesuffix("-"))
            if begin >= len(content):
                self.send_error(416)
                return
        self.send_response(206 if begin else 200)
        self.send_header("Content-Length", str(len(content) - begin))
        self.end_headers()
        broken, self.server.breaks_after = self.server.breaks_after, None
        self.wfile.write(content[begin : broken or len(content)])

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    with Publisher() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return settings_module.load(_env_file=None, state_dir=tmp_path / "state")


def fetch(settings: Settings, publisher: Publisher, sha256: str = SHA256) -> list[tuple[int, int]]:
    told: list[tuple[int, int]] = []
    take(settings, publisher.url, "fa", sha256, lambda *bytes_: told.append(bytes_))
    return told


def test_voice_from_an_address_is_stored_and_speaks(settings: Settings, publisher: Publisher) -> None:
    assert voices.choose(settings, "fa", {})[0].name == "espeak"
    told = fetch(settings, publisher)
    assert told[-1] == (len(VOICE), len(VOICE))
    assert settings.voice_file("fa").read_bytes() == VOICE
    assert settings.voice_file("fa").with_name("fa.onnx.json").read_bytes() == b"{}"
    assert voices.choose(settings, "fa", {})[0].name == "piper"
    assert voices.choose(settings, "en", {})[0].name == "espeak"


@pytest.mark.parametrize("knows_parts", [True, False])
def test_interrupted_download_resumes_where_the_server_can(
    settings: Settings, publisher: Publisher, knows_parts: bool
) -> None:
    publisher.breaks_after, publisher.knows_parts = 200_000, knows_parts
    with pytest.raises(VoiceError):
        fetch(settings, publisher)
    assert not settings.voice_file("fa").exists()

    assert fetch(settings, publisher)[-1] == (len(VOICE), len(VOICE))
    assert settings.voice_file("fa").read_bytes() == VOICE
    assert publisher.ranges == (["bytes=200000-"] if knows_parts else [])


def test_download_with_a_wrong_checksum_keeps_the_old_voice(settings: Settings, publisher: Publisher) -> None:
    fetch(settings, publisher)
    with pytest.raises(VoiceError, match=SHA256):
        fetch(settings, publisher, "0" * 64)
    assert settings.voice_file("fa").read_bytes() == VOICE
    assert not [path for path in settings.voice_file("fa").parent.iterdir() if "part" in path.name]


def test_voice_from_a_path_is_copied(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "mine.onnx").write_bytes(VOICE)
    (tmp_path / "mine.onnx.json").write_bytes(b"{}")
    take(settings, str(tmp_path / "mine.onnx"), "en", SHA256, lambda *_: None)
    assert settings.voice_file("en").read_bytes() == VOICE


# The command


def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *words: str) -> Result:
    monkeypatch.setenv("HOTLINE_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)
    return CliRunner().invoke(app, ["prompts", "voice", *words])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("/nowhere.onnx", "--sha256", SHA256), "/nowhere.onnx: No such file"),
        (("/nowhere.onnx", "--sha256", SHA256, "--language", "xx"), "no prompts in 'xx'"),
        (("http://127.0.0.1:1/fa.onnx", "--sha256", SHA256), "http://127.0.0.1:1/fa.onnx: "),
    ],
)
def test_unobtainable_voice_ends_the_command_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], said: str
) -> None:
    result = run(tmp_path, monkeypatch, *words)
    assert result.exit_code == 1
    assert said in result.stderr


def test_command_renders_with_the_new_voice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, publisher: Publisher
) -> None:
    whole = catalogue.load("fa")
    monkeypatch.setattr(catalogue, "list_languages", lambda: ["fa"])
    monkeypatch.setattr(whole, "texts", {"goodbye": whole.texts["goodbye"]})
    monkeypatch.setattr(whole, "prompts", {"goodbye": whole.prompts["goodbye"]})
    package = tmp_path / "site" / "piper"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "__main__.py").write_text(
        "import sys, numpy, soundfile\n"
        "soundfile.write(sys.argv[4], 0.5 * numpy.sin(numpy.arange(22050) / 5), 22050)\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "site"))
    result = run(tmp_path, monkeypatch, publisher.url, "--sha256", SHA256)
    assert result.exit_code == 0, result.stderr
    assert "0.5 MB" in result.stdout
    assert "6 clips, 6 written" in result.stdout
