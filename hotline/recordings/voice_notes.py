"""A voice note of the app: what it is by its content, and its sound as a telephone's message is kept."""

import io
import logging
import secrets
import subprocess
import sys
import threading
import wave
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import BinaryIO, cast

from hotline.errors import Refused
from hotline.recordings import disk, voice_decoder
from hotline.recordings.turns import Turns

log = logging.getLogger("api")

LARGEST = 2 << 20
"""Bytes of a file: a minute has 180 kB of Opus, at most 1 MB of what browsers record unasked."""
LONGEST_S = 60
_GRACE_S = 5
"""A browser stops a moment after it is told to."""
_SHORTEST = voice_decoder.RATE * 2
"""Bytes of sound: less than a second is nobody's message, on the telephone, too."""
_PATIENCE_S = 30.0
_KINDS = {b"\x1a\x45\xdf\xa3": "matroska,webm", b"OggS": "ogg"}
_MP4 = "mov,mp4,m4a,3gp,3g2,mj2"
_DECODER = Path(voice_decoder.__file__)
_turns = Turns()


def look(head: bytes) -> str:
    """The container, by the first bytes of a file. Raises Refused("voice-empty" | "voice-kind")."""
    if not head:
        raise Refused("voice-empty", "the file has 0 bytes")
    if head[4:8] == b"ftyp":
        return _MP4
    kind = _KINDS.get(head[:4])
    if kind is None:
        raise Refused("voice-kind", "a voice is recorded as WebM, Ogg or MP4")
    return kind


def telephone_sound(file: BinaryIO) -> bytes:
    """The WAV of what is said in a file on the disk. Not more than a few at once.

    Raises what `look` does, and Refused("voice-large" | "voice-long" | "voice-none" | "voice-broken" |
    "files-busy").
    """
    head = file.read(16)
    kind = look(head)
    if file.seek(0, io.SEEK_END) > LARGEST:
        raise Refused("voice-large", f"a voice has at most {LARGEST} bytes")
    file.seek(0)
    with _turns.one():
        samples = _decoded(file, kind)
    if len(samples) < _SHORTEST:
        raise Refused("voice-empty", "less than a second is said")
    made = io.BytesIO()
    with wave.open(made, "wb") as wav:
        wav.setparams((1, 2, voice_decoder.RATE, 0, "NONE", ""))
        wav.writeframes(samples)
    return made.getvalue()


def _decoded(file: BinaryIO, kind: str) -> bytes:
    longest = LONGEST_S + _GRACE_S
    asked = [sys.executable, "-I", str(_DECODER), kind, str(longest)]
    how, samples = _run(asked, file, most=(longest + 1) * voice_decoder.RATE * 2)
    if how == voice_decoder.TOO_LONG:
        raise Refused("voice-long", f"at most {LONGEST_S} seconds")
    if how == voice_decoder.NO_VOICE:
        raise Refused("voice-none", "one voice is in it, and no picture")
    if how == voice_decoder.UNFILTERED:
        tell_of_no_filter()
    elif how:
        raise Refused("voice-broken", f"it cannot be read: {how}")
    return samples


def _run(asked: Sequence[str], file: BinaryIO, *, most: int) -> tuple[int, bytes]:
    """How it ended, and what it wrote. What takes too long, or writes more than `most` bytes, is ended."""
    pipe, nothing = subprocess.PIPE, subprocess.DEVNULL
    with subprocess.Popen(asked, stdin=file, stdout=pipe, stderr=nothing, env={}) as process:
        late = threading.Timer(_PATIENCE_S, process.kill)
        late.start()
        try:
            written = cast("BinaryIO", process.stdout).read(most + 1)
            if len(written) > most:
                process.kill()
            return process.wait(), written
        finally:
            late.cancel()


@cache
def tell_of_no_filter() -> None:
    """Say, once, that the kernel does not guard the decoder: voices are decoded all the same."""
    log.warning(
        "voices are decoded without a seccomp filter: a file that takes the decoder over is kept from files, "
        "network and processes by its limits alone. Install libseccomp2, or let the container use seccomp"
    )


def keep(folder: Path, wav: bytes) -> str:
    """Write the file among the messages; returns its name. Raises Refused("disk-full")."""
    name = f"{secrets.token_hex(16)}.wav"
    with disk.room(folder):
        disk.write(folder / f"{name}.part", folder / name, wav)
    return name
