"""Two rounds of one official, and when they are."""

from datetime import datetime, timedelta

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from db.engine import reading
from db.models import Registration, Round
from db.states import Phase, RegistrationState
from tests import factories as make
from tests.ivr.scripts.registering import OWN

DAY = timedelta(days=1)
WAITING, UNREACHED = RegistrationState.WAITING, RegistrationState.UNREACHED
ASKED = ["ask-subject", "message-offer", "goodbye"]


def two_rounds(session: Session, first: Phase, then: Phase | None) -> tuple[Round, Round | None]:
    """Two rounds of one official, the second a day after the first; None: it is not made yet."""
    left = make.a_round(session, first)
    if then is None:
        return left, None
    following = make.a_round(session, then)
    following.official = left.official
    if then is not Phase.LIVE:
        following.starts_at, following.ends_at = following.starts_at + DAY, following.ends_at + DAY
    session.flush()
    return left, following


def at(moment: datetime | None) -> dict[str, datetime]:
    assert moment
    return {"day": moment, "date": moment, "time": moment}


def of_round(engine: Engine, round_: Round) -> list[Registration]:
    with reading(engine) as session:
        return session.query(Registration).filter_by(round_id=round_.id, number=OWN).all()
