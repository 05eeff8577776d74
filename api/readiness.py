"""Whether the system can do its work: named parts, one word each, for machines.

Anybody may ask as often as they like: the database is written to every other second at most.
"""

import threading
import time

from sqlalchemy import Engine

from db.engine import reading, writing
from db.version import fits
from hotline import heartbeats

PROCESSES = ("asterisk", "ivr", "dialer", "clerk")
"""Whose heartbeats are in the database. The dialer's is needed to believe Asterisk's."""
PARTS = ("database", "tables", *PROCESSES)
_TRIED_EVERY_S, _OUTDATED_S, _AWAITED_S = 2.0, 10.0, 5.0


class Readiness:
    """Of one API: what its database takes is tried by one request while the others hear what came last."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._trying = threading.Lock()
        self._tried_at = self._taken_at = float("-inf")

    def parts(self) -> dict[str, str]:
        """Each of PARTS: "up", "down", or "unknown" where nobody can say."""
        found = dict.fromkeys(PARTS, "unknown")
        found["database"] = "down"
        try:
            with reading(self._engine) as session:
                found["tables"] = "up" if fits(session.connection()) else "down"
                if found["tables"] == "up":
                    found |= {name: _word(heartbeats.alive(session, name)) for name in PROCESSES}
        except Exception:  # whatever the reason: that is the answer
            return dict.fromkeys(PARTS, "unknown") | {"database": "down"}
        if found["dialer"] == "down":
            found["asterisk"] = "unknown"
        found["database"] = _word(found["tables"] == "down" or self.is_taken())
        return unknown_if_nobody_writes(found)

    def is_taken(self) -> bool:
        """Whether the database takes what is written to it: tried now, or lately."""
        outdated = self._is_older(_OUTDATED_S)  # then there is nothing that others could hear meanwhile
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
        except Exception:  # a full disk, a lock, a copy that only reads
            self._taken_at = float("-inf")
        self._tried_at = time.monotonic()

    def _is_older(self, seconds: float) -> bool:
        return time.monotonic() - self._tried_at >= seconds


def unknown_if_nobody_writes(parts: dict[str, str]) -> dict[str, str]:
    """The same; who cannot say that they work, because the database takes nothing, may work all the same."""
    late = [name for name in PROCESSES if parts[name] == "down"] if parts["database"] == "down" else []
    return parts | dict.fromkeys(late, "unknown")


def _word(up: bool) -> str:
    return "up" if up else "down"
