"""A citizen's own place, and what is heard of it."""

from sqlalchemy import Engine, select, update
from stdnum import damm

from db.engine import now, reading, writing
from db.models import Confirmation, Registration
from db.states import RegistrationState
from hotline.line import confirmation_calls

ASKED = ["greeting", "menu-english", "main-menu", "follow-up-ask"]
TICKET = "012345" + damm.calc_check_digit("012345")
UNKNOWN = "543210" + damm.calc_check_digit("543210")

WAITS = ["status-waiting", "ahead-some", "round-has-begun"]
OWNER = ["greeting", "menu-english", "main-menu", "active-registration", *WAITS]
CHOICES = ["choices", "follow-up-menu"]

CANCELS = [("main-menu", "2"), ("follow-up-menu", "2"), ("cancel-confirm", "5")]


def kept(engine: Engine, registration: Registration) -> Registration:
    """The registration as it is now."""
    with reading(engine) as session:
        return session.get_one(Registration, registration.id)


def asked(engine: Engine) -> list[Confirmation]:
    with reading(engine) as session:
        return list(session.scalars(select(Confirmation)))


def become(engine: Engine, registration: Registration, state: RegistrationState) -> None:
    with writing(engine) as session:
        session.get_one(Registration, registration.id).state = state


def take_up_call(engine: Engine) -> tuple[str, str] | None:
    """Take up the next call that is asked for, as the dialer does in time. Return its number and token."""
    waits = update(Confirmation).where(Confirmation.decided_at.is_(None), Confirmation.attempts == 0)
    with writing(engine) as session:
        session.execute(waits.values(not_before=now(session)))
        for id_ in confirmation_calls.list_due(session, 1):
            taken = confirmation_calls.take_up(session, id_)
            if taken and taken.token:
                return taken.number, taken.token
    return None


def call_in_vain(engine: Engine) -> None:
    """All calls that were asked for reach nobody."""
    with writing(engine) as session:
        still_open = update(Confirmation).where(Confirmation.decided_at.is_(None))
        session.execute(still_open.values(decided_at=now(session)))
