"""The short call before one's turn: press 1 if you can be reached in the next minutes, 2 for the next round.

One try in each round. `token` is committed before the call is placed, so that it is never placed twice; until
the call has ended, nobody takes its registration out of the line (line.take_next).
"""

import uuid
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, and_, exists, select, update
from sqlalchemy.orm import Session

from db import events
from db.engine import now
from db.models import NearCall, Registration, Round
from db.states import Fact, NearAnswer, RegistrationState
from hotline import ledger, rounds

_PREFIX = "near-"


def is_token(channel_id: str) -> bool:
    """Whether a channel's id can be a near call's token."""
    return channel_id.startswith(_PREFIX)


def ask(session: Session, registration: Registration) -> None:
    """The registration is to be called, unless it was in this round already, for whatever reason."""
    called_back = registration.attempts > 0 or registration.not_before is not None
    known = session.get(NearCall, (registration.id, registration.round_id))
    if known or called_back:
        return
    due = NearCall(registration_id=registration.id, round_id=registration.round_id, due_at=now(session))
    session.add(due)


def due(session: Session, limit: int) -> Sequence[NearCall]:
    """The calls that are to be placed now, at most `limit`."""
    query = select(NearCall).where(_is_due(now(session)))
    return session.scalars(query.order_by(NearCall.due_at, NearCall.registration_id).limit(limit)).all()


def _is_due(at: datetime) -> ColumnElement[bool]:
    still_waits = (
        select(Registration.id)
        .join(Round, Round.id == Registration.round_id)
        .where(
            Registration.id == NearCall.registration_id,
            Registration.round_id == NearCall.round_id,
            Registration.state == RegistrationState.WAITING,
            ~rounds.is_over(at),
        )
        .correlate(NearCall)
    )
    return and_(NearCall.token.is_(None), NearCall.ended_at.is_(None), still_waits.exists())


def take_up(session: Session, registration_id: int, round_id: int) -> NearCall | None:
    """Give the call its token: from here on it is placed once. None if it is not due.

    Call it before any other change: whoever takes from this line at the same moment waits for the commit.
    """
    events.hold_line(session, round_id)
    at = now(session)
    taken = session.scalar(
        update(NearCall)
        .where(NearCall.registration_id == registration_id, NearCall.round_id == round_id, _is_due(at))
        .values(token=f"{_PREFIX}{uuid.uuid4().hex}", placed_at=at)
        .returning(NearCall.token)
        .execution_options(synchronize_session=False)
    )
    return by_token(session, taken) if taken else None


def put_off(near_call: NearCall) -> None:
    """It was taken up and may not be placed now: due again, as if never taken up."""
    near_call.token = near_call.placed_at = None


def by_token(session: Session, token: str) -> NearCall | None:
    """The call whose channel is `token`."""
    query = select(NearCall).where(NearCall.token == token)
    return session.scalar(query.execution_options(populate_existing=True))


def on_the_phone(session: Session) -> dict[str, datetime]:
    """The tokens of calls on their way, and when each was placed."""
    query = select(NearCall.token, NearCall.placed_at).where(NearCall.ended_at.is_(None))
    return {token: at for token, at in session.execute(query) if token and at}


def answer(session: Session, token: str, said: NearAnswer) -> bool:
    """What the citizen says, once; returns whether it holds.

    Whoever asks for the next round leaves this round's line and is carried over before all later ones,
    unless the place has moved on meanwhile.
    """
    near_call = by_token(session, token)
    if near_call is None or near_call.ended_at or near_call.answer:
        return False
    if said is NearAnswer.NEXT_ROUND:
        return _defer(session, near_call)
    near_call.answer = said
    return True


def _defer(session: Session, near_call: NearCall) -> bool:
    changed = session.scalar(
        update(Registration)
        .where(
            Registration.id == near_call.registration_id,
            Registration.round_id == near_call.round_id,
            Registration.state == RegistrationState.WAITING,
        )
        .values(state=RegistrationState.UNREACHED)
        .returning(Registration.id)
        .execution_options(synchronize_session=False)
    )
    if changed is None:
        return False
    near_call.answer = NearAnswer.NEXT_ROUND
    session.flush()  # every row first, then the log
    registration = session.get_one(Registration, changed, populate_existing=True)
    ledger.record(session, Fact.DEFERRED, registration)
    events.registration_changed(session, registration)
    return True


def ended(session: Session, token: str) -> None:
    """The call is over, or was never placed."""
    session.execute(
        update(NearCall)
        .where(NearCall.token == token, NearCall.ended_at.is_(None))
        .values(ended_at=now(session))
    )


def deferred() -> ColumnElement[bool]:
    """In a query of Registration: whether the citizen asked, in its round, for the next one."""
    return exists().where(
        NearCall.registration_id == Registration.id,
        NearCall.round_id == Registration.round_id,
        NearCall.answer == NearAnswer.NEXT_ROUND,
    )


def has_deferred(session: Session, registration: Registration) -> bool:
    """Whether the citizen asked, in the registration's round, for the next one."""
    near_call = session.get(NearCall, (registration.id, registration.round_id))
    return near_call is not None and near_call.answer is NearAnswer.NEXT_ROUND
