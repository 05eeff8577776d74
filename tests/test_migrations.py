"""The migrations make exactly the tables that the models describe, on both databases."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, inspect, text

from db import migrate
from db.engine import connect
from db.models import Base


@pytest.fixture
def empty(empty_database: str) -> Iterator[Engine]:
    engine = connect(empty_database)
    yield engine
    engine.dispose()


def shape(engine: Engine) -> dict[str, Any]:
    """Everything the database knows of each table: columns, keys, checks, indexes with their conditions."""
    seen = inspect(engine)
    return {
        table: {
            "columns": {
                c["name"]: (repr(c["type"]), c["nullable"], c["default"]) for c in seen.get_columns(table)
            },
            "key": seen.get_pk_constraint(table)["constrained_columns"],
            "foreign": sorted(
                (f["constrained_columns"], f["referred_table"], f["referred_columns"])
                for f in seen.get_foreign_keys(table)
            ),
            "unique": sorted(u["column_names"] for u in seen.get_unique_constraints(table)),
            "checks": sorted((str(c["name"]), c["sqltext"]) for c in seen.get_check_constraints(table)),
            "indexes": sorted(
                (
                    str(i["name"]),
                    i["column_names"],
                    i.get("expressions", []),
                    i["unique"],
                    sorted((k, str(v)) for k, v in i.get("dialect_options", {}).items()),
                    sorted(i.get("column_sorting", {}).items()),
                )
                for i in seen.get_indexes(table)
            ),
        }
        for table in seen.get_table_names()
        if table != "alembic_version"
    }


def statements(engine: Engine) -> dict[str, str]:
    """What SQLite itself keeps of each index: conditions and directions that no inspector tells."""
    if engine.dialect.name != "sqlite":
        return {}
    with engine.connect() as connection:
        rows = connection.execute(
            text("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql <> ''")
        )
        return {name: " ".join(sql.split()) for name, sql in rows}


def test_given_an_empty_database_when_upgraded_then_it_is_current_and_was_not_before(empty: Engine) -> None:
    assert not migrate.is_current(empty)
    migrate.upgrade(empty)
    assert migrate.is_current(empty)
    assert set(shape(empty)) == set(Base.metadata.tables)


def test_given_an_upgraded_database_when_upgraded_again_then_nothing_changes(empty: Engine) -> None:
    migrate.upgrade(empty)
    before = shape(empty), statements(empty)
    migrate.upgrade(empty)
    assert (shape(empty), statements(empty)) == before
    assert migrate.is_current(empty)


def test_given_an_upgraded_database_when_alembic_compares_it_with_the_models_then_nothing_differs(
    engine: Engine,
) -> None:
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []


def test_given_the_models_when_made_directly_then_checks_and_conditions_are_those_of_the_migrations(
    engine: Engine, empty: Engine
) -> None:
    Base.metadata.create_all(empty)
    migrated = shape(engine)
    assert migrated["callbacks"]["checks"] and migrated["registrations"]["indexes"]
    assert migrated == shape(empty)
    assert statements(engine) == statements(empty)


def test_given_a_migration_that_fails_halfway_when_run_then_nothing_of_it_is_left(
    empty: Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    scripts = tmp_path / "migrations"
    (scripts / "versions").mkdir(parents=True)
    source = Path(migrate.__file__).parent / "migrations"
    (scripts / "env.py").write_text((source / "env.py").read_text())
    (scripts / "versions" / "0001.py").write_text((source / "versions/0001_first_tables.py").read_text())
    (scripts / "versions" / "0002.py").write_text(
        "from alembic import op\nrevision = '0002'\ndown_revision = '0001'\n"
        "def upgrade() -> None:\n"
        "    op.execute('CREATE TABLE half (id INTEGER)')\n"
        "    op.execute('nonsense')\n"
    )
    config = migrate._config()
    config.set_main_option("script_location", str(scripts))
    monkeypatch.setattr(migrate, "_config", lambda: config)
    with pytest.raises(Exception, match="nonsense"):
        migrate.upgrade(empty)
    assert inspect(empty).get_table_names() == []
    assert not migrate.is_current(empty)
