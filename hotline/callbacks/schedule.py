"""Time of a citizen's next call: by the outcome, after growing waits, never at night; and its forecast."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import exists, select
from sqlalchemy.orm import Session, aliased, selectinload

from db.engine import now
from db.models import Callback, Note, Registration, Round, User
from db.states import FREE_OF_CHARGE, RETRIED, Outcome, RegistrationState
from hotline.clock import is_quiet, skip_quiet_hours
from hotline.errors import Refused
from hotline.line import carry_over
from hotline.rounds import phases
from hotline.rounds.phases import OVERTIME
from settings import Settings

_SHARE = {Outcome.BUSY: 0.5, Outcome.CALL_AGAIN: 0.5, Outcome.UNREACHABLE: 2.0}
"""Multiples of HOTLINE_RETRY_SECONDS, 1 if absent: a busy phone is soon free, a phone that is off stays off.
"""


_MOST_PROMISES = 20
_LATE = timedelta(hours=12)
"""How long an overdue promise is listed."""
_FARTHEST = timedelta(days=31)
"""Limit of a wish; a date farther ahead is a typing error."""


class Because(StrEnum):
    """Reason for the time of a retry."""

    WISHED = "wished"  # exactly the citizen's time
    RULE = "rule"  # nobody named a time
    QUIET_HOURS = "quiet-hours"  # the wish lies in quiet hours, and nobody agreed otherwise
    PAST_END = "past-end"  # the wish lies after the round's end: among the first of the next


class Promise(NamedTuple):
    """Earliest time of a retry, and the reason."""

    due: datetime
    because: Because


def find_promised_time(
    wish: datetime, at: datetime, round_: Round, settings: Settings, *, agreed: bool = False
) -> Promise:
    """Return when a citizen is called who asked, at `at`, to be called at `wish`.

    The time is never in quiet hours, unless that was `agreed` with the citizen by voice. A later wish is
    never kept after the round's end: the citizen is then first in the next round. Raises
    Refused("too-far-ahead").
    """
    if wish - at > _FARTHEST:
        raise Refused("too-far-ahead", f"a call can be promised for at most {_FARTHEST.days} days ahead")
    asked = max(wish, at)
    due = asked if agreed else skip_quiet_hours(asked, settings.quiet_hours)
    if round_.is_operators_line or due < round_.ends_at or wish <= at == due:
        kept = Because.WISHED if due == asked else Because.QUIET_HOURS
        return Promise(due, Because.PAST_END if _is_over(round_) else kept)
    return Promise(max(due, round_.ends_at + OVERTIME), Because.PAST_END)


def find_time_by_rule(at: datetime, round_: Round, settings: Settings) -> Promise:
    """Return when a citizen is called again who named no time at `at`."""
    by_day = at + _wait(Outcome.CALL_AGAIN, 0, settings)
    due = skip_quiet_hours(by_day, settings.quiet_hours)
    if _is_over(round_) or (not round_.is_operators_line and due >= round_.ends_at + OVERTIME):
        return Promise(due, Because.PAST_END)
    return Promise(due, Because.RULE if due == by_day else Because.QUIET_HOURS)


def _is_over(round_: Round) -> bool:
    return round_.ended_at is not None or round_.cancelled_at is not None


def check_agreed(outcome: Outcome, again_at: datetime | None) -> datetime:
    """Return the time that is agreed with the citizen. Raises Refused("agreed-without-time")."""
    if outcome is not Outcome.CALL_AGAIN or again_at is None:
        raise Refused("agreed-without-time", "only a time for calling again can be agreed with the citizen")
    return again_at


_NEXT_ONE_TRIES, _ALONE = timedelta(seconds=5), timedelta(seconds=60)
_PROBES = 10
_SPARED = timedelta(0)


class Line(StrEnum):
    """State of outgoing calls after a failure through our own fault."""

    FLOWS = "flows"
    FAILS = "fails"  # other numbers have just failed, too
    DOWN = "down"
    TRIES_OTHERS = "tries-others"  # down; a probe of the next untried number is due


def find_pause_after_faults(in_a_row: int, settings: Settings, *, picked_up: bool, line: Line) -> timedelta:
    """Return how long a citizen is passed over after so many failures in a row through our own fault.

    As a rule that is zero. But numbers that the carrier cannot call must not stop the line. After two
    failures the next citizen's call shows whether only this number fails; after one if others fail, too.
    While a line is down and others can be tried, all tried numbers are passed over, for growing times. A call
    that gets through ends that (circuit_breaker). A citizen who picked up and heard an apology waits until
    the next citizen's call shows where the fault is.
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


def find_not_before(
    outcome: Outcome, attempts: int, at: datetime, settings: Settings, until: datetime | None = None
) -> datetime | None:
    """Return until when a registration with this outcome at `at` is passed over; None: it is due at once.

    Each used attempt of `attempts` doubles the wait, except after outcomes that cost no attempt. The wait
    lasts at least until `until`. After our own fault, and if nobody was called, only `until` counts.
    """
    if outcome in (Outcome.FAILED, Outcome.RETURNED):
        return skip_quiet_hours(until, settings.quiet_hours) if until and until > at else None
    if outcome not in RETRIED:
        return None
    due = at + _wait(outcome, attempts, settings)
    return skip_quiet_hours(max(due, until or due), settings.quiet_hours)


def find_busy_pause(settings: Settings) -> timedelta:
    """Return the wait before a busy phone is called again."""
    return _wait(Outcome.BUSY, 0, settings)


def _wait(outcome: Outcome, attempts: int, settings: Settings) -> timedelta:
    growth = 1 if outcome in FREE_OF_CHARGE else 2 ** max(attempts - 1, 0)
    return timedelta(seconds=settings.retry_seconds * _SHARE.get(outcome, 1.0) * growth)


class CalledAgain(NamedTuple):
    """Forecast of a retry.

    `at`: the earliest time of the call; None if it belongs to the official's next round, which is not
    planned. `quiet`: the wish lies in quiet hours, and the desk has to agree it with the citizen.
    """

    at: datetime | None
    because: Because
    quiet: bool


def forecast(
    session: Session, callback: Callback, wish: datetime | None, settings: Settings, *, agreed: bool = False
) -> CalledAgain:
    """Return when the citizen would be called if the desk recorded CALL_AGAIN with the time `wish` now.

    `wish` is None if the citizen named no time. Raises Refused("too-far-ahead").
    """
    at, round_ = now(session), phases.get(session, callback.round_id)
    quiet = wish is not None and is_quiet(max(wish, at), settings.quiet_hours)
    if wish is None:
        due, because = find_time_by_rule(at, round_, settings)
    else:
        due, because = find_promised_time(wish, at, round_, settings, agreed=agreed)
    if because is Because.PAST_END:
        return CalledAgain(_next_start(session, round_, at), because, quiet)
    return CalledAgain(due, because, quiet)


def _next_start(session: Session, round_: Round, at: datetime) -> datetime | None:
    following_id = select(carry_over.NEXT_ROUND).select_from(Round).where(Round.id == round_.id)
    next_id = session.scalar(following_id, phases.bind_moment(at))
    return phases.get(session, next_id).starts_at if next_id is not None else None


def list_promised(session: Session, user: User) -> Sequence[Callback]:
    """Return the callbacks for which the person promised a time that is still due, soonest first."""
    newer = aliased(Callback)
    again = exists().where(newer.registration_id == Callback.registration_id, newer.id > Callback.id)
    return session.scalars(
        select(Callback)
        .join(Registration, Registration.id == Callback.registration_id)
        .where(Callback.user_id == user.id, Callback.again_at > now(session) - _LATE)
        .where(Registration.state == RegistrationState.WAITING, ~again)
        .options(selectinload(Callback.notes).joinedload(Note.writer))
        .order_by(Callback.again_at, Callback.id)
        .limit(_MOST_PROMISES)
    ).all()
