"""Places of signed-in citizens. The sign-in code has confirmed the number already."""

from sqlalchemy.orm import Session

from db.models import Registration, Round
from hotline.errors import Refused
from hotline.line import registration
from hotline.line.registration import Registered
from settings import Settings


def register(
    session: Session, number: str, round_id: int, *, language: str, subject: int | None, settings: Settings
) -> Registered:
    """Register the E.164 number in an announced round, in the same order as by telephone; a repeat returns
    its place.

    Raises Blocked and Refused("not-found" | "registration-closed" | "round-full" | "too-many-today").
    """
    wanted = session.get(Round, round_id)
    if wanted is None or wanted.is_operators_line:  # its places are for callers
        raise Refused("not-found", f"no round {round_id}")
    return registration.register(
        session,
        round_id=round_id,
        number=number,
        language=language,
        subject=subject,
        per_day=settings.registrations_per_day,
    )


def get(session: Session, number: str, ticket: str) -> Registration:
    """Return the number's own place. Raises Refused("not-found"), also for another number's place."""
    mine = registration.get_by_ticket(session, ticket)
    if mine.number != number:
        raise Refused("not-found", "you have no such place")
    return mine


def give_up(session: Session, number: str, ticket: str) -> None:
    """Give up the place; a text message confirms it. Raises Refused("not-found" | "wrong-state")."""
    registration.cancel(session, get(session, number, ticket).id, tell=True)
