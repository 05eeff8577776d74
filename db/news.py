"""Waiting for the event log's next entry, instead of polling it twenty times a second.

PostgreSQL notifies of it (NOTIFY, db.events). On SQLite the committing process touches a file, which the
kernel reports. Nothing depends on that: the log is read every LOOK_S all the same. An entry found so, without
notice, shows that notices do not arrive. The cause may be a pooler, a network's file system or the version
before. The log is then polled every POLL_S for a while.
"""

import ctypes
import os
import select
import time
from abc import ABC, abstractmethod
from contextlib import suppress
from pathlib import Path
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.pool import PoolProxiedConnection

POLL_S = 0.05
LOOK_S = 1.0
_DEAF_S = 60.0
_LATE_S = 0.05
"""Seconds that a notice may arrive after its entry."""
CHANNEL, APPENDED = "hotline_events", "appended"
"""PostgreSQL's channel, and the mark of a session with an entry to notify of."""
_NEWEST = "SELECT max(id) FROM events"
_NEWEST_THERE = "SELECT max(id), pg_is_in_recovery() FROM events"
_UNWRITTEN_S = 1.5
"""Heartbeats of all processes hardly ever leave SQLite's log unwritten for so long."""
_IN_ATTRIB = 4
_BUFFER = 1 << 16
_NEWS = "-news"


class Watch:
    """A watch on the log's newest entry. One thread uses it, with a connection of its own."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._bell: _Bell | None = None
        self._deaf_until = 0.0
        self.newest: int | None = None
        """The id of the newest entry; 0: there is none; None: unknown now."""

    def wait(self, most_s: float | None = None) -> bool:
        """Wait for an entry, LOOK_S or `most_s` at most. Returns whether there is one since the last call.

        Raises the driver's errors. The next call connects again and reports whatever was missed.
        """
        try:
            if self._bell is None:
                self._bell = _bell(self._engine)
                return self._look()
            deaf = time.monotonic() < self._deaf_until
            told = self._bell.rings(POLL_S if deaf else LOOK_S if most_s is None else most_s)
            found = self._look()
            if found and not told and (deaf or not self._bell.rings(_LATE_S)):
                self._deaf_until = time.monotonic() + _DEAF_S
        except BaseException:
            self.close()
            raise
        return found

    def _look(self) -> bool:
        assert self._bell is not None  # noqa: S101
        before, self.newest = self.newest, self._bell.newest()
        return self.newest != before

    def close(self) -> None:
        """Close the connection."""
        bell, self._bell, self.newest = self._bell, None, None
        if bell is not None:
            bell.close()


class _Bell(ABC):
    """A connection of its own, and a source of notices of commits."""

    def __init__(self, connection: PoolProxiedConnection) -> None:
        self._driver: Any = connection.driver_connection
        connection.detach()  # the pool no longer owns it
        self._connection = connection

    @abstractmethod
    def rings(self, within_s: float) -> bool:
        """Return whether a commit is notified within this time."""

    def newest(self) -> int:
        """Return the newest entry's id; 0 if there is none."""
        return int(self._driver.execute(_NEWEST).fetchone()[0] or 0)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


class _Notified(_Bell):
    """Notices by PostgreSQL."""

    def __init__(self, connection: PoolProxiedConnection) -> None:
        super().__init__(connection)
        self._driver.autocommit = True
        self._driver.execute(f"LISTEN {CHANNEL}")
        self._poll = select.poll()
        self._poll.register(self._driver.fileno(), select.POLLIN)

    def rings(self, within_s: float) -> bool:
        # The driver's own wait wakes up ten times a second. First come the notices that arrived with an
        # answer.
        return self._told() or (bool(self._poll.poll(within_s * 1000)) and self._told())

    def newest(self) -> int:
        newest, only_reads = self._driver.execute(_NEWEST_THERE).fetchone()
        if only_reads:  # it became a standby
            raise OSError("the server only reads")
        return int(newest or 0)

    def _told(self) -> bool:
        return bool([*self._driver.notifies(timeout=0, stop_after=1)])


class _Touched(_Bell):
    """Notices by the kernel: a process that commits to SQLite touches a file beside it (`tell`)."""

    def __init__(self, connection: PoolProxiedConnection, file: Path) -> None:
        super().__init__(connection)
        with suppress(OSError):  # a full disk, or a foreign file: without notices, polling finds the entry
            file.touch()
        libc = ctypes.CDLL(None)
        self._watch = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        self._poll = select.poll()
        if self._watch >= 0 and libc.inotify_add_watch(self._watch, os.fsencode(file), _IN_ATTRIB) >= 0:
            self._poll.register(self._watch, select.POLLIN)
        self._log = file.with_name(file.name.removesuffix(_NEWS) + "-wal")

    def newest(self) -> int:
        """Return the newest entry's id. Raises if nobody can write: SQLite would still read, unlike
        PostgreSQL.
        """
        if not self._was_just_written():
            self._driver.execute("BEGIN IMMEDIATE")
            self._driver.execute("ROLLBACK")
        return super().newest()

    def _was_just_written(self) -> bool:
        try:
            return 0 <= time.time() - self._log.stat().st_mtime < _UNWRITTEN_S
        except OSError:
            return False

    def rings(self, within_s: float) -> bool:
        if not self._poll.poll(within_s * 1000):
            return False
        os.read(self._watch, _BUFFER)
        return True

    def close(self) -> None:
        super().close()
        if self._watch >= 0:
            os.close(self._watch)


def tell(engine: Engine) -> None:
    """Notify waiting processes of a commit on SQLite. PostgreSQL does so by itself."""
    if file := _file(engine):
        with suppress(OSError):
            os.utime(file)


def _file(engine: Engine) -> Path | None:
    name = engine.url.database
    return Path(f"{name}{_NEWS}") if engine.dialect.name == "sqlite" and name else None


def _bell(engine: Engine) -> _Bell:
    connection = engine.raw_connection()
    try:
        file = _file(engine)
        return _Touched(connection, file) if file else _Notified(connection)
    except BaseException:
        connection.close()
        raise
