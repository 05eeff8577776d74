"""What a supervisor has to see to at once. Computed from what the room shows, never stored."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from math import floor

from db.trusted_time import Doubt

QUIET = timedelta(minutes=3)
"""So long somebody may wait in a live round while nobody is spoken with."""
_HOUR = timedelta(hours=1)


class AlarmKind(StrEnum):
    """What is wrong."""

    CLOCK_LEAPT = "clock-leapt"  # nothing is closed or deleted until it has run evenly for a while
    CALLS_DOWN = "calls-down"  # no call can be made, by our own fault
    NODE_SILENT = "node-silent"  # of several machines; the others have its work
    NODE_WITHOUT_TRUNK = "node-without-trunk"  # the same, while calls flow by others
    NOBODY_SERVED = "nobody-served"
    TOO_LONG = "too-long"  # more wait than the rest of the round has time for
    THREAT = "threat"  # a citizen threatens somebody, as the desk says
    OWED = "owed"  # a desk owes the outcome of a conversation, and does not come back


class AlarmCause(StrEnum):
    """Why, as far as the room shows: it says what to do."""

    TRUNK = "trunk"
    TRUNK_OR_PROXY = "trunk-or-proxy"  # the same where a SIP proxy is before it: either may be silent
    SCRIPTS = "scripts"
    IVR = "ivr"
    PAUSED = "paused"
    NO_DESK = "no-desk"
    PHONES_AWAY = "phones-away"
    ON_BREAK = "on-break"
    NOBODY_ASKS = "nobody-asks"
    CALLING = "calling"  # citizens are called, and none has come through


@dataclass(frozen=True)
class Alarm:
    """One thing that is wrong, where, and since when."""

    kind: AlarmKind
    cause: AlarmCause | None
    round_id: int | None
    desk_id: int | None
    since: datetime | None
    until: datetime | None
    waiting: int | None
    fits: int | None
    node: str | None


_ALARM = Alarm(AlarmKind.CALLS_DOWN, None, None, None, None, None, None, None, None)


@dataclass(frozen=True)
class LineNow:
    """What of a live line decides. `quiet_since`: nobody was spoken with, and somebody could have been."""

    round_id: int
    waiting: int
    paused: bool
    quiet_since: datetime | None
    calling: int
    ready: int
    fits: int | None  # None: the line has no end
    desks: Sequence["DeskNow"]


@dataclass(frozen=True)
class DeskNow:
    """What of a desk decides. `owes_since`: its conversation is over, and nobody says what came of it."""

    desk_id: int
    connected: bool
    asks: bool
    on_break: bool
    owes_since: datetime | None = None
    threat_at: datetime | None = None


def alarms(
    lines: Sequence[LineNow],
    desks: Sequence[DeskNow],
    down: tuple[datetime, str] | None,
    at: datetime,
    nodes: Mapping[AlarmKind, Mapping[str, datetime]] | None = None,
    *,
    doubt: Doubt | None = None,
) -> list[Alarm]:
    """The most pressing first. While no call can be made that is said once, and not of each line.

    `nodes`: what is wrong with some, by their names, and since when. `doubt`: the clock has leapt.
    """
    found = []
    if doubt:
        found.append(replace(_ALARM, kind=AlarmKind.CLOCK_LEAPT, since=doubt.trusted_at, until=doubt.until))
    found += [
        replace(_ALARM, kind=AlarmKind.THREAT, desk_id=desk.desk_id, since=desk.threat_at)
        for desk in desks
        if desk.threat_at
    ]
    if down:
        found.append(replace(_ALARM, cause=AlarmCause(down[1]), since=down[0]))
    else:
        found += [
            replace(
                _ALARM,
                kind=AlarmKind.NOBODY_SERVED,
                cause=_cause(line),
                round_id=line.round_id,
                since=line.quiet_since,
            )
            for line in lines
            if line.quiet_since and at - line.quiet_since >= QUIET
        ]
    found += [
        replace(_ALARM, kind=kind, node=name, since=since)
        for kind, found_so in (nodes or {}).items()
        for name, since in found_so.items()
    ]
    found += [
        replace(_ALARM, kind=AlarmKind.OWED, desk_id=desk.desk_id, since=desk.owes_since)
        for desk in desks
        if desk.owes_since
    ]
    return found + [
        replace(
            _ALARM,
            kind=AlarmKind.TOO_LONG,
            round_id=line.round_id,
            waiting=line.waiting,
            fits=line.fits,
        )
        for line in lines
        if line.fits is not None and line.waiting > line.fits
    ]


def _cause(line: LineNow) -> AlarmCause:
    here = [desk for desk in line.desks if desk.connected]
    if line.paused:
        return AlarmCause.PAUSED
    if not line.desks:
        return AlarmCause.NO_DESK
    if not here:
        return AlarmCause.PHONES_AWAY
    if all(desk.on_break for desk in here):
        return AlarmCause.ON_BREAK
    if line.calling:
        return AlarmCause.CALLING
    return AlarmCause.CALLING if any(desk.asks for desk in here) else AlarmCause.NOBODY_ASKS


def fits(left: timedelta, desks: int, minutes: int, per_hour: float | None) -> int:
    """How many more conversations the rest of a round has time for.

    At the pace of its last hour; as long as that is not known, by the agreed minutes at its desks.
    """
    if left <= timedelta(0):
        return 0
    if per_hour:
        return floor(per_hour * (left / _HOUR))
    return floor(left / timedelta(minutes=minutes)) * max(desks, 1)
