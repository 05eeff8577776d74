"""Whether tables are this version's, said without Alembic as Alembic says it."""

from alembic.script import ScriptDirectory
from sqlalchemy import Engine, text

from db import migrate, version
from db.engine import connect, reading, writing


def test_newest_version_matches_alembic_heads() -> None:
    assert version.list_newest() == set(ScriptDirectory.from_config(migrate._config()).get_heads()) != set()


def test_version_check_tells_current_tables_from_others(engine: Engine, empty_database: str) -> None:
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
