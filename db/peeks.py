"""Small frequent queries on the raw DBAPI connection; about a tenth of a Session's cost.

Statements are built once and kept as text for each database. Errors are the driver's own.
"""

from collections.abc import Sequence
from contextlib import closing, nullcontext
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Dialect, Engine, Insert, Select, Update
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.visitors import InternalTraversal

from db.engine import TURN_S, only_reads
from db.turns import Turns


def peek(engine: Engine, statement: str | Select[Any]) -> Any:
    """Return the first value that a frequent statement finds, on the driver's connection. Raises the driver's
    errors.

    It costs a tenth of a `glance`. Build a query object once, since its text is cached by the object.
    """
    row = peek_row(engine, statement)
    return row[0] if row else None


def peek_row(engine: Engine, statement: str | Select[Any]) -> Any:
    """Return all values of the first row; None if there is none."""
    return next(iter(peek_rows(engine, statement)), None)


def peek_rows(engine: Engine, statement: str | Select[*tuple[Any, ...]]) -> Sequence[Any]:
    """Return all rows, as the driver has them."""
    connection = engine.raw_connection()
    driver: Any = connection.driver_connection
    on_postgresql = engine.dialect.name == "postgresql"
    try:
        if on_postgresql:
            driver.autocommit = True  # as in _READS
        cursor = connection.cursor()
        cursor.execute(statement if isinstance(statement, str) else _in_words(statement, engine.dialect))
        found: Sequence[Any] = cursor.fetchall()
        return found
    finally:
        if on_postgresql and not driver.closed:
            driver.autocommit = False
        connection.close()


def poke(engine: Engine, *statements: Insert | Update) -> int:
    """Run a transaction that writes, on the driver's connection. Returns how many rows the last statement
    changed.

    It waits for the writers' semaphore like every writer, but does not call the fence.
    """
    turns: Turns | None = engine.get_execution_options().get("writers")
    turn = turns.take(TURN_S) if turns else nullcontext()
    with turn, closing(engine.raw_connection()) as connection:
        driver: Any = connection.driver_connection
        on_postgresql, is_one = engine.dialect.name == "postgresql", len(statements) == 1
        try:
            if on_postgresql:
                driver.autocommit = is_one
            elif not is_one:
                driver.execute("BEGIN IMMEDIATE")
            cursor = connection.cursor()
            for statement in statements:
                cursor.execute(_in_words(statement, engine.dialect))
            if not is_one:
                connection.commit()
            return int(cursor.rowcount)
        except Exception as error:
            if on_postgresql or only_reads(error):  # the next one connects again
                connection.invalidate(error)
            if only_reads(error):
                engine.dispose()  # its other connections lead there, too
            raise
        finally:
            if on_postgresql and not driver.closed:
                driver.rollback()
                driver.autocommit = False


def as_utc(value: str | datetime) -> datetime:
    """Return a time from `peek` as an aware UTC datetime."""
    return datetime.fromisoformat(value).replace(tzinfo=UTC) if isinstance(value, str) else value


class ago(ColumnElement[datetime]):
    """An SQL expression: a time before now by the database's clock, for `peek`.

    SQLite gives it to the millisecond, in the form of its stored times.
    """

    inherit_cache = True
    _traverse_internals = [("seconds", InternalTraversal.dp_plain_obj)]  # noqa: RUF012

    def __init__(self, before: timedelta = timedelta()) -> None:
        self.seconds = before.total_seconds()


@compiles(ago, "sqlite")
def _ago_on_sqlite(element: ago, _compiler: SQLCompiler, **_: Any) -> str:
    return f"strftime('%Y-%m-%d %H:%M:%f000', 'now', '{-element.seconds} seconds')"


@compiles(ago, "postgresql")
def _ago_on_postgresql(element: ago, _compiler: SQLCompiler, **_: Any) -> str:
    return f"(clock_timestamp() - interval '{element.seconds} seconds')"


@lru_cache(64)
def _in_words(query: Select[*tuple[Any, ...]] | Insert | Update, dialect: Dialect) -> str:
    return str(query.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))
