"""How many callers are let in at once: fewer while those who are in wait for us, found by what they wait.

One caller too many costs all others their answer, and a machine that drowns does less than it can. So the
limit falls by a part while answers are late, and grows in steps while they are not, as a network's senders do
(AIMD, RFC 5681). Where answers come no sooner with fewer callers (a slow disk, somebody floods us), the
limit is given back. The dialplan reads it from a file: whom it turns away must cost next to nothing.
The file's age says whether this node wants callers at all (dialplan.variables.CALLERS_ADMITTED).
"""

import logging
import os
import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path

log = logging.getLogger("ivr")

LATE_S = 0.2
"""Nine of ten waits are shorter while all is well."""
LEAST = 20
"""So many are let in however late answers are: whoever is slow with so few is slow for another reason."""
_ENOUGH = 10
"""Fewer waits in a second are no rush."""
_FALLS, _GROWS, _STEP = 0.8, 0.1, 5
_SAMPLES = 2000
_FEWER, _AS_LATE = 0.75, 0.6
"""With so many of those who were in waits are shorter than this part of the longest, if callers make them."""
_IN_VAIN_S, _LEFT_ALONE_S = 8, 60
"""After so many such seconds callers are not the cause: for so long none is turned away for it."""


class Admission:
    """It knows of a second what was waited for us in it, and writes down the limit."""

    def __init__(self, file: Path, most: int) -> None:
        self._file = file
        self._most = most
        self._waits: deque[float] = deque(maxlen=_SAMPLES)
        self._forget()
        self._left_alone = 0
        self.limit = most

    def _forget(self) -> None:
        self._most_here, self._longest, self._in_vain = 0, 0.0, 0

    def waited(self, seconds: float) -> None:
        """A caller has waited so long for something of ours: a look, a commit, and Asterisk's word."""
        self._waits.append(seconds)

    def turn(self, here: int, *, wanted: bool = True) -> None:
        """A second is over, in which so many callers were in. Raises OSError.

        `wanted`: whether those may come who have another node.
        """
        waits = sorted(self._waits.popleft() for _ in range(len(self._waits)))
        wait = waits[len(waits) * 9 // 10] if len(waits) >= _ENOUGH else 0.0
        before = self.limit
        self._left_alone = max(0, self._left_alone - 1)
        if wait > LATE_S and not self._left_alone:
            self._lower(here, wait)
        else:
            self.limit = min(self._most, self.limit + max(_STEP, int(self.limit * _GROWS)))
            if len(waits) >= _ENOUGH or self.limit == self._most:
                self._forget()
        if before == self._most > self.limit:
            log.warning("answers are late: fewer callers are let in")
        elif self.limit == self._most > before:
            log.info("all callers are let in")
        self._write(wanted)

    def _lower(self, here: int, wait: float) -> None:
        self._most_here, self._longest = max(self._most_here, here), max(self._longest, wait)
        self._in_vain += here <= self._most_here * _FEWER and wait > self._longest * _AS_LATE
        self.limit = max(min(LEAST, self._most), int(min(self.limit, here) * _FALLS))
        if self._in_vain == _IN_VAIN_S:
            log.warning("answers are as late with fewer callers: these are not the cause")
            self._forget()
            self._left_alone, self.limit = _LEFT_ALONE_S, self._most

    def _write(self, wanted: bool) -> None:
        fresh = self._file.with_suffix(".new")
        fresh.write_text(str(self.limit))
        if not wanted:
            os.utime(fresh, (0, 0))
        fresh.replace(self._file)


def every_second(
    admission: Admission, here: Callable[[], int], wanted: Callable[[], bool], stop: threading.Event
) -> None:
    """Keep the limit until `stop`."""
    while not stop.wait(1.0):
        try:
            admission.turn(here(), wanted=wanted())
        except OSError as error:
            log.error("how many callers may come in cannot be written: %s", error)
