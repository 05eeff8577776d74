"""What a served round is like at this moment and has shown so far: the rows behind `hotline.pacing`."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.engine import now
from db.models import Callback, Desk, Round
from db.states import UNDER_WAY, CallbackState

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
