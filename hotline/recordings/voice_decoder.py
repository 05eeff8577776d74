"""Decodes one voice note with FFmpeg. Runs in the sandbox, and imports nothing of the project."""

import io
import sys
from itertools import chain
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from av.container import InputContainer

RATE = 8000
NO_VOICE, TOO_LONG = 3, 4
"""Exit codes of refused voices."""
_CODECS = "opus,libopus,aac,vorbis,libvorbis"


def prepare() -> None:
    """Import `av` with everything that it would import later."""
    import av.subtitles.stream  # noqa: PLC0415  (large, and needed only in the sandbox)

    av.logging.set_level(av.logging.PANIC)


def decode(data: bytes, kind: str, longest_s: str) -> bytes:
    """Return the sound of the file: 8000 samples of 16 bits a second, one channel."""
    import av  # noqa: PLC0415

    only = {"format_whitelist": kind, "codec_whitelist": _CODECS, "protocol_whitelist": ""}
    with av.open(io.BytesIO(data), "r", format=kind.partition(",")[0], options=only) as container:
        return _samples(container, int(longest_s))


def _samples(container: "InputContainer", longest_s: int) -> bytes:
    import av  # noqa: PLC0415

    if container.streams.video or len(container.streams.audio) != 1:
        sys.exit(NO_VOICE)
    to_telephone = av.AudioResampler(format="s16", layout="mono", rate=RATE)
    made = bytearray()
    for frame in chain(container.decode(audio=0), (None,)):
        if frame is not None:
            frame.pts = None  # timestamps of a cut stream are wrong
        for part in to_telephone.resample(frame):
            made += bytes(part.planes[0])[: part.samples * 2]
        if len(made) > longest_s * RATE * 2:
            sys.exit(TOO_LONG)
    return bytes(made)
