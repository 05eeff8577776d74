"""Until when a node's placed calls may go on without a word of its dialer, and which of them longer.

With each renewal of its lease the dialer (dialer.asterisks_parent) writes that down in a folder that Asterisk
only reads, if another node could take its work over. Asterisk's parent (ops.console) ends the calls when the
time is over: a dialer that has ended or hangs cannot do so itself. Nothing but Python is needed here.

A conversation goes on for CONVERSATIONS_S more: the node that takes over calls its citizen only after that
time, or once the desk's phone has left for another node (hotline.callbacks.lost_nodes).
"""

import re
import time
from collections.abc import Collection
from pathlib import Path
from typing import NamedTuple

FILE = "calls-until"

CONVERSATIONS_S = 900.0
"""Longer than a city's database is away in a failover, and than most conversations last."""

_WAITS = "on-the-line"
"""The context of callers who wait for an operator (dialplan.variables): another node calls them back."""
_IN_DANGER = "rescue"
"""The context of callers who speak with the emergency service, or wait for it, also where we had called."""
_CITIZEN, _DESK = "room", "from-desk"
"""The contexts of the two who speak with each other in a desk's room."""

PLACED = re.compile(r"(?!rescue-)[a-z]+(-\d+)?-[0-9a-f]{32}")
"""The ids of all calls that are ended with the lease: not of those to the emergency service."""


def clock() -> float:
    """Seconds that go on while the process is stopped, and while the machine sleeps; all processes' alike."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def token_of(channel_id: str) -> str:
    """The token to whose call a channel belongs: its Local channel's halves are TOKEN and TOKEN;2."""
    return channel_id.removesuffix(";2")


class Channel(NamedTuple):
    """A channel of Asterisk's."""

    name: str
    id: str
    context: str
    application: str
    data: str
    """The application's arguments; ConfBridge's first one is the room."""


class Sorted(NamedTuple):
    """What becomes of a node's calls when its lease is over."""

    ended: list[Channel]
    kept: frozenset[str]
    """The tokens of the conversations that go on."""


def sort(channels: Collection[Channel], *, conversations: bool) -> Sorted:
    """Name the channels to be ended: of each call that we have placed, and of each caller who waits.

    A call to the emergency service goes on; with `conversations` a citizen and a desk in one room do, too.
    """
    rooms: dict[str, set[str]] = {}
    for each in channels:
        if conversations and each.application == "ConfBridge":
            rooms.setdefault(_room(each), set()).add(each.context)
    speak = {room for room, contexts in rooms.items() if contexts >= {_CITIZEN, _DESK}}
    in_danger = {token_of(each.id) for each in channels if each.context == _IN_DANGER}
    kept = {token_of(each.id) for each in channels if _room(each) in speak and _is_placed(each)}
    ended = [
        each
        for each in channels
        if (_is_placed(each) and token_of(each.id) not in in_danger | kept) or each.context == _WAITS
    ]
    return Sorted(ended, frozenset(kept))


def _room(channel: Channel) -> str:
    return channel.data.partition(",")[0] if channel.application == "ConfBridge" else ""


def _is_placed(channel: Channel) -> bool:
    return PLACED.fullmatch(token_of(channel.id)) is not None


def read(folder: Path) -> float | None:
    """None: nothing is written."""
    try:
        return float((folder / FILE).read_text())
    except (OSError, ValueError):
        return None
