"""«Your turn is near»: whoever comes to the head of a live round's line is told so, once in the round.

By a text message and, where it is set, by a short call (hotline/near_calls.py).
"""

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.engine import now
from db.models import MessageKind, Registration, Round
from db.states import RegistrationState
from hotline import line, near_calls, outbox, rounds

_USEFUL = timedelta(minutes=30)


def tell(session: Session, places: int, *, call: bool = False) -> None:
    """Tell whoever waits within the first `places` of a line whose round is live; `call`: ask them, too."""
    at, near = now(session), MessageKind.NEAR
    live = session.scalars(
        select(Round.id).where(Round.standing.is_(False), Round.opened_at.is_not(None), ~rounds.is_over(at))
    ).all()
    for round_id in live:
        head = session.scalars(
            select(Registration)
            .where(Registration.round_id == round_id, Registration.state == RegistrationState.WAITING)
            .order_by(*line.ORDER)
            .limit(places)
        ).all()
        for registration in head:
            if not outbox.told(session, near, registration, round_id):
                outbox.tell(session, near, registration, about_round=round_id, expires_at=at + _USEFUL)
            if call:
                near_calls.ask(session, registration)
