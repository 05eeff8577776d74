"""Places that are asked for by text message, whose sender's number can be forged.

Such a place takes no room, and nobody is called for it, until the number sends its ticket number back: only
the number's owner reads our answer. It counts from when it was asked for, and is over with its round.
"""

from sqlalchemy.orm import Session

from db.engine import one_at_a_time
from db.models import Registration
from db.states import Fact, RegistrationState
from hotline.line import blocked, registration, registration_limits


def ask(session: Session, *, round_id: int, number: str, language: str, per_day: int) -> Registration:
    """The place that the E.164 `number` has in the round, else a new one that waits for its ticket number.

    Raises Refused("not-found" | "registration-closed" | "round-full" | "too-many-today") and Blocked.
    """
    one_at_a_time(session, number)
    found = registration_limits.find_round(session, round_id, number, caller=number)
    if found.holding:
        return session.get_one(Registration, found.holding)
    registration_limits.check(session, found, per_day)
    unconfirmed = RegistrationState.UNCONFIRMED
    place = registration.reserve(session, found, unconfirmed, number, language=language)
    if place is None:  # the same number came into the round from an earlier one meanwhile
        return registration.held(session, round_id, number)
    registration.record(session, Fact.REGISTERED, place)
    return session.get_one(Registration, place.id)


def confirm(session: Session, place: Registration, *, per_day: int) -> None:
    """The place's own number has sent its ticket number: it joins the line.

    Raises Refused("round-full" | "too-many-today" | "wrong-state") and Blocked.
    """
    one_at_a_time(session, place.number)
    blocked.check(session, place.number)
    found = registration_limits.find_round(session, place.round_id, place.number, caller=place.number)
    registration_limits.check_today(found, per_day)
    registration.confirm(session, place, tell=False)
