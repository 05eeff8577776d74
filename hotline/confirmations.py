"""Confirming a keyed-in number by calling it: nobody is put in the line by a stranger's fingers.

A confirmation is due until its registration leaves `unconfirmed`; `token` is set, and committed, before
the call is placed, so that it is never placed twice.
"""

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, select, update
from sqlalchemy.orm import Session

from db import events
from db.engine import now
from db.models import Confirmation, MessageKind, Registration, Round
from db.states import Fact, RegistrationState
from hotline import ledger, outbox, rounds

_PREFIX = "confirm-"
_MAX_ATTEMPTS = 3
_WAIT = timedelta(minutes=2)


def is_token(channel_id: str) -> bool:
    """Whether a channel's id can be a confirmation's token."""
    return channel_id.startswith(_PREFIX)


def due(session: Session, limit: int) -> Sequence[int]:
    """The registrations whose number is to be called now, at most `limit`."""
    return session.scalars(
        select(Confirmation.registration_id)
        .where(_is_due(now(session)))
        .order_by(Confirmation.not_before, Confirmation.registration_id)
        .limit(limit)
    ).all()


def _is_due(at: datetime) -> ColumnElement[bool]:
    unconfirmed = (
        select(Registration.id)
        .join(Round, Round.id == Registration.round_id)
        .where(Registration.state == RegistrationState.UNCONFIRMED, ~rounds.is_over(at))
    )
    return and_(
        Confirmation.token.is_(None),
        Confirmation.not_before <= at,
        Confirmation.registration_id.in_(unconfirmed),
    )


def take_up(session: Session, registration_id: int) -> Confirmation | None:
    """Give the confirmation its token: from here on this call is placed once. None if it is not due."""
    at = now(session)
    taken = session.scalar(
        update(Confirmation)
        .where(Confirmation.registration_id == registration_id, _is_due(at))
        .values(token=f"{_PREFIX}{uuid.uuid4().hex}", attempts=Confirmation.attempts + 1, not_before=at)
        .returning(Confirmation.registration_id)
        .execution_options(synchronize_session=False)
    )
    return session.get(Confirmation, taken, populate_existing=True) if taken else None


def put_off(session: Session, confirmation: Confirmation, until: datetime) -> None:
    """It was taken up and may not be placed now: due again from `until` on, as if never taken up."""
    confirmation.token = None
    confirmation.attempts -= 1
    confirmation.not_before = until


def by_token(session: Session, token: str) -> Confirmation | None:
    """The confirmation whose channel is `token`."""
    return session.scalar(select(Confirmation).where(Confirmation.token == token))


def on_the_phone(session: Session) -> dict[str, datetime]:
    """The tokens of calls on their way, and when each was placed."""
    query = select(Confirmation.token, Confirmation.not_before).where(Confirmation.token.is_not(None))
    return {token: placed_at for token, placed_at in session.execute(query) if token}


def answer(session: Session, token: str, *, yes: bool) -> None:
    """The person at the number says that they registered, or that they did not."""
    confirmation = by_token(session, token)
    if confirmation:
        state = RegistrationState.WAITING if yes else RegistrationState.CANCELLED
        _decide(session, confirmation, state)


def ended(session: Session, token: str) -> None:
    """The call is over: unless it was answered, it is tried again later, three times in all."""
    confirmation = by_token(session, token)
    if confirmation is None:
        return
    confirmation.token = None
    confirmation.not_before = now(session) + _WAIT * confirmation.attempts
    if confirmation.attempts >= _MAX_ATTEMPTS:
        _decide(session, confirmation, RegistrationState.CANCELLED)


def _decide(session: Session, confirmation: Confirmation, state: RegistrationState) -> None:
    changed = session.scalar(
        update(Registration)
        .where(
            Registration.id == confirmation.registration_id,
            Registration.state == RegistrationState.UNCONFIRMED,
        )
        .values(state=state)
        .returning(Registration.id)
        .execution_options(synchronize_session=False)
    )
    if changed is not None:
        registration = session.get_one(Registration, changed, populate_existing=True)
        confirmed = state is RegistrationState.WAITING
        if confirmed:
            outbox.tell(session, MessageKind.REGISTERED, registration, about_round=registration.round_id)
        ledger.record(session, Fact.CONFIRMED if confirmed else Fact.CANCELLED, registration)
        events.registration_changed(session, registration)
