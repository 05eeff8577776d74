"""A fair limit on work that takes processor and memory: a few at once, and a bounded wait."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore

from hotline.errors import Refused


class Turns:
    """Runs `at_once` jobs at a time; `waiting` more may wait for at most `wait_s` seconds."""

    def __init__(self, at_once: int = 2, waiting: int = 10, *, wait_s: float = 10.0) -> None:
        self._places, self._turns = BoundedSemaphore(at_once + waiting), BoundedSemaphore(at_once)
        self._wait_s = wait_s

    @contextmanager
    def one(self) -> Iterator[None]:
        """Wait for a slot and hold it inside the block. Raises Refused("files-busy")."""
        if not self._places.acquire(blocking=False):
            raise _busy()
        try:
            if not self._turns.acquire(timeout=self._wait_s):
                raise _busy()
            try:
                yield
            finally:
                self._turns.release()
        finally:
            self._places.release()


def _busy() -> Refused:
    return Refused("files-busy", "too many pictures and voices come at this moment", after_s=5)
