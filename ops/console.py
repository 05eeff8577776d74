"""Asks a running Asterisk on its console whether its core works, and ends calls there that nobody watches."""

import socket
import time
from collections.abc import Sequence
from pathlib import Path

from hotline import calls_until

_ANSWER_S = 4.0
_QUESTIONS = ("core show channel nobody", "bridge show all")
"""To find that there is nobody of that name, Asterisk takes the lock of its list of channels and of each
channel in it; then that of each bridge. A deadlocked core (asterisk#1946, #1907) never comes to an end
there, while it may still answer a ping of its manager interface, or list the channels that it remembers."""


_WAITS = "on-the-line"
"""The context of callers who wait for an operator (dialplan.variables): another node calls them back."""
_IN_DANGER = "rescue"
"""That of callers who speak with the emergency service, or wait for it: also one whom we had called."""


def works(console: Path) -> str:
    """`core_works`, and no call goes on that another node may place again. Returns what is to be said."""
    core_works(console)
    return end_calls(console)


def end_calls(console: Path) -> str:
    """End all calls that the dialer has placed if it has not said in time that they may go on.

    Returns what is to be said of it, if anything. Raises OSError: then they are as good as going on.
    """
    until = calls_until.read(console.parent)
    if until is None or calls_until.clock() < until:
        return ""
    listed = _ask(console, ["core show channels concise"]).decode(errors="replace")
    lines = [line.split("!") for line in listed.splitlines() if line.count("!") > 1]
    in_danger = {_token(fields) for fields in lines if fields[1] == _IN_DANGER}
    names = [fields[0] for fields in lines if _is_to_end(fields) and _token(fields) not in in_danger]
    if not names:
        return ""
    _ask(console, [f"channel request hangup {name}" for name in names])
    return f"the dialer is not there: its node's calls are ended, {len(names)} channels"


def _token(fields: Sequence[str]) -> str:
    return calls_until.token_of(fields[-1].strip())


def _is_to_end(fields: Sequence[str]) -> bool:
    return calls_until.PLACED.fullmatch(_token(fields)) is not None or fields[1] == _WAITS


def core_works(console: Path) -> None:
    """Return when Asterisk has answered. Raises OSError if it does not within _ANSWER_S."""
    if b"nobody is not a known channel" not in _ask(console, _QUESTIONS):
        raise OSError("Asterisk's console says something else")


def _ask(console: Path, questions: Sequence[str]) -> bytes:
    end = time.monotonic() + _ANSWER_S
    with socket.socket(socket.AF_UNIX) as wire:
        wire.settimeout(_ANSWER_S)
        wire.connect(str(console))
        wire.sendall(b"cli quit after " + b"".join(f"{asked}\0".encode() for asked in questions))
        answer = b""
        while received := wire.recv(1 << 16):
            answer += received
            wire.settimeout(max(0.01, end - time.monotonic()))
    return answer
