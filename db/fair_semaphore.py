"""A fair semaphore: a limited number of threads at one time, first come, first served."""

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy.exc import TimeoutError


def _time_out() -> Exception:
    return TimeoutError("no free slot in time")


class FairSemaphore:
    """A semaphore whose freed slot goes to the thread that has waited longest.

    Python's semaphore lets the quickest thread go first: among fifty writers some would wait half a minute.
    """

    def __init__(
        self,
        slots: int,
        *,
        most_waiting: int | None = None,
        refusal: Callable[[], Exception] = _time_out,
    ) -> None:
        """`most_waiting`: how many threads may wait; None: any number.

        `refusal` makes the exception for a thread that gets no slot.
        """
        self._lock = threading.Lock()
        self._free = slots
        self._waiting: deque[threading.Event] = deque()
        self._most_waiting, self._refusal = most_waiting, refusal

    @contextmanager
    def hold(self, within_s: float) -> Iterator[None]:
        """Hold a slot in this block. Raises the `refusal` if none is free within `within_s` seconds.

        Raises it at once if too many threads wait already.
        """
        self._acquire(within_s)
        try:
            yield
        finally:
            self._release()

    def _acquire(self, seconds: float) -> None:
        with self._lock:
            if self._free:
                self._free -= 1
                return
            if self._most_waiting is not None and len(self._waiting) >= self._most_waiting:
                raise self._refusal()
            granted = threading.Event()
            self._waiting.append(granted)
        if granted.wait(seconds):
            return
        with self._lock:
            if granted.is_set():  # between the timeout and the lock
                return
            self._waiting.remove(granted)
        raise self._refusal()

    def _release(self) -> None:
        with self._lock:
            if self._waiting:
                self._waiting.popleft().set()
            else:
                self._free += 1
