"""A citizen's own place, and what is heard of it."""

from sqlalchemy import Engine, select
from stdnum import damm

from db.engine import reading, writing
from db.models import Confirmation, Registration
from db.states import RegistrationState

ASKED = ["greeting", "main-menu", "follow-up-ask"]
TICKET = "012345" + damm.calc_check_digit("012345")
UNKNOWN = "543210" + damm.calc_check_digit("543210")

WAITS = ["status-waiting", "ahead-some", "round-has-begun"]
OWNER = ["greeting", "main-menu", "active-registration", *WAITS]
CHOICES = ["choices", "follow-up-menu", "other-ticket"]

CANCELS = [("main-menu", "2"), ("follow-up-menu", "2"), ("cancel-confirm", "5")]
NO_TICKET = [
    *([("owner-ticket", "#")], [("after owner-ticket", "")]),
    [("owner-ticket", "1#"), ("owner-ticket", UNKNOWN + "#"), ("owner-ticket", "#")],
    [("owner-ticket", UNKNOWN + "#")] * 3,
]


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
