"""One voice note, decoded in a process of its own: `voice_decoder.py FORMAT SECONDS < file > samples`.

FFmpeg reads what a stranger has sent: whatever that does to it ends with this process, which has little
memory, little time, and can write no file. It is run as it stands, and imports nothing of the project.
"""

import resource
import sys
from itertools import chain
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from av.container import InputContainer

RATE = 8000
NO_VOICE, TOO_LONG, UNREADABLE = 3, 4, 5
"""How it ends."""
_MEMORY, _PROCESSOR_S = 1 << 30, 20
_CODECS = "opus,libopus,aac,vorbis,libvorbis"


def _samples(container: "InputContainer", longest_s: int) -> bytes:
    import av  # noqa: PLC0415

    if container.streams.video or len(container.streams.audio) != 1:
        sys.exit(NO_VOICE)
    to_telephone = av.AudioResampler(format="s16", layout="mono", rate=RATE)
    made = bytearray()
    for frame in chain(container.decode(audio=0), (None,)):
        if frame is not None:
            frame.pts = None  # those of a stream that was cut lead nowhere
        for part in to_telephone.resample(frame):
            made += bytes(part.planes[0])[: part.samples * 2]
        if len(made) > longest_s * RATE * 2:
            sys.exit(TOO_LONG)
    return bytes(made)


def main() -> None:
    """Read the file, write its sound: 8000 samples of 16 bits a second, one channel."""
    for what, most in (
        (resource.RLIMIT_AS, _MEMORY),
        (resource.RLIMIT_CPU, _PROCESSOR_S),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
    ):
        resource.setrlimit(what, (most, most))
    import av  # noqa: PLC0415  (only here: the API needs none of it)

    av.logging.set_level(av.logging.PANIC)
    kind, longest_s = sys.argv[1:]
    only = {"format_whitelist": kind, "codec_whitelist": _CODECS, "protocol_whitelist": ""}
    try:
        with av.open(sys.stdin.buffer, "r", format=kind.partition(",")[0], options=only) as container:
            made = _samples(container, int(longest_s))
    except (av.FFmpegError, ValueError, MemoryError):
        sys.exit(UNREADABLE)
    sys.stdout.buffer.write(made)


if __name__ == "__main__":
    main()
