"""Calls that failed through our own fault: how long their citizens are passed over, as a rule not at all.

Also decides whether the fault is the citizen's own phone.
"""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from db.models import Callback
from db.states import Outcome
from hotline.callbacks import schedule
from hotline.callbacks.schedule import Line
from hotline.trunk import circuit_breaker, failure_attribution
from settings import Settings


class Cut(StrEnum):
    """Cause of the end of an answered call in which no script apologised."""

    BY_US = "by-us"  # the death of Asterisk or of the dialer
    BY_NETWORK = "by-network"  # the carrier, or a telephone that no longer answers


_NEVER_ALONE = 2
"""Number of failures in a row that may be chance."""


def find_pause(
    session: Session, failed: Callback, settings: Settings, *, cut: Cut | None = None
) -> timedelta:
    """Return how long the citizen is passed over after failed calls in a row.

    `schedule.find_pause_after_faults` has the rule.

    A citizen whose call was cut is called again at once, from their own place. After a cut by us they stay at
    the head of the line: their call is not to blame. A citizen whom the network cuts again is treated like a
    number that the carrier cannot call.
    """
    before = _before(session, failed)
    picked_up = failed.answered_at is not None and cut is None
    return schedule.find_pause_after_faults(
        1 + (before.picked_up if picked_up else before.times),
        settings,
        picked_up=picked_up,
        line=Line.DOWN if cut is Cut.BY_US else _line(session, failed, failed.registration.number),
    )


def is_phones_fault(session: Session, failing: Callback) -> bool:
    """Return whether this call, about to close as FAILED, shows a fault of the citizen's own phone.

    That needs the third failure in a row, and a successful call to another number since the last failure.
    """
    before = _before(session, failing)
    return before.times >= _NEVER_ALONE and circuit_breaker.has_failed_alone(
        session, failing.token, before.last
    )


class _Before(NamedTuple):
    times: int
    picked_up: int
    """Number of these calls in which somebody picked up and heard an apology."""
    last: datetime | None


def _before(session: Session, callback: Callback) -> _Before:
    """Return the FAILED calls in a row before this one, and the end of the last one."""
    of_same = and_(
        Callback.registration_id == callback.registration_id, Callback.round_id == callback.round_id
    )
    ours = Callback.outcome.in_((Outcome.FAILED, Outcome.RETURNED))
    other = select(func.coalesce(func.max(Callback.id), 0)).where(of_same, ~ours, Callback.id < callback.id)
    apologised = func.count(Callback.answered_at).filter(Callback.held_until.is_(None))  # not cut
    in_a_row = select(func.count(), apologised, func.max(Callback.ended_at)).where(
        of_same,
        Callback.outcome == Outcome.FAILED,
        Callback.id > other.scalar_subquery(),
        Callback.id < callback.id,
    )
    return _Before(*session.execute(in_a_row).one())


def _line(session: Session, failed: Callback, number: str) -> Line:
    down = circuit_breaker.find_outage(session)
    if down is None:
        return Line.FAILS if circuit_breaker.is_failing(session, number) else Line.FLOWS
    row = circuit_breaker.find_probing(session)
    tried = circuit_breaker.list_failed_numbers(row) if row else []
    if number not in tried:
        return Line.DOWN
    return Line.TRIES_OTHERS if failure_attribution.has_untried(session, failed.token, tried) else Line.DOWN
