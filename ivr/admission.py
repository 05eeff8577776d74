"""How many callers are let in at once: fewer while they make answers late, found by what is measured.

One caller too many costs all others their answer, and a machine that drowns does less than it can. So the
limit falls by a part while answers are late, and grows in steps while they come soon, as a network's senders
do (AIMD, RFC 5681). Where answers come no sooner with fewer callers (a slow disk, somebody floods us), the
limit is given back. The dialplan reads it from a file: whom it turns away must cost next to nothing.
The file's age says whether this node wants callers at all (dialplan.variables.CALLERS_ADMITTED).
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
"""Where half of a second's waits for us, or of Asterisk's answers, take longer, calls pile up."""
_SOON = 0.5
"""Where half of them come in this part of it, there is room."""
LEAST = 20
"""So many are let in however late answers are: whoever is slow with so few is slow for another reason."""
_ENOUGH = 10
"""Fewer waits in a second are no rush."""
_GROWS, _FALLS, _FALLS_MOST, _STEP = 0.25, 0.1, 0.25, 2
"""The parts by which it grows where nobody waits, and falls where answers are just late."""
_LASTS_S = 5
"""How many are in goes up and down by more than half from one second to the next."""
_NOT_ASKING = 1.25
"""For so many in the dialplan one asks us: a call begins before its script, and ends after it."""
_SAMPLES = 2000
_FEWER, _AS_LATE = 0.75, 0.6
"""With so many of those who were in waits are shorter than this part of the longest, if callers make them.
One without an end tells nothing of that."""
_IN_VAIN_S, _LEFT_ALONE_S = 8, 60
"""After so many such seconds callers are not the cause: for so long none is turned away for it."""


class Admission:
    """It knows of a second what was waited for us and for Asterisk in it, and writes down the limit."""

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
        """A caller has waited so long for something of ours: a look, a commit, and Asterisk's word."""
        self._waits.append(seconds)

    def answered(self, seconds: float) -> None:
        """So long Asterisk has taken to answer its line (ivr.sip_questions); math.inf: it did not."""
        self._answers.append(seconds)

    @property
    def is_low(self) -> bool:
        """Whether fewer are let in than there are lines."""
        return self.limit < self._most

    def turn(self, here: int, *, wanted: bool = True) -> None:
        """A second is over, in which so many callers were in. Raises OSError.

        `wanted`: whether those may come who have another node.
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
    """Half of them were longer; 0 if they are fewer than `least`. They are taken."""
    taken = sorted(waits.popleft() for _ in range(len(waits)))
    return taken[len(taken) // 2] if len(taken) >= least else 0.0


def every_second(
    admission: Admission, here: Callable[[], int], wanted: Callable[[], bool], stop: threading.Event
) -> None:
    """Keep the limit until `stop`."""
    while not stop.wait(1.0):
        try:
            admission.turn(here(), wanted=wanted())
        except OSError as error:
            log.error("how many callers may come in cannot be written: %s", error)
