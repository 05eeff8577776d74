"""Heads-up: a citizen who comes near the head of a live round's line is told so, once in the round.

The heads-up is a text message and, if set, a short call (hotline/line/turn_near_calls.py).
"""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.engine import now
from db.models import OutboxKind, Registration, Round
from db.states import RegistrationState
from hotline import outbox
from hotline.line import line, turn_near_calls
from hotline.rounds import rounds

_USEFUL = timedelta(minutes=30)


# Polled every few seconds, so it is built once.
_LIVE = select(Round.id).where(
    Round.is_operators_line.is_(False), Round.opened_at.is_not(None), ~rounds.over_now()
)
IS_ANY_LIVE = select(_LIVE.exists())


def live(session: Session) -> Sequence[int]:
    """Return the live rounds, whose lines have a head."""
    return session.execute(_LIVE).scalars().all()


def tell(session: Session, places: int, *, call_beyond: int | None = None) -> None:
    """Tell the citizens within the first `places` of each live round's line.

    `call_beyond`: also request a call to those behind the first so many for each desk, who are called soon
    anyway.
    """
    at, kind = now(session), OutboxKind.TURN_NEAR
    for round_id in live(session):
        for registration in _waiting(session, round_id, 0, places):
            if not outbox.told(session, kind, registration, round_id):
                outbox.tell(session, kind, registration, about_round=round_id, expires_at=at + _USEFUL)
        if call_beyond is not None:
            first = turn_near_calls.about_to_be_called(session, round_id, call_beyond)
            for registration in _waiting(session, round_id, first, places):
                turn_near_calls.ask(session, registration)


def _waiting(session: Session, round_id: int, first: int, count: int) -> Sequence[Registration]:
    return session.scalars(
        select(Registration)
        .where(Registration.round_id == round_id, Registration.state == RegistrationState.WAITING)
        .order_by(*line.ORDER)
        .offset(first)
        .limit(count)
    ).all()
