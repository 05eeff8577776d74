"""One engine per process, and the two ways to use it: a transaction that writes, one that only reads."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.orm import Session


def connect(url: str) -> Engine:
    """An engine for `url` (sqlite:///… or postgresql+psycopg://…), bounded in every wait (seconds: 5)."""
    if url.startswith("sqlite"):
        engine = create_engine(
            url,
            hide_parameters=True,
            connect_args={"timeout": 5, "isolation_level": None},
            pool_size=8,
            pool_timeout=5,
        )
        event.listen(engine, "connect", _sqlite_pragmas)
        event.listen(engine, "begin", _sqlite_begin)
        return engine
    return create_engine(
        url,
        hide_parameters=True,  # they are citizens' numbers; errors are logged
        pool_size=8,
        max_overflow=24,
        pool_timeout=5,
        pool_pre_ping=True,
        connect_args={
            "connect_timeout": 3,
            "options": "-c timezone=utc -c statement_timeout=5000 -c lock_timeout=5000"
            " -c idle_in_transaction_session_timeout=10000",
        },
    )


def _sqlite_pragmas(connection: Any, _record: Any) -> None:
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _sqlite_begin(connection: Connection) -> None:
    # A writer takes the lock at once: a transaction that read first and wants to write later cannot
    # wait for the lock, SQLite refuses it on the spot.
    reading = connection.get_execution_options().get("reading", False)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


@contextmanager
def writing(engine: Engine) -> Iterator[Session]:
    """One transaction that may write: committed at the end, rolled back on any exception."""
    with Session(engine, expire_on_commit=False) as session, session.begin():
        yield session


@contextmanager
def reading(engine: Engine) -> Iterator[Session]:
    """One transaction that only reads, and never waits for a writer."""
    bound = engine.execution_options(reading=True)
    with Session(bound, expire_on_commit=False) as session, session.begin():
        yield session


def now(session: Session) -> datetime:
    """The database's clock, UTC: the only clock the rules go by."""
    if session.get_bind().dialect.name == "sqlite":
        value = session.scalar(text("SELECT strftime('%Y-%m-%d %H:%M:%f', 'now')"))
        return datetime.fromisoformat(str(value)).replace(tzinfo=UTC)
    value = session.scalar(text("SELECT clock_timestamp()"))
    assert isinstance(value, datetime)  # noqa: S101
    return value.astimezone(UTC)
