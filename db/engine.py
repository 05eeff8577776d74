"""One engine per process, and the two ways to use it: a transaction that writes, one that only reads."""

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
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
from sqlalchemy.orm import Session

from db import news
from db.turns import Turns

_CONNECTIONS = 24
"""Of one process; whoever comes when all are taken waits for one. PostgreSQL grants 100 by default."""

_WRITERS = 8
"""Of one process, at one time, on PostgreSQL. Who registers in the same seconds as others changes one row of
the line's counts (its triggers), one after the other: there a wait is given up after 5 s, here it is not.
"""

TURN_S = 30

ONLY_READS = "25006"
"""What a server of PostgreSQL says to a writer after another one has taken its place."""
_STATEMENT_MS, _ANSWER_S = 5000, 6.0
"""The server gives a statement up; and a server that has not answered even then is away."""


_SQLITE_S = 5
"""So long a writer waits for another process's on SQLite."""


@dataclass
class Answers:
    """Of the database, as this process heard them by time.monotonic(): what an engine, and all that are made
    of it, have in common (hotline.heartbeats).
    """

    last: float | None = None
    gap: tuple[float, float] = (0.0, 0.0)
    """Between these two, the last time, there was none."""


def connect(url: str, *, connections: int = _CONNECTIONS, sqlite_s: int = _SQLITE_S) -> Engine:
    """An engine for `url` (sqlite:///… or postgresql+psycopg://…) that waits for nothing without end.

    `sqlite_s`: so long each writer waits for another process's on SQLite.
    """
    pool: dict[str, Any] = {
        "pool_size": connections,
        "max_overflow": 0,
        "pool_timeout": TURN_S,
        "pool_use_lifo": True,  # the one that was just used: it need not be asked whether it is there
        "hide_parameters": True,  # they are citizens' numbers, and errors are logged
    }
    if url.startswith("sqlite"):
        # SQLite lets in one writer at a time, by luck. Queued here, this process's writers starve nobody.
        options_ = {"writers": Turns(1), "answers": Answers()}
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
        # of a machine that is cut off the server ends what it holds (by itself it would after two hours)
        **{"tcp_keepalives_idle": 5, "tcp_keepalives_interval": 2, "tcp_keepalives_count": 3},
    }
    client = {
        "connect_timeout": 3,  # for each server that is named
        # A line that is dead without a word is noticed, too.
        **{"tcp_user_timeout": 5000, "keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 3},
    }
    pool["execution_options"] = {"writers": Turns(_WRITERS), "answers": Answers()}
    return postgres.create(url, client=client, server=server, answer_s=_ANSWER_S, pool_pre_ping=True, **pool)


class _WithHints(SQLiteCompiler):
    """`with_hint` names an index (INDEXED BY): SQLite knows nothing of how many rows there are of what."""

    def get_from_hint_text(self, table: Any, text: str | None) -> str | None:
        return text


def _sqlite_pragmas(connection: Any, _record: Any) -> None:
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def only_reads(error: BaseException | None) -> bool:
    """Whether the connection only reads; the driver's own error.

    SQLite opens a file that may not be written for reading, without a word, and never looks again.
    """
    name = getattr(error, "sqlite_errorname", None) or ""
    return getattr(error, "sqlstate", None) == ONLY_READS or name.startswith("SQLITE_READONLY")


def _sqlite_opens_anew(context: ExceptionContext) -> None:
    if only_reads(context.original_exception):
        context.is_disconnect = True  # it, and whatever else the pool has


def _sqlite_begin(connection: Connection) -> None:
    if connection.get_execution_options().get("reading", False):
        driver: Any = connection.connection.driver_connection
        driver.execute("BEGIN")  # waits for nobody, and is said often
        return
    # A writer takes the lock at once: a transaction that read first and wants to write later cannot
    # wait for the lock, SQLite refuses it on the spot.
    patience_s = connection.get_execution_options().get("patience_s", _SQLITE_S)
    if patience_s != _SQLITE_S:
        connection.exec_driver_sql(f"PRAGMA busy_timeout = {patience_s * 1000}")
    connection.exec_driver_sql("BEGIN IMMEDIATE")
    if patience_s != _SQLITE_S:
        connection.exec_driver_sql(f"PRAGMA busy_timeout = {_SQLITE_S * 1000}")


def is_away(error: Exception) -> bool:
    """Whether this is the database's fault: it does not answer, is full, or others are before us.

    SQLAlchemy's errors, or a driver's own (`peek`), which have the names of PEP 249. SQLite says so of a
    wrong question, too (no such table), which is our fault.
    """
    names = {each.__name__ for each in type(error).__mro__}
    driver_s = getattr(error, "orig", error)
    if getattr(driver_s, "sqlite_errorcode", None) == sqlite3.SQLITE_ERROR:
        return False
    if only_reads(driver_s):
        return True
    return isinstance(error, TimeoutError) or not names.isdisjoint({"OperationalError", "InterfaceError"})


@contextmanager
def writing(engine: Engine) -> Iterator[Session]:
    """One transaction that may write: committed at the end, rolled back on any exception.

    An engine's `fence` is asked first, and raises where it may not.
    """
    options = engine.get_execution_options()
    turns: Turns | None = options.get("writers")
    fence: Callable[[Session], None] | None = options.get("fence")
    turn = turns.take(TURN_S) if turns else nullcontext()
    with turn, Session(engine, expire_on_commit=False) as session, session.begin():
        if fence:
            fence(session)
        yield session
    if session.info.get(news.APPENDED):
        news.tell(engine)


_READS: Mapping[str, Mapping[str, Any]] = {
    "postgresql": {"reading": True, "isolation_level": "AUTOCOMMIT"},
}
"""Each statement sees what is committed by then, in a transaction or not: so none is begun, nor ended, which
would be two more questions to the server."""


@contextmanager
def reading(engine: Engine, *, one_moment: bool = False) -> Iterator[Session]:
    """One transaction that only reads, and never waits for a writer.

    All that it reads is as it was at `one_moment`, if asked; SQLite knows nothing else.
    """
    options = _READS.get(engine.dialect.name, {"reading": True})
    if one_moment and engine.dialect.name == "postgresql":
        options = {**options, "isolation_level": "REPEATABLE READ"}
    with Session(engine, expire_on_commit=False) as session, session.begin():
        session.connection(execution_options=options)
        yield session


@contextmanager
def glance(engine: Engine) -> Iterator[Connection]:
    """`reading` without a session, for a statement so small that the session would cost more than it."""
    options = _READS.get(engine.dialect.name, {"reading": True})
    with engine.connect().execution_options(**options) as connection, connection.begin():
        yield connection


def core(session: Session) -> Connection:
    """The session's connection, with all that the session knows written: for statements of every call.

    They are built once and cost a third of what the session's own `execute` does.
    """
    session.flush()
    return session.connection()


_CLOCK = text("SELECT clock_timestamp()")


def now(session: Session) -> datetime:
    """The database's clock, UTC: the only clock the rules go by."""
    if session.get_bind().dialect.name == "sqlite":  # its clock is this machine's: a statement less
        return datetime.now(UTC)
    value = session.connection().scalar(_CLOCK)
    assert isinstance(value, datetime)  # noqa: S101
    return value.astimezone(UTC)


def one_at_a_time(session: Session, key: str) -> None:
    """Until this transaction ends, whoever else asks for the same `key` waits here. SQLite has one writer."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(key, 0))))
