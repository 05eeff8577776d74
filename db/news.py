"""Waits for the event log's next entry, instead of asking for it twenty times a second.

The database tells of it: PostgreSQL by NOTIFY (db.events), SQLite by the write to its write-ahead log, which
the kernel notices. Nobody relies on that. Once in LOOK_S the log is looked at all the same; what is found so,
untold, shows that nothing is told here (a pooler between, a network's file system, the version before), and
for a while it is looked at every POLL_S.
"""

import ctypes
import os
import select
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.pool import PoolProxiedConnection

POLL_S = 0.05
LOOK_S = 1.0
_DEAF_S = 60.0
_LATE_S = 0.05
"""So much later than the entry itself its telling may come."""
CHANNEL = "hotline_events"
_NEWEST = "SELECT max(id) FROM events"
_NEWEST_THERE = "SELECT max(id), pg_is_in_recovery() FROM events"
_VERSION = "PRAGMA data_version"
_AT_ONCE_S = 0.002
_COMMITS_S = (0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064)
"""Pauses between looks: what SQLite writes can be read when it is safe on the disk, a moment later."""
_SEEN_S = (0.008, 0.064)
"""The same where a commit can be read at once: mostly it was that, but another may be under way already."""
_IN_MODIFY = 2
_BUFFER = 1 << 16


class Watch:
    """On the log's newest entry. One thread uses it, and nobody else the connection that it has."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._bell: _Bell | None = None
        self._deaf_until = 0.0
        self.newest: int | None = None
        """The id of the newest entry; 0: there is none; None: that is not known now."""

    def wait(self, most_s: float | None = None) -> bool:
        """Wait for an entry, LOOK_S or `most_s` at most. Returns whether there is one since the last time.

        Raises what the driver raises; the next time it begins anew, and whatever was missed is news.
        """
        try:
            if self._bell is None:
                self._bell = _bell(self._engine)
                return self._look()
            deaf = time.monotonic() < self._deaf_until
            told = self._bell.rings(POLL_S if deaf else LOOK_S if most_s is None else most_s)
            for pause in self._bell.pauses() if told else (0.0,):
                time.sleep(pause)
                if found := self._look():
                    break
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
        """Let go of the connection."""
        bell, self._bell, self.newest = self._bell, None, None
        if bell is not None:
            bell.close()


class _Bell(ABC):
    """A connection of its own, and what tells of commits."""

    def __init__(self, connection: PoolProxiedConnection) -> None:
        self._driver: Any = connection.driver_connection
        connection.detach()  # it is nobody else's from here on
        self._connection = connection

    @abstractmethod
    def rings(self, within_s: float) -> bool:
        """Whether a commit is told of within this time."""

    def pauses(self) -> Iterator[float]:
        """Before each look, of those that are worth it after it has rung."""
        yield 0.0

    def newest(self) -> int:
        """The newest entry's id; 0 if there is none."""
        return int(self._driver.execute(_NEWEST).fetchone()[0] or 0)

    def close(self) -> None:
        """End the connection."""
        self._connection.close()


class _Notified(_Bell):
    """By PostgreSQL."""

    def __init__(self, connection: PoolProxiedConnection) -> None:
        super().__init__(connection)
        self._driver.autocommit = True
        self._driver.execute(f"LISTEN {CHANNEL}")
        self._poll = select.poll()
        self._poll.register(self._driver.fileno(), select.POLLIN)

    def rings(self, within_s: float) -> bool:
        # The driver's own wait wakes up ten times a second; before it, what came with the answer to a look.
        return self._told() or (bool(self._poll.poll(within_s * 1000)) and self._told())

    def newest(self) -> int:
        newest, only_reads = self._driver.execute(_NEWEST_THERE).fetchone()
        if only_reads:  # another server has taken its place
            raise OSError("the server only reads")
        return int(newest or 0)

    def _told(self) -> bool:
        return bool([*self._driver.notifies(timeout=_AT_ONCE_S, stop_after=1)])


class _Written(_Bell):
    """By the kernel: somebody has written to the file that takes each commit of SQLite's."""

    def __init__(self, connection: PoolProxiedConnection) -> None:
        super().__init__(connection)
        self._version, self._more = 0, False
        """Which commits could be read at the last look, and whether more than at the one before."""
        self.newest()  # now the file is there, and stays while this connection does
        (_, _, path), *_ = self._driver.execute("PRAGMA database_list").fetchall()
        libc = ctypes.CDLL(None)
        self._watch = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        self._poll = select.poll()
        if (
            self._watch >= 0
            and libc.inotify_add_watch(self._watch, os.fsencode(f"{path}-wal"), _IN_MODIFY) >= 0
        ):
            self._poll.register(self._watch, select.POLLIN)

    def pauses(self) -> Iterator[float]:
        yield 0.0
        if self._more:
            yield from _SEEN_S
            return
        for pause in _COMMITS_S:
            yield pause
            if self._more:  # what has rung was no entry; a writer who begins only now rings anew
                return

    def newest(self) -> int:
        version = self._driver.execute(_VERSION).fetchone()[0]
        self._more, self._version = version != self._version, version
        return super().newest()

    def rings(self, within_s: float) -> bool:
        if not self._poll.poll(within_s * 1000):
            return False
        os.read(self._watch, _BUFFER)
        return True

    def close(self) -> None:
        super().close()
        if self._watch >= 0:
            os.close(self._watch)


def _bell(engine: Engine) -> _Bell:
    connection = engine.raw_connection()
    try:
        return _Notified(connection) if engine.dialect.name == "postgresql" else _Written(connection)
    except BaseException:
        connection.close()
        raise
