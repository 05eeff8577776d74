"""Callers who found all lines full and pressed 1: their number is kept, and called once lines are free.

Numbers are called in the order of the keys, each once however often it is left. Whether lines are free is for
the dialer to say (dialer.caller_lines).
"""

from collections import Counter
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from sqlalchemy import case, delete, exists, func, literal, null, select, update
from sqlalchemy.orm import Session

from db.engine import ago, hold_lock, now
from db.models import LeftOutcome, OutboundCall, OutboundKind, UtcDateTime, make_literal
from db.trusted_time import trusted_now
from hotline.clock import is_quiet
from hotline.errors import Refused
from hotline.line import confirmations
from hotline.outbound import queue
from hotline.outbound.kinds import KINDS
from settings import Settings

_POLICY = KINDS[OutboundKind.OVERFLOW]
REMEMBERED = _POLICY.valid or timedelta()
"""A person who is called later than this no longer knows why; the prompt says so, too (left-number-kept)."""
_HANGS_UP = timedelta(seconds=15)
"""How long the caller still hears that the number is kept."""
_AN_HOUR = timedelta(hours=1)
_A_DAY, _PER_DAY = timedelta(days=1), 3
"""How often a number may be left in a day: nobody can have another person's telephone rung all day."""
_SHARE = 0.5
"""The part of the calls of an hour that may wait: more could not be called in time."""
_QUIET_SOON = timedelta(minutes=30)
KEPT = timedelta(days=30)
"""How long a «no, it was not I» counts, and how long a row without its number is a figure."""

_OURS = OutboundCall.kind == make_literal(OutboundKind.OVERFLOW)
_IS_OPEN = OutboundCall.ended_at.is_(None)
_IS_PLACED = OutboundCall.token.is_not(None)

CALLS = queue.Eligibility(OutboundKind.OVERFLOW, queue.IS_FREE, order=(OutboundCall.asked_at,))

# The call scripts ask this every other second: the statement is built once.
WAITING = select(func.count()).where(_OURS, _IS_OPEN, OutboundCall.asked_at > ago(REMEMBERED))
"""The count of the numbers that are still to be called."""


def is_token(channel_id: str) -> bool:
    """Return whether a channel's id can be the token of such a call."""
    return channel_id.startswith(f"{_POLICY.prefix}-")


def keep(session: Session, number: str, settings: Settings) -> None:
    """Keep the E.164 `number` of a caller; one that waits already keeps its place.

    Nothing is promised that may not be kept: raises Refused("quiet-hours" | "left-in-peace" |
    "too-many-today" | "too-many-waiting").
    """
    hold_lock(session, number)
    at = now(session)
    if not _by_day(at, settings):
        raise Refused("quiet-hours", "nobody is called at night")
    if confirmations.may_not_call(session, number) or _has_refused(session, number, at):
        raise Refused("left-in-peace", "this number is not to be called")
    waits = session.scalar(select(OutboundCall).where(_OURS, OutboundCall.number == number, _IS_OPEN))
    if waits and (waits.token or waits.asked_at > at - REMEMBERED):
        if waits.answer == LeftOutcome.CAME:  # it rings, and they found all lines full again meanwhile
            waits.answer = None
        return
    if waits:
        queue.end(waits, at, queue.DROPPED)
        session.flush()
    of_day = select(func.count()).where(
        _OURS, OutboundCall.number == number, OutboundCall.asked_at > at - _A_DAY
    )
    if (session.scalar(of_day) or 0) >= _PER_DAY:
        raise Refused("too-many-today", f"a number is called for this at most {_PER_DAY} times a day")
    if not _has_room(session, settings):
        raise Refused("too-many-waiting", "more than could be called in time wait already")
    queue.add(session, OutboundKind.OVERFLOW, number, at, wait=_HANGS_UP)


def may_leave_number(at: datetime, waiting: int, settings: Settings) -> bool:
    """Return whether a number may be left now, with `waiting` numbers before it. Else it is not offered."""
    return _by_day(at, settings) and waiting < _most(settings)


def _by_day(at: datetime, settings: Settings) -> bool:
    return not any(is_quiet(moment, settings.quiet_hours) for moment in (at, at + _QUIET_SOON))


def _has_room(session: Session, settings: Settings) -> bool:
    return (session.scalar(WAITING) or 0) < _most(settings)


def _most(settings: Settings) -> int:
    return max(1, int(settings.calls_per_hour * _SHARE))


def _has_refused(session: Session, number: str, at: datetime) -> bool:
    refused = exists().where(
        _OURS,
        OutboundCall.number == number,
        OutboundCall.asked_at > at - KEPT,
        OutboundCall.answer == queue.REFUSED,
    )
    return bool(session.scalar(select(refused)))


def end_calls_of(session: Session, numbers: Collection[str]) -> None:
    """End the calls to numbers that have dialled 137 and got through; one that rings is not repeated."""
    known = sorted({*numbers} - {""})
    if not known:
        return
    ended_at = case((_IS_PLACED, null()), else_=literal(now(session), UtcDateTime))
    mine = _OURS, _IS_OPEN, OutboundCall.number.in_(known), OutboundCall.answered_at.is_(None)
    through = update(OutboundCall).where(*mine).values(answer=LeftOutcome.CAME.value, ended_at=ended_at)
    session.execute(through.execution_options(synchronize_session=False))


def count_ringing(session: Session) -> int:
    """Count the calls that nobody has answered yet: a person who has is a caller like all others."""
    rings = select(func.count()).where(_OURS, _IS_PLACED, OutboundCall.answered_at.is_(None))
    return session.scalar(rings) or 0


def forget(session: Session) -> None:
    """Drop the numbers that nobody has called in time.

    Numbers are forgotten after a day, except those whose owner refused; figures after thirty days.
    """
    at = trusted_now(session)
    mine = update(OutboundCall).where(_OURS)
    too_late = mine.where(_IS_OPEN, ~_IS_PLACED, OutboundCall.asked_at <= at - REMEMBERED)
    nameless = mine.where(
        ~_IS_OPEN,
        OutboundCall.answer.is_distinct_from(queue.REFUSED),
        OutboundCall.asked_at <= at - _A_DAY,
        OutboundCall.number.is_not(None),
    )
    for statement in (
        too_late.values(answer=queue.DROPPED, ended_at=at),
        nameless.values(number=None),
        delete(OutboundCall).where(_OURS, ~_IS_OPEN, OutboundCall.asked_at <= at - KEPT),
    ):
        session.execute(statement.execution_options(synchronize_session=False))


def count_by_hour(session: Session, since: datetime) -> dict[datetime, int]:
    """Return how many numbers were left in each hour after `since`, which begins one."""
    rows = session.scalars(select(OutboundCall.asked_at).where(_OURS, OutboundCall.asked_at >= since))
    return Counter(since + (left_at - since) // _AN_HOUR * _AN_HOUR for left_at in rows)


def count_results(session: Session) -> Mapping[str, int]:
    """Return what became of the numbers that were left in the last 24 hours."""
    silent = case((_IS_OPEN, "waiting"), else_=LeftOutcome.UNREACHED.value)
    outcome = func.coalesce(OutboundCall.answer, silent)
    of_day = select(outcome, func.count()).where(_OURS, OutboundCall.asked_at > now(session) - _A_DAY)
    found: dict[str, int] = dict(session.execute(of_day.group_by(outcome)).tuples().all())
    return {each: found.get(each, 0) for each in ("waiting", *LeftOutcome)}
