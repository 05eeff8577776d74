"""Alarms: faults that a supervisor must act on at once. They are computed, never stored."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from math import floor

from db.trusted_time import Doubt

QUIET = timedelta(minutes=3)
"""How long somebody may wait in a live round while nobody is in conversation."""
_HOUR = timedelta(hours=1)


class AlarmKind(StrEnum):
    """A kind of alarm."""

    CLOCK_LEAPT = "clock-leapt"  # nothing is closed or deleted until the clock has run evenly for a while
    CALLS_DOWN = "calls-down"  # no call can be placed, by a fault of our own
    NODE_SILENT = "node-silent"  # one of several machines; the others do its work
    NODE_WITHOUT_TRUNK = "node-without-trunk"  # one of several machines; calls go through the others
    NOBODY_SERVED = "nobody-served"
    TOO_LONG = "too-long"  # more citizens wait than the rest of the round has time for
    THREAT = "threat"  # a desk reports that a citizen threatens somebody
    OWED = "owed"  # a desk owes the outcome of a conversation and does not return


class AlarmCause(StrEnum):
    """The cause of an alarm as far as the control room knows; it tells the supervisor what to do."""

    TRUNK = "trunk"
    TRUNK_OR_PROXY = "trunk-or-proxy"  # TRUNK where a SIP proxy stands before it: either may be silent
    SCRIPTS = "scripts"
    IVR = "ivr"
    PAUSED = "paused"
    NO_DESK = "no-desk"
    PHONES_AWAY = "phones-away"
    ON_BREAK = "on-break"
    NOBODY_ASKS = "nobody-asks"
    CALLING = "calling"  # citizens are called, and none has answered yet


@dataclass(frozen=True)
class Alarm:
    """An alarm: what is wrong, where, and since when."""

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
    """The state of a live line from which alarms are computed.

    `quiet_since`: since when nobody is in conversation although somebody could be.
    """

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
    """The state of a desk from which alarms are computed.

    `owes_since`: since when its conversation has ended without an outcome.
    """

    desk_id: int
    connected: bool
    asks: bool
    on_break: bool
    owes_since: datetime | None = None
    threat_at: datetime | None = None


def list_alarms(
    lines: Sequence[LineNow],
    desks: Sequence[DeskNow],
    down: tuple[datetime, str] | None,
    at: datetime,
    nodes: Mapping[AlarmKind, Mapping[str, datetime]] | None = None,
    *,
    doubt: Doubt | None = None,
) -> list[Alarm]:
    """Return the alarms, most urgent first. While no call can be placed, one alarm replaces those of the
    lines.

    `nodes`: for each kind of alarm, the names of the machines and since when. `doubt`: the clock has leapt.
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


def count_fitting(left: timedelta, desks: int, minutes: int, per_hour: float | None) -> int:
    """Return how many more conversations fit into the rest of a round.

    The pace of the last hour decides; before it is known, the agreed minutes and the number of desks do.
    """
    if left <= timedelta(0):
        return 0
    if per_hour:
        return floor(per_hour * (left / _HOUR))
    return floor(left / timedelta(minutes=minutes)) * max(desks, 1)
