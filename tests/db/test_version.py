"""Whether tables are this version's, said without Alembic as Alembic says it."""

from alembic.script import ScriptDirectory
from sqlalchemy import Engine, text

from db import migrate, version
from db.engine import connect, reading, writing


def test_given_the_migrations_when_read_as_text_then_the_last_are_those_that_alembic_names() -> None:
    assert version.newest() == set(ScriptDirectory.from_config(migrate._config()).get_heads()) != set()


def test_given_tables_when_asked_then_they_are_this_version_s_or_not(
    engine: Engine, empty_database: str
) -> None:
    empty = connect(empty_database)
    with reading(empty) as session:
        assert not version.is_newest(session.connection())
    empty.dispose()
    with reading(engine) as session:
        assert version.is_newest(session.connection())
    with writing(engine) as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with reading(engine) as session:
        assert not version.is_newest(session.connection())
