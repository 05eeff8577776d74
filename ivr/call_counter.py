"""Counter of incoming calls: kept in memory and written with the next heartbeat, at no call's cost."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from db.models import Incoming
from dialplan.variables import Script

KINDS: dict[str, Incoming] = {
    Script.MENU: Incoming.ANSWERED,
    Script.LINES_FULL: Incoming.TURNED_AWAY,
    Script.LEAVE_NUMBER: Incoming.TURNED_AWAY,
}
"""Kinds of calls on 137, by script; all other scripts run in calls that we place."""


class CallCounter:
    """Calls that are not written yet. A killed process loses those of one heartbeat."""

    def __init__(self) -> None:
        self._counts: Counter[Incoming] = Counter()
        self._lock = threading.Lock()

    def count(self, script: str) -> None:
        """Count an incoming call that requests this script."""
        if kind := KINDS.get(script):
            with self._lock:
                self._counts[kind] += 1

    @contextmanager
    def taken(self) -> Iterator[Counter[Incoming]]:
        """Yield the counts to write; after a failure they are kept."""
        with self._lock:
            counts, self._counts = self._counts, Counter()
        try:
            yield counts
        except BaseException:
            with self._lock:
                self._counts += counts
            raise
