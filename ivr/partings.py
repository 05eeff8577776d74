"""Our last writing of a call: no caller waits long for it after goodbye, and what they gave is not lost."""

import threading
import time
from collections.abc import Callable
from contextlib import suppress

from db.engine import is_away
from ivr.call import AGIHangup, Call

GONE = (AGIHangup, ConnectionError, TimeoutError)
"""With any of these nobody is on the line any more: the caller, or Asterisk."""

_PATIENT_S = 2.0
_TIMES, _AGAIN_S = 60, 5.0
"""A database that has another server, or is mended by hand, is back by then."""


def keep(write: Callable[[], object]) -> None:
    """Write what nobody is there any more to be asked for again: once the database takes it."""
    for times_left in reversed(range(_TIMES)):
        try:
            write()
            return
        except Exception as error:
            if not (times_left and is_away(error)):
                raise
        time.sleep(_AGAIN_S)


class Partings:
    """The calls that are over for their callers, since when."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[Call, float] = {}

    def finish(self, call: Call, write: Callable[[], object]) -> None:
        """Do our last writing, which the caller waits for, who will hear nothing more."""
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
        """Whether the caller has not been let go; nor are they from now on."""
        with self._lock:
            return self._waiting.pop(call, None) is not None

    def let_go(self) -> None:
        """Let those go who have waited for long; to be called every second."""
        with self._lock:
            long_ago = time.monotonic() - _PATIENT_S
            for call in [call for call, since in self._waiting.items() if since <= long_ago]:
                del self._waiting[call]
                with suppress(OSError):  # gone already
                    call.let_go()


PARTINGS = Partings()
