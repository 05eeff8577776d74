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


def test_given_what_was_released_when_looked_at_then_no_migration_of_it_was_changed() -> None:
    released_ = tomllib.loads(_RELEASED.read_text("utf-8"))
    assert released_
    for name, digest in released_.items():
        assert hashlib.sha256((_SCRIPTS / name).read_bytes()).hexdigest() == digest, (
            f"{name} was released: a change is a new migration"
        )


def test_given_the_version_before_in_use_when_upgraded_then_every_row_is_kept(
    before: tuple[Engine, MetaData],
) -> None:
    engine, old = before
    was = rows(engine, old)
    assert len(was["registrations"]) > 200 and was["line_counts"] and was["requests"]
    migrate.upgrade(engine)
    assert migrate.is_current(engine)
    now = rows(engine, old)
    assert {name: now[name] for name in was} == was


def test_given_the_version_before_in_use_when_upgraded_then_its_tables_are_those_of_a_new_one(
    before: tuple[Engine, MetaData], engine: Engine
) -> None:
    upgraded, _ = before
    migrate.upgrade(upgraded)
    assert shape(upgraded) == shape(engine)


def test_given_code_of_the_version_before_when_tables_are_this_version_s_then_it_misses_nothing(
    empty: Engine, engine: Engine
) -> None:
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
def test_given_a_change_that_takes_something_away_when_looked_at_then_it_is_missed(
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
def test_given_a_change_that_only_adds_when_looked_at_then_nothing_is_missed(
    backend: str, empty: Engine, change: str
) -> None:
    migrate.upgrade(empty)
    old = shape(empty)
    with empty.begin() as connection:
        for statement in change.split("; "):
            connection.execute(text(statement))
    assert missed(old, shape(empty)) == []


@pytest.mark.parametrize(
    ("words", "found"), [("'on', 'off', 'held'", []), ("'on'", ["states: check a_state was"])]
)
def test_given_a_list_of_words_when_it_grows_then_nothing_is_missed_and_when_it_shrinks_then_it_is(
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
    (newest,) = version.newest()
    return int(newest[:2])


def test_given_the_next_release_s_tables_when_this_one_starts_then_it_works_on_them_and_leaves_them_be(
    at: Callable[[str], Engine],
) -> None:
    engine = at(f"{_release() + 1:02}03")
    with engine.connect() as connection:
        assert version.fits(connection)
        assert not version.is_newest(connection)
    migrate.upgrade(engine)
    assert not migrate.is_current(engine)


@pytest.mark.parametrize("name", ["{later:02}01", "{own:02}99", "abcd", "0102x"])
def test_given_tables_of_any_other_version_when_this_one_starts_then_it_refuses(
    at: Callable[[str], Engine], name: str
) -> None:
    engine = at(name.format(own=_release(), later=_release() + 2))
    with engine.connect() as connection:
        assert not version.fits(connection)
    with pytest.raises(migrate.OtherVersion):
        migrate.upgrade(engine)
