"""The check of a column accepts the words of its enum, and a migration adds one."""

from collections.abc import Iterator

import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Connection, Engine, Enum, select, text
from sqlalchemy.exc import IntegrityError

from db import migrate
from db.engine import connect, writing
from db.models import Base, Registration
from db.states import Outcome
from db.word_checks import replace_words
from tests import factories as make
from tests.kit.schema import missed, shape

WIDER = (*Outcome, "wrong_person")


@pytest.fixture
def engine(empty_database: str) -> Iterator[Engine]:
    engine = connect(empty_database)
    migrate.upgrade(engine)
    yield engine
    engine.dispose()


def replace(connection: Connection, check: str) -> None:
    with Operations.context(MigrationContext.configure(connection)):
        replace_words("registrations", check, "last_outcome", *WIDER)


def say(engine: Engine, word: str) -> None:
    with engine.begin() as connection:
        connection.execute(text("UPDATE registrations SET last_outcome = :word"), {"word": word})


def test_replaced_check_accepts_the_new_word_only(engine: Engine) -> None:
    with writing(engine) as session:
        place = make.a_registration(session, make.a_round(session)).id
    before = shape(engine)
    with engine.begin() as connection:
        replace(connection, "last_outcome")
    assert missed(before, shape(engine)) == []
    say(engine, "wrong_person")
    with pytest.raises(IntegrityError):
        say(engine, "nonsense")
    with engine.connect() as connection:
        assert connection.scalars(select(Registration.id)).all() == [place]


def test_same_words_leave_every_check_as_it_was(engine: Engine) -> None:
    before = shape(engine)
    with engine.begin() as connection, Operations.context(MigrationContext.configure(connection)):
        for table in Base.metadata.tables.values():
            for column in table.columns:
                if isinstance(column.type, Enum) and column.type.create_constraint:
                    replace_words(table.name, str(column.type.name), column.name, *column.type.enums)
    assert shape(engine) == before


def test_check_that_does_not_exist_is_refused(engine: Engine) -> None:
    with engine.begin() as connection, pytest.raises(Exception, match="last_word"):
        replace(connection, "last_word")
