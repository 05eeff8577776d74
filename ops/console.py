"""Watchdog of Asterisk through its console: its core must work, and unwatched calls end."""

import socket
import time
from collections.abc import Sequence
from pathlib import Path

from hotline import call_deadlines

_ANSWER_S = 4.0
_QUESTIONS = ("core show channel nobody", "bridge show all")
"""Console commands that take Asterisk's locks. To find no channel of that name, Asterisk locks its list of
channels, each channel, and each bridge. A deadlocked core (asterisk#1946, #1907) never finishes that. Such a
core may still answer a ping of its manager interface, or list the channels that it remembers.
"""


def check_node(console: Path) -> str:
    """Check Asterisk with `core_works`, and end calls that another node may place again.

    Return the log entry.
    """
    check_core(console)
    return end_calls(console)


def end_calls(console: Path) -> str:
    """End all calls that the dialer has placed if it has not allowed them to continue in time.

    Conversations may last longer (call_deadlines.CONVERSATIONS_S). Return the log entry, if any.
    Raises OSError; then the calls may continue.
    """
    until, at = call_deadlines.read(console.parent.parent), call_deadlines.read_clock()
    if until is None or at < until:
        return ""
    listed = _ask(console, ["core show channels concise"]).decode(errors="replace")
    channels = [_channel(line.split("!")) for line in listed.splitlines() if line.count("!") > _DATA]
    sorry_until = until - call_deadlines.LATER_S + call_deadlines.APOLOGY_S
    sorted_ = call_deadlines.sort(
        channels, conversations=at < until + call_deadlines.CONVERSATIONS_S, apology_until=sorry_until
    )
    ended = [*sorted_.ended, *sorted_.apologies]  # no console command of ours can begin an apology
    if not ended:
        return ""
    _ask(console, [f"channel request hangup {each.name}" for each in ended])
    kept = f", {len(sorted_.kept)} in conversation go on" if sorted_.kept else ""
    return f"the dialer is not there: its node's calls are ended, {len(ended)} channels{kept}"


_DATA = 6
"""Field of the application's arguments, which may contain a `!`; the channel's id is the last field."""


def _channel(fields: Sequence[str]) -> call_deadlines.Channel:
    return call_deadlines.Channel(fields[0], fields[-1].strip(), fields[1], fields[_DATA - 1], fields[_DATA])


def check_core(console: Path) -> None:
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
