"""Election of one leader among the dialers, by a lock that dies with its holder.

On PostgreSQL it is a session's advisory lock on a connection of its own. On SQLite, whose file only one
machine uses, it is a locked file in the state folder. A hung holder keeps its session. The lock names the
holder's node, and once that node is dead the holder is deposed (dialer.lost_nodes).
"""

import contextlib
import fcntl
import logging
import os
import time
import zlib
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, and_, func, select, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from hotline.nodes import draining
from settings import Settings

log = logging.getLogger("dialer")

_LOOK_S = 1.0
_KEY = (139, 0)
"""Key of the leader's lock; (137, a round) is a line's (db.events), (138, a node) a node's work."""
_OF = 140
"""Class of the shared lock (140, a node) of the holder of _KEY, which shows others the leader's node."""

# The server ends the session of a dead machine within 4 s, and gives the lock to another dialer.
# The holder itself gives up earlier: a check without an answer within 2 s has failed.
_SERVER = {
    "timezone": "utc",
    "tcp_keepalives_idle": 1,
    "tcp_keepalives_interval": 1,
    "tcp_keepalives_count": 3,
    "tcp_user_timeout": 4000,  # while an answer is unacknowledged, no keepalives are sent
    "statement_timeout": 2000,
}
_ANSWER_S = 2.5

_LOCK = text("SELECT CASE WHEN pg_is_in_recovery() THEN false ELSE pg_try_advisory_lock(:a, :b) END")
_LOCK_AS = text("""
    SELECT CASE WHEN pg_is_in_recovery() THEN false
    WHEN pg_try_advisory_lock(:a, :b) THEN pg_try_advisory_lock_shared(:of, :node) ELSE false END""")
_LEADS = """
    FROM pg_locks lead JOIN pg_locks mark USING (pid, locktype, database, objsubid)
    WHERE locktype = 'advisory' AND objsubid = 2 AND lead.granted AND lead.classid = :a AND lead.objid = :b
    AND mark.classid = :of AND mark.objid = :node
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"""
_IS_LED_BY = text(f"SELECT EXISTS (SELECT {_LEADS})")
_DEPOSE = text(f"SELECT pg_terminate_backend(pid) {_LEADS}")
STILL = text("SELECT NOT pg_is_in_recovery()")
"""Check against a standby server, which would give the same lock once more."""

_SURELY = select(and_(func.pg_is_in_recovery().is_(False), ~draining.IS_MARKED))

_CLIENT = {
    **{"keepalives_idle": 1, "keepalives_interval": 1, "keepalives_count": 2},
    **{"tcp_user_timeout": 2000, "connect_timeout": 2},
}


class Leader(ABC):
    """Leadership of this process, checked once a second."""

    words = "leads now", "does not lead any more"
    """Words of the log."""
    epoch = 0
    """Number of this leadership, if it is counted (dialer.lease)."""

    def __init__(self) -> None:
        self._leads = False
        self._next_look = 0.0

    def leads(self) -> bool:
        """Return whether to act now. Ask before each turn of work."""
        if time.monotonic() >= self._next_look:
            self._look()
            self._next_look = time.monotonic() + _LOOK_S
        return self._leads

    def release(self) -> None:
        """Release the lead until this dialer asks again."""
        self._leads = False
        self._next_look = 0.0
        self.close()

    def _look(self) -> None:
        before = self._leads
        try:
            self._leads = self._holds() if before else self._take()
        except (SQLAlchemyError, OSError) as error:
            self._leads = False
            log.warning("who leads is not known: %s", type(error).__name__)
        if not self._leads and before:
            self.close()
        if self._leads is not before:
            # Beginning to lead is normal; losing the lead at work is not.
            begins, ends = self.words
            log.log(
                logging.INFO if self._leads else logging.WARNING,
                "this dialer %s",
                begins if self._leads else ends,
            )

    @abstractmethod
    def _take(self) -> bool:
        """Take the lock if nobody has it. Raises SQLAlchemyError, OSError."""

    @abstractmethod
    def _holds(self) -> bool:
        """Return whether the lock is still held. Raises SQLAlchemyError, OSError."""

    @abstractmethod
    def close(self) -> None:
        """Release the lock."""


def create_impatient_engine(url: str, **options: Any) -> Engine:
    """Create an engine that fails fast when the database does not answer."""
    from db import postgres  # noqa: PLC0415  (as db.engine)

    return postgres.create(url, client=_CLIENT, server=_SERVER, answer_s=_ANSWER_S, **options)


class DatabaseLeader(Leader):
    """Leadership by an advisory lock of PostgreSQL, among all dialers or those of one node (dialer.lease)."""

    def __init__(self, url: str, key: tuple[int, int] = _KEY) -> None:
        super().__init__()
        self._lock, self._parameters = _LOCK, dict(zip("ab", key, strict=True))
        self._engine = create_impatient_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
        self._connection: Connection | None = None

    def _take(self) -> bool:
        try:
            if self._connection is None:
                self._connection = self._engine.connect()
            may = self._may(self._connection)
            return may and bool(self._connection.scalar(self._lock, self._parameters))
        except SQLAlchemyError:
            self.close()
            raise

    def _holds(self) -> bool:
        # The lock lives as long as this connection's session.
        connection = self._connection
        return connection is not None and bool(connection.scalar(STILL)) and self._may(connection)

    def _may(self, connection: Connection) -> bool:
        """Return whether this dialer may lead at all. Raises SQLAlchemyError."""
        return True

    def close(self) -> None:
        """End the session, and with it the lock."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(SQLAlchemyError):
                connection.invalidate()
                connection.close()


class LeaderOfAll(DatabaseLeader):
    """Leadership among all nodes' dialers.

    The lock names the leader's node; a drained node gives the lead up.
    """

    def __init__(self, url: str, node: str) -> None:
        super().__init__(url)
        self._node = node
        self._lock = _LOCK_AS
        self._parameters = _as(node)

    def _holds(self) -> bool:
        # One query suffices while nobody drains this node.
        is_sure = self._connection is not None and self._connection.scalar(_SURELY, {"name": self._node})
        return bool(is_sure) or super()._holds()

    def _may(self, connection: Connection) -> bool:
        with Session(connection) as session:
            return not draining.is_drained(session, self._node)


def _as(node: str) -> dict[str, int]:
    return {"a": _KEY[0], "b": _KEY[1], "of": _OF, "node": hash_node_name(node)}


def hash_node_name(node: str) -> int:
    """Return a node's name as the second part of an advisory lock."""
    return zlib.crc32(node.encode()) & 0x7FFFFFFF


def is_led_by(session: Session, node: str) -> bool:
    """Return whether this node's dialer is the leader, even if it hangs."""
    on_postgresql = session.get_bind().dialect.name == "postgresql"
    return on_postgresql and bool(session.scalar(_IS_LED_BY, _as(node)))


def depose(session: Session, node: str) -> None:
    """End the session that gives this node's dialer the lead, after its epoch (leases.declare_dead)."""
    session.execute(_DEPOSE, _as(node)).all()


class FileLeader(Leader):
    """Leadership by a locked file; the kernel releases it when the process ends."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        self._file: int | None = None

    def _take(self) -> bool:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(file)
            return False
        self._file = file
        if self._holds():
            return True
        self.close()  # another file is in its place now
        return False

    def _holds(self) -> bool:
        if self._file is None:
            return False
        try:
            there = self._path.stat()
        except FileNotFoundError:
            return False  # another dialer can create and lock a new one
        mine = os.fstat(self._file)
        return (mine.st_dev, mine.st_ino) == (there.st_dev, there.st_ino)

    def close(self) -> None:
        """Release the file."""
        file, self._file = self._file, None
        if file is not None:
            os.close(file)


def create_leadership(settings: Settings) -> Leader:
    """Return the leadership for the database in use."""
    if settings.database.startswith("sqlite"):
        return FileLeader(settings.state_dir / "dialer.lock")
    return LeaderOfAll(settings.database, settings.node)
