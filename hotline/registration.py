"""Registering for a round, and finding one's registration again."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from db import events
from db.engine import now
from db.models import Registration
from db.states import HOLDS_PLACE
from hotline import line, rounds, tickets
from hotline.errors import Refused

_DRAWS = 50


@dataclass(frozen=True)
class Registered:
    """What a citizen is told: the ticket number, how many are ahead, whether it was there before."""

    ticket: str
    ahead: int
    already: bool


def register(session: Session, *, round_id: int, number: str, language: str = "fa") -> Registered:
    """Give the E.164 `number` its place in the round; the same number again gets the place it has.

    Raises Refused("not-found") and Refused("registration-closed").
    """
    round_ = rounds.get(session, round_id)
    existing = _holding(session, round_id, number)
    if existing:
        return Registered(existing.ticket, line.ahead(session, existing), already=True)
    at = now(session)
    if not rounds.takes_registrations(round_, at):
        raise Refused("registration-closed", "this round takes no registrations now")
    for _ in range(_DRAWS):
        registration = Registration(
            round_id=round_id,
            number=number,
            ticket=tickets.draw(),
            language=language,
            registered_at=at,
        )
        try:
            with session.begin_nested():
                session.add(registration)
        except IntegrityError:  # the ticket is taken, or the same number is registering elsewhere
            existing = _holding(session, round_id, number)
            if existing:
                return Registered(existing.ticket, line.ahead(session, existing), already=True)
            continue
        events.registration_changed(session, registration)
        return Registered(registration.ticket, line.ahead(session, registration), already=False)
    raise Refused("tickets-used-up", "no free ticket number was found")


def find(session: Session, ticket: str) -> Registration:
    """The registration with this ticket number. Raises Refused("not-found")."""
    registration = session.scalar(select(Registration).where(Registration.ticket == ticket))
    if registration is None:
        raise Refused("not-found", "no registration with this ticket number")
    return registration


def _holding(session: Session, round_id: int, number: str) -> Registration | None:
    return session.scalar(
        select(Registration).where(
            Registration.round_id == round_id,
            Registration.number == number,
            Registration.state.in_(HOLDS_PLACE),
        )
    )
