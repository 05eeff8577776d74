"""The process in which a stranger's voice is decoded: what it can do, should the file have taken it over."""

import subprocess
import sys
from pathlib import Path

import pytest

from hotline.recordings import voice_decoder, voice_notes
from tests.kit import voice_files
from tests.kit.refusal import refusal

_SHUT = """
import os, socket, sys
sys.path.insert(0, {folder!r})
import voice_decoder
voice_decoder.shut()
try:
    {deed}
except OSError as error:
    sys.exit(error.errno and 7)
"""


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
def test_given_a_decoder_that_a_file_has_taken_over_when_it_reaches_out_then_the_kernel_refuses(
    deed: str,
) -> None:
    folder = str(Path(voice_decoder.__file__).parent)
    asked = [sys.executable, "-I", "-c", _SHUT.format(folder=folder, deed=deed)]
    assert subprocess.run(asked, capture_output=True, check=False, env={}).returncode == 7


def decoder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Have this run in the decoder's place."""
    folder = str(Path(voice_decoder.__file__).parent)
    path = tmp_path / "decoder.py"
    path.write_text(f"import sys\nsys.path.insert(0, {folder!r})\nimport voice_decoder\n{script}")
    monkeypatch.setattr(voice_notes, "_DECODER", path)


def heard(tmp_path: Path) -> bytes:
    path = tmp_path / "voice.webm"
    path.write_bytes(voice_files.recorded())
    with path.open("rb") as voice:
        return voice_notes.telephone_sound(voice)


def test_given_a_kernel_that_takes_no_filter_when_voices_are_decoded_then_they_are_and_it_is_said_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    voice_notes.tell_of_no_filter.cache_clear()
    heard(tmp_path)
    assert not caplog.messages
    decoder(tmp_path, monkeypatch, "voice_decoder.shut = lambda: False\nvoice_decoder.main()")
    for _ in range(2):
        assert heard(tmp_path)
    assert [("seccomp" in said, "libseccomp2" in said) for said in caplog.messages] == [(True, True)]


@pytest.mark.timeout(20)
def test_given_a_decoder_that_writes_without_end_when_read_then_it_is_ended_and_the_voice_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoder(tmp_path, monkeypatch, "while True: sys.stdout.buffer.write(bytes(1 << 16))")
    assert refusal(lambda: heard(tmp_path)) == "voice-broken"
