"""Asks a running Asterisk on its own console whether its core works."""

import socket
import time
from pathlib import Path

_ANSWER_S = 4.0
_QUESTIONS = ("core show channel nobody", "bridge show all")
"""To find that there is nobody of that name, Asterisk takes the lock of its list of channels and of each
channel in it; then that of each bridge. A deadlocked core (asterisk#1946, #1907) never comes to an end
there, while it may still answer a ping of its manager interface, or list the channels that it remembers."""


def core_works(console: Path) -> None:
    """Return when Asterisk has answered. Raises OSError if it does not within _ANSWER_S."""
    end = time.monotonic() + _ANSWER_S
    with socket.socket(socket.AF_UNIX) as wire:
        wire.settimeout(_ANSWER_S)
        wire.connect(str(console))
        wire.sendall(b"cli quit after " + b"".join(f"{asked}\0".encode() for asked in _QUESTIONS))
        answer = b""
        while received := wire.recv(1 << 16):
            answer += received
            wire.settimeout(max(0.01, end - time.monotonic()))
    if b"nobody is not a known channel" not in answer:
        raise OSError("Asterisk's console says something else")
