"""Work that takes a processor and memory: only so much of it at once, and nobody waits without end."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore

from hotline.errors import Refused


class Turns:
    """A few at once; some more wait, and only so long."""

    def __init__(self, at_once: int = 2, waiting: int = 10, *, wait_s: float = 10.0) -> None:
        self._places, self._turns = BoundedSemaphore(at_once + waiting), BoundedSemaphore(at_once)
        self._wait_s = wait_s

    @contextmanager
    def one(self) -> Iterator[None]:
        """It has its turn. Raises Refused("files-busy")."""
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
