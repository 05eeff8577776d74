"""A fair semaphore: a limited number of threads at one time, first come, first served."""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import TimeoutError


class Turns:
    """A fair semaphore: a thread that leaves hands its slot to the longest waiting one.

    Python's semaphore lets the quickest thread go first: among fifty writers some would wait half a minute.
    """

    def __init__(self, at_once: int) -> None:
        self._lock = threading.Lock()
        self._free = at_once
        self._waiting: deque[threading.Event] = deque()

    @contextmanager
    def take(self, within_s: float) -> Iterator[None]:
        """Hold a slot in this block. Raises TimeoutError if none is free within `within_s` seconds."""
        self._wait(within_s)
        try:
            yield
        finally:
            self._give_back()

    def _wait(self, seconds: float) -> None:
        with self._lock:
            if self._free:
                self._free -= 1
                return
            turn = threading.Event()
            self._waiting.append(turn)
        if turn.wait(seconds):
            return
        with self._lock:
            if turn.is_set():  # at the last moment
                return
            self._waiting.remove(turn)
        raise TimeoutError(f"no turn to write within {seconds:g} s")

    def _give_back(self) -> None:
        with self._lock:
            if self._waiting:
                self._waiting.popleft().set()
            else:
                self._free += 1
