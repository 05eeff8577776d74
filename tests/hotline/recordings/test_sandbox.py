"""The process in which a stranger's picture or voice is decoded."""

import io
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hotline.pictures import decoding
from hotline.recordings import sandbox, sandbox_server, voice_notes
from hotline.recordings.sandbox import Sandbox
from tests.kit import picture_files, voice_files
from tests.kit.refusal import refusal

_SHUT = """
import os, socket, sys
sys.path.insert(0, {folder!r})
import sandbox_server
sandbox_server.shut_off()
try:
    {deed}
except OSError as error:
    sys.exit(error.errno and 7)
"""
_LARGEST = 1 << 20
_WAIT = "lock = _thread.allocate_lock(); lock.acquire(); lock.acquire()"


@pytest.mark.parametrize(
    "deed",
    [
        "open('/etc/hostname')",
        "open('/tmp/made', 'w')",
        "socket.socket()",
        "os.fork()",
        "os.execv('/bin/true', ['true'])",
        "os.kill(os.getppid(), 0)",
        "os.unlink('/nowhere')",
        "os.pipe()",
    ],
)
def test_system_call_of_a_taken_over_decoder_is_refused(deed: str) -> None:
    folder = str(Path(sandbox_server.__file__).parent)
    asked = [sys.executable, "-I", "-c", _SHUT.format(folder=folder, deed=deed)]
    assert subprocess.run(asked, capture_output=True, check=False, env={}).returncode == 7


class Decoders:
    """Sandboxes with decoders of the test's own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.made: list[Sandbox] = []

    def make(self, body: str, prepare: str = "pass") -> Sandbox:
        """A sandbox in which `decode(data, *arguments)` has this body."""
        path = self._folder / f"decoder_{len(self.made)}.py"
        path.write_text(
            f"import _thread, os, signal, sys\n\ndef prepare():\n    {prepare}\n\n"
            f"def decode(data, *arguments):\n    {body}\n"
        )
        self.made.append(Sandbox(path, "PIL"))
        return self.made[-1]


@pytest.fixture
def decoders(tmp_path: Path) -> Iterator[Decoders]:
    decoders = Decoders(tmp_path)
    yield decoders
    for each in decoders.made:
        each.close()


def picture() -> decoding.Plain:
    return decoding.redraw(io.BytesIO(picture_files.jpeg()))


def voice(folder: Path) -> bytes:
    path = folder / "voice.webm"
    path.write_bytes(voice_files.recorded())
    with path.open("rb") as file:
        return voice_notes.convert_to_wav(file)


def test_file_and_arguments_reach_the_decoder(decoders: Decoders) -> None:
    echo = decoders.make("return data + '|'.join(arguments).encode()")
    assert echo.decode(b"a file ", "one", "two", most=_LARGEST) == (0, b"a file one|two")
    assert echo.decode(b"", most=_LARGEST) == (0, b"")


def test_child_of_one_file_knows_nothing_of_the_last(decoders: Decoders) -> None:
    counts = decoders.make("sys.decoded = getattr(sys, 'decoded', 0) + 1; return b'%d' % sys.decoded")
    assert [counts.decode(b"", most=_LARGEST) for _ in range(3)] == [(0, b"1")] * 3


def test_child_has_no_descriptor_but_its_file_and_its_output(decoders: Decoders) -> None:
    body = """
    open_ones = []
    for number in range(64):
        try:
            os.fstat(number)
        except OSError:
            continue
        open_ones.append(number)
    return repr(open_ones).encode()
    """.strip()
    code, made = decoders.make(body).decode(b"", most=_LARGEST)
    assert (code, made) in {(0, b"[1]"), (0, b"[0, 1]")}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("os.kill(os.getpid(), signal.SIGSEGV); raise OSError", sandbox_server.UNREADABLE),
        ("import ctypes; ctypes.string_at(0)", -11),
        ("return bytes(8 << 30)", sandbox_server.UNREADABLE),
        ("return 1 / 0", sandbox_server.UNREADABLE),
        ("sys.exit(7)", 7),
    ],
    ids=["reaches out", "crashes", "bomb", "raises", "refuses"],
)
@pytest.mark.timeout(30)
def test_decoder_that_fails_ends_alone(decoders: Decoders, body: str, code: int) -> None:
    failing = decoders.make(f"if data == b'hostile':\n        {body}\n    return data", "import ctypes")
    assert failing.decode(b"hostile", most=_LARGEST) == (code, b"")
    assert failing.decode(b"honest", most=_LARGEST) == (0, b"honest"), "the server takes the next file"


@pytest.mark.timeout(30)
@pytest.mark.parametrize("body", [_WAIT, "while True: pass"], ids=["waiting", "busy"])
def test_decoder_that_hangs_is_killed(decoders: Decoders, body: str, monkeypatch: pytest.MonkeyPatch) -> None:
    hanging = decoders.make(f"if data == b'hostile':\n        {body}\n    return data")
    assert hanging.decode(b"honest", most=_LARGEST) == (0, b"honest")
    with monkeypatch.context() as patched:
        patched.setattr(sandbox, "_PATIENCE_S", 0.3)
        assert hanging.decode(b"hostile", most=_LARGEST) == (sandbox_server.UNREADABLE, b"")
    assert hanging.decode(b"honest", most=_LARGEST) == (0, b"honest")


@pytest.mark.timeout(30)
def test_decoder_that_writes_without_end_is_killed(decoders: Decoders) -> None:
    endless = decoders.make("while True: os.write(1, bytes(1 << 16))")
    assert endless.decode(b"", most=_LARGEST) == (sandbox_server.UNREADABLE, b"")


def test_decoder_that_cannot_start_is_no_fault_of_the_file(
    decoders: Decoders, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(decoding, "_sandbox", decoders.make("return data", "raise ImportError"))
    assert refusal(picture) == "files-busy"
    assert [record.levelname for record in caplog.records] == ["ERROR"]


def test_library_outside_the_interpreters_folders_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "packages" / "only_here"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("WORD = b'found'")
    monkeypatch.syspath_prepend(package.parent)
    decoder = tmp_path / "decoder.py"
    decoder.write_text(
        "def prepare():\n    import only_here\n\n"
        "def decode(data):\n    import only_here\n    return only_here.WORD\n"
    )
    made = Sandbox(decoder, "only_here")
    assert made.decode(b"", most=_LARGEST) == (0, b"found")
    made.close()


def test_server_that_died_while_idle_is_replaced(decoders: Decoders) -> None:
    echo = decoders.make("return data")
    assert echo.decode(b"one", most=_LARGEST) == (0, b"one")
    (idle,) = echo._idle
    idle.process.kill()
    idle.process.wait()
    assert echo.decode(b"two", most=_LARGEST) == (0, b"two")


@pytest.mark.parametrize(
    "body", ["return b''", "return b'ab'", "return bytes(2000)", "return b'\\xff' * 2000", "while True: pass"]
)
def test_picture_whose_decoder_lies_or_hangs_is_refused(
    decoders: Decoders, body: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    hostile = decoders.make(body)
    monkeypatch.setattr(decoding, "_sandbox", hostile)
    monkeypatch.setattr(sandbox, "_PATIENCE_S", 3.0)
    assert refusal(picture) == "picture-broken"


def test_voice_whose_decoder_writes_without_end_is_refused(
    decoders: Decoders, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(voice_notes, "_sandbox", decoders.make("while True: os.write(1, bytes(1 << 16))"))
    assert refusal(voice, tmp_path) == "voice-broken"


def test_kernel_without_a_filter_decodes_and_warns_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    sandbox.warn_without_filter.cache_clear()
    assert picture() and voice(tmp_path)
    assert not caplog.messages
    server = tmp_path / "server.py"
    folder = str(Path(sandbox_server.__file__).parent)
    server.write_text(
        f"import sys\nsys.path.insert(0, {folder!r})\nimport sandbox_server\n"
        "sandbox_server.shut_off = lambda: False\nsandbox_server.run()\n"
    )
    monkeypatch.setattr(sandbox, "_SERVER", server)
    for room in (decoding, voice_notes):
        monkeypatch.setattr(room, "_sandbox", Sandbox(room._sandbox._decoder, room._sandbox._library))
    assert picture() and picture() and voice(tmp_path)
    assert [("seccomp" in said, "libseccomp2" in said) for said in caplog.messages] == [(True, True)]
