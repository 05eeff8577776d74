"""When a citizen who was not reached is called again: by the reason, after growing waits, never at night."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from db.models import Round
from db.states import FREE_OF_CHARGE, RETRIED, Outcome
from hotline.clock import after_quiet
from hotline.errors import Refused
from hotline.rounds.rounds import OVERTIME
from settings import Settings

_SHARE = {Outcome.BUSY: 0.5, Outcome.CALL_AGAIN: 0.5, Outcome.UNREACHABLE: 2.0}
"""Of HOTLINE_RETRY_SECONDS: a busy phone is soon free, one that is switched off stays so. Others: 1."""


_FARTHEST = timedelta(days=31)
"""A wish farther ahead is a slip of the finger."""


class Because(StrEnum):
    """Why a citizen who is to be called again is called when they are."""

    WISHED = "wished"  # at the very time
    RULE = "rule"  # nobody named a time
    QUIET_HOURS = "quiet-hours"  # the time lies in them, and nobody agreed otherwise
    PAST_END = "past-end"  # it lies after the round's end: among the first of the next one


class Promise(NamedTuple):
    """From when on a citizen is called again, and why then."""

    due: datetime
    because: Because


def promised(
    wish: datetime, at: datetime, round_: Round, settings: Settings, *, agreed: bool = False
) -> Promise:
    """When a citizen is called who asked, at `at`, to be called at `wish`.

    Never in quiet hours, unless that was `agreed` with the citizen by voice. A wish that is not «at once» is
    never kept after the round's end: it passes the citizen over for the rest of this round, who is then first
    in the next one. Raises Refused("too-far-ahead").
    """
    if wish - at > _FARTHEST:
        raise Refused("too-far-ahead", f"a call can be promised for at most {_FARTHEST.days} days ahead")
    asked = max(wish, at)
    due = asked if agreed else after_quiet(asked, settings.quiet_hours)
    if round_.is_operators_line or due < round_.ends_at or wish <= at == due:
        kept = Because.WISHED if due == asked else Because.QUIET_HOURS
        return Promise(due, Because.PAST_END if _is_over(round_) else kept)
    return Promise(max(due, round_.ends_at + OVERTIME), Because.PAST_END)


def promised_by_rule(at: datetime, round_: Round, settings: Settings) -> Promise:
    """When a citizen is called who is to be called again, and for whom nobody named a time at `at`."""
    by_day = at + _wait(Outcome.CALL_AGAIN, 0, settings)
    due = after_quiet(by_day, settings.quiet_hours)
    if _is_over(round_) or (not round_.is_operators_line and due >= round_.ends_at + OVERTIME):
        return Promise(due, Because.PAST_END)
    return Promise(due, Because.RULE if due == by_day else Because.QUIET_HOURS)


def _is_over(round_: Round) -> bool:
    return round_.ended_at is not None or round_.cancelled_at is not None


def check_agreed(outcome: Outcome, again_at: datetime | None) -> datetime:
    """The time that is agreed with the citizen. Raises Refused("agreed-without-time")."""
    if outcome is not Outcome.CALL_AGAIN or again_at is None:
        raise Refused("agreed-without-time", "only a time for calling again can be agreed with the citizen")
    return again_at


_NEXT_ONE_TRIES, _ALONE = timedelta(seconds=5), timedelta(seconds=60)
_PROBES = 10
_SPARED = timedelta(0)


class Line(StrEnum):
    """How calls go, when one has failed by our own fault."""

    FLOWS = "flows"
    FAILS = "fails"  # others have just failed, too
    DOWN = "down"
    TRIES_OTHERS = "tries-others"  # down; the next number that was not tried is due


def after_faults(in_a_row: int, settings: Settings, *, picked_up: bool, line: Line) -> timedelta:
    """How long a citizen is passed over whose calls have so often in a row come to nothing by our own fault.

    Nobody waits for that. But numbers that the carrier cannot call must not stop the line: after two failures
    the next citizen's call shows whether it is this number alone, after one if others fail as well. While
    others can be tried on a line that is down, all who were tried are passed over, each time for longer,
    until a call gets through, which ends it (breaker). After a citizen has picked up and heard an apology
    the next one's call shows whether it is this one alone, who is not called again and again.
    """
    if picked_up:
        return timedelta(seconds=settings.retry_seconds) if in_a_row > 1 else _NEXT_ONE_TRIES
    match line:
        case Line.TRIES_OTHERS:
            return 2 * _ALONE * min(max(in_a_row - 1, 1), _PROBES)
        case Line.DOWN:
            return _SPARED if in_a_row % _PROBES else _ALONE
        case Line.FAILS if in_a_row == 1:
            return _NEXT_ONE_TRIES
    return _ALONE if in_a_row > 2 else _NEXT_ONE_TRIES if in_a_row == 2 else _SPARED


def not_before(
    outcome: Outcome, attempts: int, at: datetime, settings: Settings, until: datetime | None = None
) -> datetime | None:
    """Until when a registration with this outcome at `at` is passed over; None: it may be called at once.

    Each of the `attempts` that were used up doubles the wait, but where nobody was to blame. It lasts at
    least `until`; after our own fault, and if nobody was called, no longer.
    """
    if outcome in (Outcome.FAILED, Outcome.RETURNED):
        return after_quiet(until, settings.quiet_hours) if until and until > at else None
    if outcome not in RETRIED:
        return None
    due = at + _wait(outcome, attempts, settings)
    return after_quiet(max(due, until or due), settings.quiet_hours)


def busy_for(settings: Settings) -> timedelta:
    """After so long a busy phone is called again."""
    return _wait(Outcome.BUSY, 0, settings)


def _wait(outcome: Outcome, attempts: int, settings: Settings) -> timedelta:
    growth = 1 if outcome in FREE_OF_CHARGE else 2 ** max(attempts - 1, 0)
    return timedelta(seconds=settings.retry_seconds * _SHARE.get(outcome, 1.0) * growth)
