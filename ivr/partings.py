"""Who has been told goodbye and waits for our last writing: if that takes long, it goes on without them."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from ivr.call import Call

_PATIENT_S = 2.0


class Partings:
    """The calls that are over for their callers, since when."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[Call, float] = {}

    @contextmanager
    def wait(self, call: Call) -> Iterator[None]:
        """While this lasts the caller waits, and will hear nothing more."""
        with self._lock:
            self._waiting[call] = time.monotonic()
        try:
            yield
        finally:
            with self._lock:
                self._waiting.pop(call, None)

    def let_go(self) -> None:
        """Let those go who have waited for long; to be called every second."""
        with self._lock:
            long_ago = time.monotonic() - _PATIENT_S
            for call in [call for call, since in self._waiting.items() if since <= long_ago]:
                del self._waiting[call]
                with suppress(OSError):  # gone already
                    call.let_go()


PARTINGS = Partings()
