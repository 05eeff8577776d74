"""A round that callers may register for, and a citizen with a place in another."""

import pytest
from sqlalchemy import Engine

from db.engine import writing
from db.models import Registration
from db.states import Phase
from tests import factories as make
from tests.ivr.scripts.own_place import TICKET


@pytest.fixture
def own(engine: Engine) -> Registration:
    """The registration with TICKET, third in its line."""
    with writing(engine) as session:
        *_, own = make.some_registrations(session, make.a_round(session), 3)
        own.ticket = TICKET
    return own


@pytest.fixture
def round_id(engine: Engine) -> int:
    """The one round that takes registrations, the mayor's."""
    with writing(engine) as session:
        return make.a_round(session, Phase.OPEN).id
