"""State and observations of a served round, read from the database for `pacing`."""

import time
from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import bindparam, or_, select
from sqlalchemy.orm import Session

from db.engine import now
from db.models import Callback, Desk, Round, make_literals
from db.states import LIVE, UNDER_WAY, CallbackState, Outcome
from hotline.callbacks import assignment, pacing, transitions
from hotline.callbacks.pacing import RoundStatistics, Situation, Speaker
from hotline.nodes import round_affinity

_NEWEST = 200
"""Number of newest calls that describe a round; the dialer asks five times a second."""

_SHOWS_NOTHING = (Outcome.FAILED, Outcome.RETURNED)
"""Outcomes that describe no phone and no person: our own fault, or a call that we took back."""

_NEWEST_CALLS = (
    select(
        Callback.placed_at,
        Callback.on_the_line,
        Callback.answered_at,
        Callback.confirmed_at,
        Callback.talking_at,
        Callback.finishing_at,
        Callback.ended_at,
        Callback.held_s,
    )
    .where(
        Callback.round_id == bindparam("round"),
        Callback.placed_at.is_not(None),
        or_(Callback.outcome.is_(None), Callback.outcome.not_in(make_literals(_SHOWS_NOTHING))),
    )
    .order_by(Callback.placed_at.desc(), Callback.id.desc())
    .limit(_NEWEST)
)

_LIVE = select(Callback).where(
    Callback.round_id == bindparam("round"), Callback.state.in_(make_literals(LIVE))
)
_DESKS = select(Desk).where(
    Desk.round_id == bindparam("round"),
    Desk.phone_connected,
    Desk.break_reason.is_(None),
    ~round_affinity.where_elsewhere(),
)


class Ages:
    """Ages of calls and conversations that a leap of the clock does not change.

    The wall clock is read at the first look at a stamp, and the monotonic clock counts from there.
    """

    def __init__(self) -> None:
        self._first: dict[tuple[int, str, datetime], tuple[timedelta, float]] = {}
        self._asked: dict[tuple[int, str, datetime], tuple[timedelta, float]] = {}

    def begin_look(self) -> None:
        """Forget what the look before did not ask for: it has ended."""
        self._first, self._asked = self._asked, {}

    def begin(self, callback: Callback, column: str, at: datetime) -> datetime:
        """Return the moment of this column as a steady clock that shows `at` would have stamped it."""
        stamp, ticks = getattr(callback, column) or at, time.monotonic()
        key, age = (callback.id, column, stamp), max(at - stamp, timedelta())
        first_age, first_ticks = self._asked[key] = self._first.get(key, (age, ticks))
        return at - first_age - timedelta(seconds=ticks - first_ticks)


def count_calls_wanted(session: Session, round_: Round, most: int, ages: Ages | None = None) -> int:
    """Return how many more citizens of the round to call now. `ages`: kept from look to look."""
    at_this_moment = find_situation(session, round_.id, ages)
    if not at_this_moment.speakers:
        return 0
    return pacing.count_calls_wanted(
        at_this_moment, list_observations(session, round_.id), minutes=round_.minutes, most=most
    )


def estimate_wait(session: Session, callback: Callback) -> float | None:
    """Return the expected seconds until the waiting citizen is connected; None without a desk."""
    if callback.desk_id is not None:
        return 0.0
    round_ = session.get_one(Round, callback.round_id)
    at_this_moment = find_situation(session, round_.id)
    if not at_this_moment.speakers:
        return None
    waiting = [other.id for other in assignment.list_ready(session, round_.id, screened=True)]
    place = waiting.index(callback.id) + 1 if callback.id in waiting else 1
    so_far = list_observations(session, round_.id)
    return pacing.estimate_wait(at_this_moment, so_far, minutes=round_.minutes, place=place)


def find_situation(session: Session, round_id: int, ages: Ages | None = None) -> Situation:
    """Return the round's desks and calls now.

    A desk that does not want the next citizen, or is on a break, is no speaker.
    """
    at, ages = now(session), ages or Ages()
    live = session.scalars(_LIVE, {"round": round_id}).all()
    desks = session.scalars(_DESKS, {"round": round_id}).all()
    with_desk = {c.desk_id: c for c in live if c.desk_id is not None and transitions.is_occupying(c)}
    called_ahead = [callback for callback in live if callback.desk_id is None]
    return Situation(
        speakers=[
            describe_speaker(with_desk.get(desk.id), at, ages)
            for desk in desks
            if desk.id in with_desk or desk.next_asked_at
        ],
        ringing_for=[
            _seconds(ages.begin(c, "placed_at", at), at)
            for c in called_ahead
            if c.state in UNDER_WAY and c.state is not CallbackState.ANSWERED
        ],
        ready=sum(c.state in (CallbackState.WAITING, CallbackState.SCREENING) for c in called_ahead),
        answered_for=[
            _seconds(ages.begin(c, "answered_at", at), at)
            for c in called_ahead
            if c.state is CallbackState.ANSWERED
        ],
    )


def describe_speaker(callback: Callback | None, at: datetime, ages: Ages | None = None) -> Speaker:
    """Return the speaker with this callback; a desk after its conversation counts as free."""
    if callback is None or callback.state in (CallbackState.PARTING, CallbackState.ENDED):
        return Speaker(None)
    if callback.talking_at is None:
        return Speaker(0.0)
    ages = ages or Ages()
    began = ages.begin(callback, "talking_at", at) + timedelta(seconds=callback.held_s)
    until = ages.begin(callback, "held_at", at) if callback.held_at else at
    pressed = ages.begin(callback, "finishing_at", at) if callback.finishing_at else None
    return Speaker(_seconds(began, until), _seconds(pressed, at) if pressed else None)


def list_observations(session: Session, round_id: int) -> RoundStatistics:
    """Return the observations of the round's newest calls, in the order in which they were placed."""
    newest_first = session.execute(_NEWEST_CALLS, {"round": round_id}).all()
    rows = newest_first[::-1]
    dialled = [row for row in rows if not row.on_the_line]
    return RoundStatistics(
        conversations=_between(
            (r.talking_at and r.talking_at + timedelta(seconds=r.held_s), r.ended_at) for r in rows
        ),
        finishing=_between((r.finishing_at, r.ended_at) for r in rows),
        ready_after=_between((r.placed_at, r.confirmed_at) for r in dialled),
        failed_after=_between(
            (r.placed_at, r.ended_at) for r in dialled if not (r.confirmed_at or r.talking_at)
        ),
        answered_after=_between((r.placed_at, r.answered_at) for r in dialled),
        pressed_after=_between((r.answered_at, r.confirmed_at) for r in dialled),
    )


def _between(times: Iterable[tuple[datetime | None, datetime | None]]) -> tuple[float, ...]:
    return tuple(_seconds(start, end) for start, end in times if start and end)


def _seconds(start: datetime, end: datetime) -> float:
    """Return the seconds from `start` to `end`, at least 0: a step recorded late may seem to end early."""
    return max(0.0, (end - start).total_seconds())
