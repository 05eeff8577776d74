"""The process in which a stranger's voice is decoded: what it can do, should the file have taken it over."""

import subprocess
import sys
from pathlib import Path

import pytest

from hotline.recordings import voice_decoder

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
