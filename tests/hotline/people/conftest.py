"""A desk, and the person who is signed in there."""

import pytest
from sqlalchemy.orm import Session

from db.models import Desk, User
from tests.factories import a_desk, a_user


@pytest.fixture
def desk(session: Session) -> Desk:
    return a_desk(session)


@pytest.fixture
def person(session: Session, desk: Desk) -> User:
    return a_user(session, desk)
