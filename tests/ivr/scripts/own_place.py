"""A citizen's own place, and what is heard of it."""

from sqlalchemy import Engine, select
from stdnum import damm

from db.engine import reading
from db.models import Confirmation, Registration

ASKED = ["greeting", "main-menu", "follow-up-ask"]
TICKET = "012345" + damm.calc_check_digit("012345")
UNKNOWN = "543210" + damm.calc_check_digit("543210")

WAITS = ["status-waiting", "ahead-some", "round-has-begun"]
OWNER = ["greeting", "main-menu", "active-registration", *WAITS]
CHOICES = ["choices", "follow-up-menu", "other-ticket"]


def kept(engine: Engine, registration: Registration) -> Registration:
    """The registration as it is now."""
    with reading(engine) as session:
        return session.get_one(Registration, registration.id)


def asked(engine: Engine) -> list[Confirmation]:
    with reading(engine) as session:
        return list(session.scalars(select(Confirmation)))
