"""Final writes of a call: the caller does not wait long for them after goodbye, and nothing given is lost."""

import threading
import time
from collections.abc import Callable
from contextlib import suppress

from db.engine import is_away
from ivr.call import AGIHangup, Call

GONE = (AGIHangup, ConnectionError, TimeoutError)
"""Exceptions after which nobody is on the line: the caller or Asterisk has gone."""

_PATIENT_S = 2.0
_TIMES, _AGAIN_S = 60, 5.0
"""Retries and seconds between them: after a failover or a manual repair the database is back by then."""


def keep(write: Callable[[], object]) -> None:
    """Retry a write until the database takes it, because the caller has gone and cannot be asked again."""
    for times_left in reversed(range(_TIMES)):
        try:
            write()
            return
        except Exception as error:
            if not (times_left and is_away(error)):
                raise
        time.sleep(_AGAIN_S)


class FinalWrites:
    """Calls that are over for their callers, and since when."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[Call, float] = {}

    def finish(self, call: Call, write: Callable[[], object]) -> None:
        """Run the final write while the caller, who hears nothing more, still waits."""
        with self._lock:
            self._waiting[call] = time.monotonic()
        try:
            write()
        except Exception:
            if self._waits(call):
                raise
            keep(write)
        else:
            self._waits(call)

    def _waits(self, call: Call) -> bool:
        """Return whether the caller still waits, and stop letting them go."""
        with self._lock:
            return self._waiting.pop(call, None) is not None

    def let_go(self) -> None:
        """Release callers who have waited for long; call it every second."""
        with self._lock:
            long_ago = time.monotonic() - _PATIENT_S
            for call in [call for call, since in self._waiting.items() if since <= long_ago]:
                del self._waiting[call]
                with suppress(OSError):  # the call has gone
                    call.let_go()


FINAL_WRITES = FinalWrites()
