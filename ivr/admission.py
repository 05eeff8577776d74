"""Admission: the limit of callers at once, lowered while answers to callers are late.

One caller too many delays all others, and an overloaded machine does less than it can. So the limit falls by
a fraction while answers are late, and grows in steps while they are fast. That is AIMD, as in TCP (RFC 5681).
If fewer callers bring no faster answers (a slow disk, a flood), the limit is lifted again. The dialplan reads
the limit from a file, because turning a caller away must cost next to nothing. The file's age says whether
this node wants callers at all (dialplan.variables.CALLERS_ADMITTED).
"""

import logging
import os
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from settings.asterisk_files import replace_file

log = logging.getLogger("ivr")

LATE_S, LATE_ANSWER_S = 0.2, 0.1
"""Seconds: if half of one second's waits for us, or of Asterisk's answers, exceed this, calls pile up."""
_SOON = 0.5
"""Fraction of these limits below which there is room for more callers."""
LEAST = 20
"""Lowest limit: if answers are late with so few callers, the cause is another one."""
_ENOUGH = 10
"""Number of waits in a second below which there is no rush."""
_GROWS, _FALLS, _FALLS_MOST, _STEP = 0.25, 0.1, 0.25, 2
"""Fractions by which the limit grows without waits and falls with late answers, and the smallest step."""
_LASTS_S = 5
"""Seconds over which the number of callers is the maximum: it varies by half from one second to the next."""
_NOT_ASKING = 1.25
"""Calls in the dialplan for each call in a script: a call begins before its script, and ends after it."""
_SAMPLES = 2000
_FEWER, _AS_LATE = 0.75, 0.6
"""Fraction of the most callers, and of the longest waits: if callers cause the waits, these fall with them. A
wait without an end proves nothing.
"""
_IN_VAIN_S, _LEFT_ALONE_S = 8, 60
"""Seconds of late answers that prove callers innocent, and seconds without a lower limit after that."""


class Admission:
    """Controller of the limit, from the waits for us and for Asterisk in each second."""

    def __init__(self, file: Path, most: int) -> None:
        self._file = file
        self._most = most
        self._waits: deque[float] = deque(maxlen=_SAMPLES)
        self._answers: deque[float] = deque(maxlen=_SAMPLES)
        self._here: deque[int] = deque(maxlen=_LASTS_S)
        self._forget()
        self._left_alone = 0
        self._said: tuple[int, bool] | None = None
        self.limit = most

    def _forget(self) -> None:
        self._most_here, self._latest, self._in_vain = 0, 0.0, 0

    def waited(self, seconds: float) -> None:
        """Record the seconds that a caller waited for us: a query, a commit, and Asterisk's confirmation."""
        self._waits.append(seconds)

    def answered(self, seconds: float) -> None:
        """Record the seconds of Asterisk's answer on its SIP port (ivr.sip_latency); math.inf for none."""
        self._answers.append(seconds)

    @property
    def is_low(self) -> bool:
        """Return whether the limit is below the number of lines."""
        return self.limit < self._most

    def turn(self, here: int, *, wanted: bool = True) -> None:
        """Adapt the limit after a second with `here` callers. Raises OSError.

        `wanted`: whether callers should come who could use another node.
        """
        late = max(_half(self._waits, least=_ENOUGH) / LATE_S, _half(self._answers, least=1) / LATE_ANSWER_S)
        self._here.append(here)
        before = self.limit
        self._left_alone = max(0, self._left_alone - 1)
        if late > 1 and not self._left_alone:
            self._lower(here, late)
        elif late < _SOON or self._left_alone:
            more = int(self.limit * _GROWS * (1 - min(1, late / _SOON)))
            self.limit = min(self._most, self.limit + max(_STEP, more))
            if here > LEAST or self.limit == self._most:
                self._forget()
        if before == self._most > self.limit:
            log.warning("answers are late: fewer callers are let in")
        elif self.limit == self._most > before:
            log.info("all callers are let in")
        self._write(wanted)

    def _lower(self, here: int, late: float) -> None:
        self._most_here, self._latest = max(self._most_here, here), max(self._latest, late)
        self._in_vain += here <= self._most_here * _FEWER and late > self._latest * _AS_LATE
        fewer = min(self.limit, max(self._here) * _NOT_ASKING) * (1 - min(_FALLS_MOST, _FALLS * late))
        self.limit = max(min(LEAST, self._most), int(fewer))
        if self._in_vain == _IN_VAIN_S:
            log.warning("answers are as late with fewer callers: these are not the cause")
            self._forget()
            self._left_alone, self.limit = _LEFT_ALONE_S, self._most

    def _write(self, wanted: bool) -> None:
        said = self.limit, wanted
        if self._said == said:
            with suppress(FileNotFoundError):
                os.utime(self._file, None if wanted else (0, 0))
                return
        replace_file(self._file, str(self.limit).encode(), at=None if wanted else 0)
        self._said = said


def _half(waits: deque[float], *, least: int) -> float:
    """Return the median, or 0 for fewer than `least` waits, and empty the queue."""
    taken = sorted(waits.popleft() for _ in range(len(waits)))
    return taken[len(taken) // 2] if len(taken) >= least else 0.0


def adapt_limit(
    admission: Admission, here: Callable[[], int], wanted: Callable[[], bool], stop: threading.Event
) -> None:
    """Adapt the limit each second until `stop`."""
    while not stop.wait(1.0):
        try:
            admission.turn(here(), wanted=wanted())
        except OSError as error:
            log.error("how many callers may come in cannot be written: %s", error)
