"""What a served round is like at this moment and has shown so far: the rows behind `hotline.pacing`."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.engine import now
from db.models import Callback, Desk, Round
from db.states import UNDER_WAY, CallbackState
from hotline import serving

_INTO_CONVERSATION_S = 150.0


def calls_wanted(session: Session, round_: Round, most: int) -> int:
    """How many more citizens of the round are to be called at this moment."""
    # The first, fixed rule; hotline.pacing takes its place.
    at = now(session)
    desks = session.scalars(select(Desk).where(Desk.round_id == round_.id, Desk.phone_connected)).all()
    held = session.scalars(
        select(Callback).where(Callback.round_id == round_.id, Callback.state != CallbackState.CLOSED)
    ).all()
    ahead = sum(c.desk_id is None and c.state in (*UNDER_WAY, CallbackState.WAITING) for c in held)
    soon_free = 0
    for desk in desks:
        talks = next((c for c in held if c.desk_id == desk.id), None)
        if talks is None:
            soon_free += desk.next_asked_at is not None
        elif talks.talking_at:
            soon_free += (at - talks.talking_at).total_seconds() > _INTO_CONVERSATION_S
    return max(0, min(soon_free, most * len(desks)) - ahead)


_OF_THE_AGREED = 5 / 6
_PRIOR_WEIGHT = 2
"""What is known of a round's conversations before the first one counts as so many of them."""


def expected_wait(session: Session, callback: Callback) -> float:
    """Seconds until the citizen of `callback`, who waits, will probably be connected."""
    if callback.desk_id is not None:
        return 0.0
    at = now(session)
    mean = _mean_conversation_s(session, session.get_one(Round, callback.round_id))
    free_in = sorted(_free_in(session, callback.round_id, at, mean)) or [mean]
    before, first = divmod(_ahead_of(session, callback), len(free_in))
    return free_in[first] + before * mean


def _mean_conversation_s(session: Session, round_: Round) -> float:
    talked = session.execute(
        select(Callback.talking_at, Callback.ended_at).where(
            Callback.round_id == round_.id,
            Callback.talking_at.is_not(None),
            Callback.ended_at.is_not(None),
        )
    )
    seconds = [(ended - began).total_seconds() for began, ended in talked if began and ended]
    prior = round_.minutes * 60 * _OF_THE_AGREED
    return (prior * _PRIOR_WEIGHT + sum(seconds)) / (_PRIOR_WEIGHT + len(seconds))


def _free_in(session: Session, round_id: int, at: datetime, mean: float) -> list[float]:
    """In how many seconds each desk of the round will probably be free."""
    desks = select(Desk.id).where(Desk.round_id == round_id, Desk.phone_connected)
    held = select(Callback).where(Callback.desk_id.in_(desks), Callback.state != CallbackState.CLOSED)
    talks = {live.desk_id: live.talking_at or at for live in session.scalars(held)}
    lasted = [
        (at - talks[desk]).total_seconds() if desk in talks else mean for desk in session.scalars(desks)
    ]
    return [max(0.0, mean - seconds) for seconds in lasted]


def _ahead_of(session: Session, callback: Callback) -> int:
    """How many citizens who wait as well are connected before this one."""
    waiting = [other.id for other in serving.ready(session, callback.round_id, screened=True)]
    return waiting.index(callback.id) if callback.id in waiting else 0
