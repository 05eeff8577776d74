"""Send the sound and the keys of one sipp call as RTP: `talk.py SIPP PORT SOUND KEYS DELAY`.

sipp itself can only press keys with raw sockets, as root. It runs this for each call it answers and
ends it with the call. Standard library only, for a quick start. SIPP is sipp's process id, SOUND
holds raw A-law.
"""

import itertools
import os
import random
import socket
import struct
import sys
import time
from collections.abc import Iterator
from pathlib import Path

FRAME = 160  # samples in 20 ms
SILENCE = b"\xd5"  # A-law
A_LAW, TELEPHONE_EVENT = 8, 101
KEYS = "0123456789*#ABCD"


def sound_frames(sound: bytes) -> Iterator[bytes]:
    """The sound in frames, over and over."""
    whole = sound[: len(sound) // FRAME * FRAME] or SILENCE * FRAME
    for start in itertools.cycle(range(0, len(whole), FRAME)):
        yield whole[start : start + FRAME]


def key_frames(keys: str) -> Iterator[tuple[bool, int, bytes] | None]:
    """RFC 4733 events of 100 ms with 100 ms between them: first?, frames since its start, event."""
    for key in keys:
        for age in range(8):
            ended, duration = (0x80, 5) if age > 4 else (0, age + 1)
            yield age == 0, age, struct.pack("!BBH", KEYS.index(key), ended | 10, duration * FRAME)
        yield from [None] * 5


def main() -> None:
    """Talk until the other side's port or sipp is gone, or the call's end kills this process."""
    sipp, port, sound, keys, delay = sys.argv[1:]
    frames = sound_frames(Path(sound).read_bytes() if sound else b"")
    presses = itertools.chain([None] * int(float(delay) * 50), key_frames(keys))
    wire = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    wire.connect(("127.0.0.1", int(port)))
    source = random.getrandbits(32)
    start = time.monotonic()
    for number in itertools.count():
        if number % 50 == 0 and not os.path.exists(f"/proc/{sipp}"):
            return
        time.sleep(max(0.0, start + number / 50 - time.monotonic()))
        frame, press = next(frames), next(presses, None)
        if press is None:
            mark, stamp, kind, body = number == 0, number, A_LAW, frame
        else:
            mark, age, body = press
            stamp, kind = number - age, TELEPHONE_EVENT
        header = struct.pack("!BBHII", 0x80, mark << 7 | kind, number & 0xFFFF, stamp * FRAME, source)
        try:
            wire.send(header + body)
        except ConnectionRefusedError:
            if number > 50:
                return


if __name__ == "__main__":
    main()
