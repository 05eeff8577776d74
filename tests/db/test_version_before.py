"""From the version before: what a city has is kept, and machines of that version work on beside new ones."""

import hashlib
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, MetaData, select, text

from db import migrate, version
from db.engine import connect
from hotline.ledger.verify import verify
from tests.kit import released
from tests.kit.schema import missed, shape

pytestmark = pytest.mark.long

_SCRIPTS = Path(migrate.__file__).parent / "migrations" / "versions"
_RELEASED = Path(__file__).parent / "versions" / "released.toml"


@pytest.fixture
def empty(empty_database: str) -> Iterator[Engine]:
    engine = connect(empty_database)
    yield engine
    engine.dispose()


@pytest.fixture
def before(empty: Engine, tmp_path: Path) -> tuple[Engine, MetaData]:
    """A database of the version before, in use, and its tables."""
    return empty, released.in_use(empty, tmp_path)


def rows(engine: Engine, tables: MetaData) -> dict[str, list[Any]]:
    """Every row, by the columns that they had then."""
    with engine.connect() as connection:
        return {
            name: sorted(map(tuple, connection.execute(select(table))), key=repr)
            for name, table in tables.tables.items()
        }


def test_released_migrations_are_unchanged() -> None:
    released_ = tomllib.loads(_RELEASED.read_text("utf-8"))
    assert released_
    for name, digest in released_.items():
        assert hashlib.sha256((_SCRIPTS / name).read_bytes()).hexdigest() == digest, (
            f"{name} was released: a change is a new migration"
        )


def test_upgrade_from_the_version_before_keeps_every_row(
    before: tuple[Engine, MetaData],
) -> None:
    engine, old = before
    was = rows(engine, old)
    assert len(was["registrations"]) > 200 and was["line_counts"] and was["requests"]
    migrate.upgrade(engine)
    assert migrate.is_current(engine)
    now = rows(engine, old)
    assert {name: now[name] for name in was} == was
    assert verify(engine).entries > 600 and not verify(engine).problems


def test_upgrade_from_the_version_before_gives_current_schema(
    before: tuple[Engine, MetaData], engine: Engine
) -> None:
    upgraded, _ = before
    migrate.upgrade(upgraded)
    assert shape(upgraded) == shape(engine)


def test_current_schema_lacks_nothing_the_version_before_uses(empty: Engine, engine: Engine) -> None:
    released.tables_of(empty)
    assert missed(shape(empty), shape(engine)) == []


@pytest.mark.parametrize(
    ("backend", "change", "found"),
    [
        ("postgresql", "DROP TABLE walls", "table walls is gone"),
        ("postgresql", "ALTER TABLE desks DROP COLUMN phone", "column phone was"),
        ("postgresql", "ALTER TABLE desks ALTER phone TYPE text", "column phone was"),
        ("postgresql", "ALTER TABLE desks ADD floor int NOT NULL", "column floor must be given"),
        ("postgresql", "ALTER TABLE audit ALTER reason DROP NOT NULL", "column reason was"),
        ("postgresql", "ALTER TABLE audit ADD CHECK (reason <> '')", "is new"),
        ("postgresql", "CREATE UNIQUE INDEX one_name ON users (name)", "unique ['name'] is new"),
        ("postgresql", "DROP INDEX audit_by_time", "indexes ('audit_by_time'"),
        ("postgresql", "CREATE TABLE chairs (desk_id int REFERENCES desks)", "cannot delete from desks"),
        ("sqlite", "ALTER TABLE desks RENAME COLUMN phone TO telephone", "column phone was"),
    ],
)
def test_schema_change_that_removes_something_is_reported(
    backend: str, empty: Engine, change: str, found: str
) -> None:
    migrate.upgrade(empty)
    old = shape(empty)
    with empty.begin() as connection:
        connection.execute(text(change))
    assert [one for one in missed(old, shape(empty)) if found in one], missed(old, shape(empty))


@pytest.mark.parametrize(
    ("backend", "change"),
    [
        ("postgresql", "ALTER TABLE desks ADD floor int NOT NULL DEFAULT 0"),
        ("postgresql", "ALTER TABLE desks ADD floor int; CREATE UNIQUE INDEX a_floor ON desks (floor)"),
        ("postgresql", "CREATE TABLE chairs (desk_id int REFERENCES desks ON DELETE CASCADE)"),
        ("sqlite", "CREATE INDEX audit_by_subject ON audit (subject)"),
    ],
)
def test_schema_change_that_only_adds_is_accepted(backend: str, empty: Engine, change: str) -> None:
    migrate.upgrade(empty)
    old = shape(empty)
    with empty.begin() as connection:
        for statement in change.split("; "):
            connection.execute(text(statement))
    assert missed(old, shape(empty)) == []


@pytest.mark.parametrize(
    ("words", "found"), [("'on', 'off', 'held'", []), ("'on'", ["states: check a_state was"])]
)
def test_changed_word_list_is_reported_only_when_it_shrinks(
    empty: Engine, words: str, found: list[str]
) -> None:
    table = "CREATE TABLE states (state varchar(9), CONSTRAINT a_state CHECK (state IN ({})))"
    with empty.begin() as connection:
        connection.execute(text(table.format("'on', 'off'")))
    old = shape(empty)
    with empty.begin() as connection:
        connection.execute(text("DROP TABLE states"))
        connection.execute(text(table.format(words)))
    assert [one[:25] for one in missed(old, shape(empty))] == found


@pytest.fixture
def at(empty: Engine) -> Callable[[str], Engine]:
    """A database that says it has seen this migration last."""

    def made(name: str) -> Engine:
        migrate.upgrade(empty)
        with empty.begin() as connection:
            connection.execute(text(f"UPDATE alembic_version SET version_num = '{name}'"))
        return empty

    return made


def _release() -> int:
    (newest,) = version.list_newest()
    return int(newest[:2])


def test_tables_of_the_next_release_are_used_and_left_unchanged(
    at: Callable[[str], Engine],
) -> None:
    engine = at(f"{_release() + 1:02}03")
    with engine.connect() as connection:
        assert version.may_run(connection)
        assert not version.is_newest(connection)
    migrate.upgrade(engine)
    assert not migrate.is_current(engine)


@pytest.mark.parametrize("name", ["{later:02}01", "{own:02}99", "abcd", "0102x"])
def test_tables_of_any_other_version_are_refused(at: Callable[[str], Engine], name: str) -> None:
    engine = at(name.format(own=_release(), later=_release() + 2))
    with engine.connect() as connection:
        assert not version.may_run(connection)
    with pytest.raises(migrate.OtherVersion):
        migrate.upgrade(engine)
