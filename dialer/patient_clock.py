"""Moments in conversations, whatever the database's clock does."""

import logging
import math
import time
from datetime import datetime, timedelta

log = logging.getLogger("dialer")

_LEAP = timedelta(seconds=5)
"""Tolerance: the database answers late, or its clock is being adjusted slowly."""


class PatientClock:
    """Database clock that ignores a leap ahead for a while.

    A leap thus ends no conversation and sounds no tone. A held one may be held as long as without the leap.
    """

    def __init__(self, longest_s: float) -> None:
        """`longest_s`: the longest time of holding; after it no conversation from before the leap is left."""
        self._longest_s = longest_s
        self._last: tuple[datetime, float] | None = None
        self._leapt_at = -math.inf

    def read(self, at: datetime) -> datetime:
        """Return the time by which to end conversations when the database's clock shows `at`."""
        ticks = time.monotonic()
        last_at, last_ticks = self._last or (at, ticks)
        expected = last_at + timedelta(seconds=ticks - last_ticks)
        leaps = at > expected + _LEAP
        if leaps and self._leapt_at == -math.inf:
            log.warning(
                "the clock has leapt ahead by %s: no conversation ends, and no tone sounds, by that",
                at - expected,
            )
            self._leapt_at = ticks
        if leaps and ticks < self._leapt_at + self._longest_s:
            at = expected
        else:
            self._leapt_at = -math.inf
        self._last = at, ticks
        return at
