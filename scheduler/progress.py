"""Progress of each job, which the main thread watches."""

import threading
import time

_here = threading.local()


class Progress:
    """Progress of one job, which is stuck after `limit_s` without a step."""

    def __init__(self, name: str, limit_s: float) -> None:
        self.name = name
        self._limit_s = limit_s
        self._done_at: float | None = None
        self.step()

    def begin(self) -> None:
        """Bind this progress to the current thread."""
        _here.progress = self

    def step(self, rest_s: float = 0.0) -> None:
        """Record a step of the job, and its rest before the next one."""
        self._last = time.monotonic()
        self._due = self._last + rest_s + self._limit_s

    def done(self) -> None:
        """Record the end of a run."""
        self._done_at = time.monotonic()

    def done_s_ago(self, *, but: tuple[float, float] = (0.0, 0.0)) -> float | None:
        """Return the seconds since the last end of a run, without the interval `but`; None before one."""
        if self._done_at is None:
            return None
        began, ended = but
        return time.monotonic() - self._done_at - max(0.0, ended - max(began, self._done_at))

    def stuck_s(self) -> float:
        """Return how long the job has been stuck, in seconds; 0 if it is not."""
        now = time.monotonic()
        return now - self._last if now > self._due else 0.0


def step() -> None:
    """Record a step of this thread's job. A job with many steps calls it after each."""
    progress: Progress | None = getattr(_here, "progress", None)
    if progress:
        progress.step()
