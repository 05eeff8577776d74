"""The time until which a node's placed calls may continue without its dialer, and which calls continue
longer.

At each renewal of its lease, the dialer (dialer.asterisk_watchdog) writes the time to a folder that Asterisk
only reads. It does so if another node could take over. At that time Asterisk's parent (ops.console) ends the
calls, because a dead or hung dialer cannot. This module needs only Python.

A citizen who waits hears an apology first, which ends before the node that takes over may call them. A
conversation continues for CONVERSATIONS_S more. The node that takes over calls its citizen only after that.
It may call sooner if the desk's phone has moved to another node (hotline.callbacks.lost_nodes).
"""

import re
import time
from collections.abc import Collection
from pathlib import Path
from typing import NamedTuple

FILE = "calls-until"

CONVERSATIONS_S = 900.0
"""Seconds: longer than a database failover, and than most conversations."""

LATER_S = 1.0
"""How long after the dialer Asterisk's parent ends calls; within the grace (hotline.nodes.leases)."""
APOLOGY_S = 4.5
"""Seconds after the end of the lease at which each apology has ended: the grace less a margin."""
_LEAST_S = 2.4
"""Least time to begin an apology: it takes 3 s, and may lose its last word."""

CUT_OFF = "cut-off"
"""Context of the apology (dialplan.variables); the extension is the time for it, in seconds."""
_WAITS = "on-the-line"
"""Context of callers who wait for an operator (dialplan.variables): another node calls them back."""
_IN_DANGER = "rescue"
"""Context of callers with the emergency service or waiting for it, also in calls that we placed."""
_CITIZEN, _DESK = "room", "from-desk"
"""Contexts of the two sides of a conversation in a desk's room."""
_LISTENS = (_WAITS, _CITIZEN, "waiting", "screening", "held", "on-hold")
"""Contexts of citizens who are on the line, and hear an apology unless they are in conversation."""

PLACED = re.compile(r"(?!rescue-)[a-z]+(-\d+)?-[0-9a-f]{32}")
"""Channel ids of all calls that end with the lease; calls to the emergency service do not."""


def read_clock() -> float:
    """Return seconds of a clock that also runs while the process is stopped or the machine sleeps.

    All processes of the machine read the same clock.
    """
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def find_token(channel_id: str) -> str:
    """Return the token of a channel's call; the halves of its Local channel are TOKEN and TOKEN;2."""
    return channel_id.removesuffix(";2")


class Channel(NamedTuple):
    """A channel of Asterisk."""

    name: str
    id: str
    context: str
    application: str
    data: str
    """The application's arguments; ConfBridge's first one is the room."""


class Sorted(NamedTuple):
    """The calls of a node at the end of its lease."""

    ended: list[Channel]
    apologies: list[Channel]
    """Channels of citizens who must hear the apology now."""
    listens: bool
    """Whether another citizen hears it already."""
    kept: frozenset[str]
    """Tokens of the conversations that continue."""


def sort(channels: Collection[Channel], *, conversations: bool, apology_until: float) -> Sorted:
    """Choose the channels to end: those of placed calls, and of callers who wait for an operator.

    Calls to the emergency service continue. With `conversations`, a citizen and a desk in one room continue,
    too. Until `apology_until`, by `read_clock`, citizens who wait hear an apology instead.
    """
    rooms: dict[str, set[str]] = {}
    for each in channels:
        if conversations and each.application == "ConfBridge":
            rooms.setdefault(_room(each), set()).add(each.context)
    speak = {room for room, contexts in rooms.items() if contexts >= {_CITIZEN, _DESK}}
    in_danger = {find_token(each.id) for each in channels if each.context == _IN_DANGER}
    kept = {find_token(each.id) for each in channels if _room(each) in speak and _is_placed(each)}
    over = [
        each
        for each in channels
        if (_is_placed(each) and find_token(each.id) not in in_danger | kept)
        or each.context in (_WAITS, CUT_OFF)
    ]
    left = apology_until - read_clock()
    apologies = [each for each in over if each.context in _LISTENS and left >= _LEAST_S]
    listens = {find_token(each.id) for each in channels if each.context == CUT_OFF and left > 0}
    spared = listens | {find_token(each.id) for each in apologies}
    ended = [each for each in over if find_token(each.id) not in spared]
    return Sorted(ended, apologies, bool(listens), frozenset(kept))


def apology(until: float) -> tuple[str, str]:
    """Return the context and extension of an apology that ends at this time, by `read_clock`."""
    return CUT_OFF, f"{until - read_clock():.1f}"


def _room(channel: Channel) -> str:
    return channel.data.partition(",")[0] if channel.application == "ConfBridge" else ""


def _is_placed(channel: Channel) -> bool:
    return PLACED.fullmatch(find_token(channel.id)) is not None


def read(folder: Path) -> float | None:
    """Return the recorded time, or None if there is none."""
    try:
        return float((folder / FILE).read_text())
    except (OSError, ValueError):
        return None
