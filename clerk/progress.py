"""How far each job has come: what the main thread looks at while the jobs work in theirs."""

import threading
import time

_here = threading.local()


class Progress:
    """Of one job, which is stuck when it has not come a step further for `limit_s`."""

    def __init__(self, name: str, limit_s: float) -> None:
        self.name = name
        self._limit_s = limit_s
        self._done_at: float | None = None
        self.step()

    def begin(self) -> None:
        """The job runs in this thread from now on."""
        _here.progress = self

    def step(self, rest_s: float = 0.0) -> None:
        """The job has come a step further, and rests for so long before the next."""
        self._last = time.monotonic()
        self._due = self._last + rest_s + self._limit_s

    def done(self) -> None:
        """The job has come to its end."""
        self._done_at = time.monotonic()

    def done_s_ago(self, *, but: tuple[float, float] = (0.0, 0.0)) -> float | None:
        """Return the seconds since it last came to its end, without those between two moments (`but`).

        None: not yet.
        """
        if self._done_at is None:
            return None
        began, ended = but
        return time.monotonic() - self._done_at - max(0.0, ended - max(began, self._done_at))

    def stuck_s(self) -> float:
        """Since when it has been stuck, in seconds; 0 while it goes on."""
        now = time.monotonic()
        return now - self._last if now > self._due else 0.0


def step() -> None:
    """Say that the job of this thread has come a step further. A job with many steps says so after each."""
    progress: Progress | None = getattr(_here, "progress", None)
    if progress:
        progress.step()
