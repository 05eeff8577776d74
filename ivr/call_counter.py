"""How many calls came in: counted in memory, written with the next heartbeat, so that no call pays for it."""

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
"""What a call on 137 asks for; all other scripts run in calls that we place."""


class CallCounter:
    """The calls that are not written down yet. A killed process loses those of one heartbeat."""

    def __init__(self) -> None:
        self._counts: Counter[Incoming] = Counter()
        self._lock = threading.Lock()

    def count(self, script: str) -> None:
        """A call came in that asks for this script."""
        if kind := KINDS.get(script):
            with self._lock:
                self._counts[kind] += 1

    @contextmanager
    def taken(self) -> Iterator[Counter[Incoming]]:
        """What is to be written down now; should that fail, it is counted on."""
        with self._lock:
            counts, self._counts = self._counts, Counter()
        try:
            yield counts
        except BaseException:
            with self._lock:
                self._counts += counts
            raise
