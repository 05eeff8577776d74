"""A place in a round for whoever is signed in by number: their code was the yes to the number already."""

from sqlalchemy.orm import Session

from db.models import Registration, Round
from hotline.errors import Refused
from hotline.line import registration
from hotline.line.registration import Registered
from settings import Settings


def register(
    session: Session, number: str, round_id: int, *, language: str, subject: int | None, settings: Settings
) -> Registered:
    """Give the E.164 number its place in an announced round, in the one order of all ways; again: the same.

    Raises Blocked and Refused("not-found" | "registration-closed" | "round-full" | "too-many-today").
    """
    wanted = session.get(Round, round_id)
    if wanted is None or wanted.is_operators_line:  # that is for who is on the telephone
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
    """The number's own place. Raises Refused("not-found"), of another's, too."""
    mine = registration.get_by_ticket(session, ticket)
    if mine.number != number:
        raise Refused("not-found", "you have no such place")
    return mine


def give_up(session: Session, number: str, ticket: str) -> None:
    """It is given up; a text message says so. Raises Refused("not-found" | "wrong-state")."""
    registration.cancel(session, get(session, number, ticket).id, tell=True)
