"""Readiness of the system's parts, one word each, for machines.

Anybody may ask often: the database gets a test write at most every two seconds.
"""

import threading
import time

from sqlalchemy import Engine

from db.engine import reading, writing
from db.version import may_run
from hotline import heartbeats

PROCESSES = ("asterisk", "ivr", "dialer", "scheduler")
"""Processes with a heartbeat in the database. Asterisk's heartbeat counts only while the dialer's is fresh.
"""
PARTS = ("database", "tables", *PROCESSES)
_TRIED_EVERY_S, _OUTDATED_S, _AWAITED_S = 2.0, 10.0, 5.0


class Readiness:
    """One API's readiness. One request tests a write while the others use the last result."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._trying = threading.Lock()
        self._tried_at = self._taken_at = float("-inf")

    def parts(self) -> dict[str, str]:
        """Return each part of PARTS as "up", "down" or "unknown"."""
        found = dict.fromkeys(PARTS, "unknown")
        found["database"] = "down"
        try:
            with reading(self._engine) as session:
                found["tables"] = "up" if may_run(session.connection()) else "down"
                if found["tables"] == "up":
                    found |= {name: _word(heartbeats.is_alive(session, name)) for name in PROCESSES}
        except Exception:  # any failure means: the database is down
            return dict.fromkeys(PARTS, "unknown") | {"database": "down"}
        if found["dialer"] == "down":
            found["asterisk"] = "unknown"
        found["database"] = _word(found["tables"] == "down" or self.is_taken())
        return mark_unknown_if_nobody_writes(found)

    def is_taken(self) -> bool:
        """Return whether the database accepts writes, as tested now or lately."""
        outdated = self._is_older(_OUTDATED_S)  # the last result is too old for the others to use
        if self._is_older(_TRIED_EVERY_S) and self._trying.acquire(timeout=_AWAITED_S if outdated else 0):
            try:
                if self._is_older(_TRIED_EVERY_S):
                    self._try()
            finally:
                self._trying.release()
        return time.monotonic() - self._taken_at < _OUTDATED_S

    def _try(self) -> None:
        try:
            with writing(self._engine) as session:
                heartbeats.beat(session, heartbeats.API)
            self._taken_at = time.monotonic()
        except Exception:  # a full disk, a lock, a replica that only reads
            self._taken_at = float("-inf")
        self._tried_at = time.monotonic()

    def _is_older(self, seconds: float) -> bool:
        return time.monotonic() - self._tried_at >= seconds


def mark_unknown_if_nobody_writes(parts: dict[str, str]) -> dict[str, str]:
    """Return the parts, with late processes as "unknown" if the database accepts no writes.

    Such a process may work, but cannot write its heartbeat.
    """
    late = [name for name in PROCESSES if parts[name] == "down"] if parts["database"] == "down" else []
    return parts | dict.fromkeys(late, "unknown")


def _word(up: bool) -> str:
    return "up" if up else "down"
