"""Voice notes of the app: identified by content, and converted to the form of a telephone message."""

import io
import secrets
import wave
from pathlib import Path
from typing import BinaryIO

from db.fair_semaphore import FairSemaphore
from hotline.errors import Refused
from hotline.recordings import disk, voice_decoder
from hotline.recordings.sandbox import DECODER_WAIT_S, DECODERS, Sandbox, refuse_busy

LARGEST = 2 << 20
"""Maximum size in bytes. A minute is 180 kB of Opus, and at most 1 MB as browsers record by default."""
LONGEST_S = 60
_GRACE_S = 5
"""A browser stops recording a moment after it is told to."""
_SHORTEST = voice_decoder.RATE * 2
"""Minimum bytes of sound: less than a second is no message, as on the telephone."""
_KINDS = {b"\x1a\x45\xdf\xa3": "matroska,webm", b"OggS": "ogg"}
_MP4 = "mov,mp4,m4a,3gp,3g2,mj2"
_decoders = FairSemaphore(DECODERS, most_waiting=10, refusal=refuse_busy)
_sandbox = Sandbox(Path(voice_decoder.__file__), "av")


def detect_container(head: bytes) -> str:
    """Return the container's name by the file's first bytes. Raises Refused("voice-empty" | "voice-kind")."""
    if not head:
        raise Refused("voice-empty", "the file has 0 bytes")
    if head[4:8] == b"ftyp":
        return _MP4
    kind = _KINDS.get(head[:4])
    if kind is None:
        raise Refused("voice-kind", "a voice is recorded as WebM, Ogg or MP4")
    return kind


def convert_to_wav(file: BinaryIO) -> bytes:
    """Return a file's voice as WAV. Only a few files are decoded at once.

    Raises what `detect_container` raises, and Refused("voice-large" | "voice-long" | "voice-none" |
    "voice-broken" | "files-busy").
    """
    head = file.read(16)
    kind = detect_container(head)
    if file.seek(0, io.SEEK_END) > LARGEST:
        raise Refused("voice-large", f"a voice has at most {LARGEST} bytes")
    file.seek(0)
    with _decoders.hold(DECODER_WAIT_S):
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
    most = (longest + 1) * voice_decoder.RATE * 2
    code, samples = _sandbox.decode(file.read(), kind, str(longest), most=most)
    if code == voice_decoder.TOO_LONG:
        raise Refused("voice-long", f"at most {LONGEST_S} seconds")
    if code == voice_decoder.NO_VOICE:
        raise Refused("voice-none", "one voice is in it, and no picture")
    if code:
        raise Refused("voice-broken", f"it cannot be read: {code}")
    return samples


def keep(folder: Path, wav: bytes) -> str:
    """Write the file to the folder of messages; return its name. Raises Refused("disk-full")."""
    name = f"{secrets.token_hex(16)}.wav"
    with disk.allow_writing(folder):
        disk.write(folder / f"{name}.part", folder / name, wav)
    return name
