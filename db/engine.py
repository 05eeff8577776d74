"""One engine for each process, and its two uses: a transaction that writes, and one that only reads."""

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    create_engine,
    event,
    func,
    select,
    text,
)
from sqlalchemy.dialects.sqlite.base import SQLiteCompiler
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import TimeoutError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Session
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.visitors import InternalTraversal

from db import news
from db.fair_semaphore import FairSemaphore

_CONNECTIONS = 24
"""Connections of one process; further threads wait for one. PostgreSQL grants 100 by default."""

_WRITERS = 8
"""Concurrent writers of one process on PostgreSQL.

Simultaneous registrations change one row of the line's counts (by triggers), one after the other. PostgreSQL
gives up such a wait after 5 s; a wait for this semaphore may take _WAIT_S."""
_WAIT_S = 30
"""Seconds that a thread waits for a connection of the pool, or for its slot as a writer."""

ONLY_READS = "25006"
"""PostgreSQL's error code for a writer on a server that became a standby."""
_STATEMENT_MS, _ANSWER_S = 5000, 6.0
"""The server cancels a statement after the first; a server that is silent for the second counts as away."""


_SQLITE_S = 5
"""Seconds that a writer waits for another process's writer on SQLite."""


@dataclass
class Answers:
    """When the database last answered, by time.monotonic(). All engines made from one share it
    (hotline.heartbeats).
    """

    last: float | None = None
    gap: tuple[float, float] = (0.0, 0.0)
    """The begin and end of the last silence."""


def connect(url: str, *, connections: int = _CONNECTIONS, sqlite_s: int = _SQLITE_S) -> Engine:
    """Make an engine for `url` (sqlite:///… or postgresql+psycopg://…) with a limit on every wait.

    `sqlite_s`: seconds that each writer waits for another process's writer on SQLite.
    """
    pool: dict[str, Any] = {
        "pool_size": connections,
        "max_overflow": 0,
        "pool_timeout": _WAIT_S,
        "pool_use_lifo": True,  # the connection used last needs no ping
        "hide_parameters": True,  # parameters are citizens' numbers, and errors are logged
    }
    if url.startswith("sqlite"):
        # SQLite admits one writer at a time, at random. Queued here, no writer of this process starves.
        options_ = {"writers": FairSemaphore(1), "answers": Answers()}
        arguments_ = {"timeout": sqlite_s, "isolation_level": None}
        engine = create_engine(url, connect_args=arguments_, execution_options=options_, **pool)
        engine.dialect.statement_compiler = _WithHints
        event.listen(engine, "connect", _sqlite_pragmas)
        event.listen(engine, "begin", _sqlite_begin)
        event.listen(engine, "handle_error", _sqlite_opens_anew)
        return engine
    from db import postgres  # noqa: PLC0415  (its driver takes 6 MB, and SQLite needs none)

    server = {
        "timezone": "utc",
        "statement_timeout": _STATEMENT_MS,
        "lock_timeout": _STATEMENT_MS,
        "idle_in_transaction_session_timeout": 10000,
        "max_parallel_workers_per_gather": 0,  # calls need the other cores
        # With keepalives the server ends the work of an unreachable machine (by itself after two hours).
        **{"tcp_keepalives_idle": 5, "tcp_keepalives_interval": 2, "tcp_keepalives_count": 3},
    }
    client = {
        "connect_timeout": 3,  # for each server of the URL
        # A dead connection is noticed, too.
        **{"tcp_user_timeout": 5000, "keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 3},
    }
    pool["execution_options"] = {"writers": FairSemaphore(_WRITERS), "answers": Answers()}
    return postgres.create(url, client=client, server=server, answer_s=_ANSWER_S, pool_pre_ping=True, **pool)


class _WithHints(SQLiteCompiler):
    """SQLite's compiler with `with_hint`, which names an index (INDEXED BY): SQLite knows no row counts."""

    def get_from_hint_text(self, table: Any, text: str | None) -> str | None:
        return text


def _sqlite_pragmas(connection: Any, _record: Any) -> None:
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def is_read_only(error: BaseException | None) -> bool:
    """Return whether the driver's error means a read-only connection.

    SQLite silently opens an unwritable file read-only, and never checks again.
    """
    name = getattr(error, "sqlite_errorname", None) or ""
    return getattr(error, "sqlstate", None) == ONLY_READS or name.startswith("SQLITE_READONLY")


def _sqlite_opens_anew(context: ExceptionContext) -> None:
    if is_read_only(context.original_exception):
        context.is_disconnect = True  # every connection of the pool


def _sqlite_begin(connection: Connection) -> None:
    if connection.get_execution_options().get("reading", False):
        driver: Any = connection.connection.driver_connection
        driver.execute("BEGIN")  # waits for nobody; on the driver, since it is frequent
        return
    # A writer takes the lock at once. SQLite refuses a transaction on the spot that reads first and writes
    # later.
    patience_s = connection.get_execution_options().get("patience_s", _SQLITE_S)
    if patience_s != _SQLITE_S:
        connection.exec_driver_sql(f"PRAGMA busy_timeout = {patience_s * 1000}")
    connection.exec_driver_sql("BEGIN IMMEDIATE")
    if patience_s != _SQLITE_S:
        connection.exec_driver_sql(f"PRAGMA busy_timeout = {_SQLITE_S * 1000}")


def is_away(error: Exception) -> bool:
    """Return whether the error is the database's: no answer, full, or blocked by other writers.

    The error is SQLAlchemy's or a driver's own (db.raw), with the names of PEP 249. SQLite raises the same
    class for a wrong statement (no such table), which is our fault.
    """
    names = {each.__name__ for each in type(error).__mro__}
    driver_s = getattr(error, "orig", error)
    if getattr(driver_s, "sqlite_errorcode", None) == sqlite3.SQLITE_ERROR:
        return False
    if is_read_only(driver_s):
        return True
    return isinstance(error, TimeoutError) or not names.isdisjoint({"OperationalError", "InterfaceError"})


@contextmanager
def writing(engine: Engine) -> Iterator[Session]:
    """Yield a transaction that may write: committed at the end, rolled back on any exception.

    An engine's `fence` is called first and raises if this node may not write.
    """
    options = engine.get_execution_options()
    writers: FairSemaphore | None = options.get("writers")
    fence: Callable[[Session], None] | None = options.get("fence")
    slot = writers.hold(_WAIT_S) if writers else nullcontext()
    with slot, Session(engine, expire_on_commit=False) as session, session.begin():
        if fence:
            fence(session)
        yield session
    if session.info.get(news.APPENDED):
        news.tell(engine)


_READS: Mapping[str, Mapping[str, Any]] = {
    "postgresql": {"reading": True, "isolation_level": "AUTOCOMMIT"},
}
"""Options of reading transactions.

On PostgreSQL each statement sees what is committed, inside a transaction or not. So no transaction is begun,
which saves two round trips."""


@contextmanager
def reading(engine: Engine, *, one_moment: bool = False) -> Iterator[Session]:
    """Yield a transaction that only reads, and never waits for a writer.

    With `one_moment` everything that it reads is of one moment, as always on SQLite.
    """
    options = _READS.get(engine.dialect.name, {"reading": True})
    if one_moment and engine.dialect.name == "postgresql":
        options = {**options, "isolation_level": "REPEATABLE READ"}
    with Session(engine, expire_on_commit=False) as session, session.begin():
        session.connection(execution_options=options)
        yield session


_CLOCK = text("SELECT clock_timestamp()")


def now(session: Session) -> datetime:
    """Return the database's clock in UTC, the only clock that rules use."""
    # SQLite's clock is this machine's, which saves a statement
    if session.get_bind().dialect.name == "sqlite":
        return datetime.now(UTC)
    value = session.connection().scalar(_CLOCK)
    assert isinstance(value, datetime)  # noqa: S101
    return value.astimezone(UTC)


class ago(ColumnElement[datetime]):
    """An SQL expression: the time this long before now, by the database's clock.

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


def hold_lock(session: Session, key: str) -> None:
    """Hold a lock on `key` until the transaction ends; others with the same key wait. SQLite has one writer
    anyway.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(key, 0))))
