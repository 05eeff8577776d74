"""A round and a desk that serves it."""

import pytest
from sqlalchemy.orm import Session

from db.models import Desk, Round
from settings import Settings
from tests.factories import a_round, some_registrations
from tests.hotline.callbacks.served_round import some_desks


@pytest.fixture
def round_(session: Session) -> Round:
    round_ = a_round(session)
    some_registrations(session, round_, 6)
    return round_


@pytest.fixture
def desk(session: Session, round_: Round, settings: Settings) -> Desk:
    return some_desks(session, round_, settings)[0]
