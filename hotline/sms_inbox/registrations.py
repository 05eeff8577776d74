"""Places requested by text message, whose sender's number can be forged.

Such a place takes no room and gets no call until the number sends its ticket number back. Only the number's
owner reads our answer. The place counts from its request, and ends with its round.
"""

from sqlalchemy.orm import Session

from db.engine import hold_lock
from db.models import Registration
from db.states import Fact, RegistrationState
from hotline.line import blocked, registration, registration_limits


def ask(session: Session, *, round_id: int, number: str, language: str, per_day: int) -> Registration:
    """Return the E.164 `number`'s place in the round, or a new one that waits for its ticket number.

    Raises Refused("not-found" | "registration-closed" | "round-full" | "too-many-today") and Blocked.
    """
    hold_lock(session, number)
    found = registration_limits.find_round(session, round_id, number, caller=number)
    if found.holding:
        return session.get_one(Registration, found.holding)
    registration_limits.check(session, found, per_day)
    unconfirmed = RegistrationState.UNCONFIRMED
    place = registration.reserve(session, found, unconfirmed, number, language=language)
    if place is None:  # a carry-over brought the number into the round meanwhile
        return registration.get_place(session, round_id, number)
    registration.record(session, Fact.REGISTERED, place)
    return session.get_one(Registration, place.id)


def confirm(session: Session, place: Registration, *, per_day: int) -> None:
    """Let the place join the line: its own number has sent the ticket number.

    Raises Refused("round-full" | "too-many-today" | "wrong-state") and Blocked.
    """
    hold_lock(session, place.number)
    blocked.check(session, place.number)
    found = registration_limits.find_round(session, place.round_id, place.number, caller=place.number)
    registration_limits.check_today(found, per_day)
    registration.confirm(session, place, tell=False)
