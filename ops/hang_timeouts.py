"""Time without work after which a program counts as hung."""

import contextlib
import os
from typing import NamedTuple

IDLE_S = 8.0
"""Seconds without work, once a program has begun to work. A program that uses the processor may be
overloaded, and gets START_S. Killing an Asterisk in a rush would cut all calls.
"""
BUSY = 0.2
"""Share of a processor, used or waited for, from which a program counts as busy."""
START_S = 30.0
"""Seconds until the first work: a program begins in two seconds, on a busy machine in twenty. A program that
uses no processor meanwhile is not slow, and gets IDLE_S.
"""
_LONGEST = 8
"""Limit of the factor on these times. A restart makes a slow machine slower, so each one doubles the times. A
stopped program was not slow.
"""
_GOOD_LIFE_S = 600.0
"""Seconds of work after which the factor is 1 again."""
LOOK_S = 1.0
_PAGE = 4096


class Seen(NamedTuple):
    """State of a program in the kernel."""

    stopped: bool
    """Stopped by a signal until another one."""
    used: float
    """Seconds of processor in all: those that it used, and those that its threads waited for one.

    A program that gets no processor is slow; one that hangs waits for something else.
    """


class HangTimeout:
    """The time after which one program counts as hung, over all its restarts.

    Time is counted, not measured. A late poll (the machine slept, or even the keeper was delayed) counts as
    punctual. So nothing is killed for what the keeper missed.
    """

    def __init__(self) -> None:
        self._times = 1
        self.begin()

    def begin(self) -> None:
        """Begin anew after a start."""
        self.idle = 0.0
        """Seconds without work."""
        self._life = 0.0
        self._works = False
        self._used, self._unused = 0.0, 0.0
        self._at_rest = 0.0

    def worked(self) -> None:
        """Record that the program has done some work."""
        self.idle, self._at_rest = 0.0, 0.0
        self._works = True

    def spent(self, seconds: float, seen: Seen | None) -> bool:
        """Count the time since the last poll. Return whether the program must be killed."""
        counted = min(seconds, 2 * LOOK_S)
        self.idle += counted
        self._life += counted
        used, self._used = self._used, seen.used if seen else 0.0
        self._unused = self._unused + counted if seen and seen.used <= used else 0.0
        self._at_rest += counted if self._used - used < BUSY * seconds else 0.0
        if self._works and self._life > _GOOD_LIFE_S:
            self._times = 1
        if seen and seen.stopped and self.idle >= IDLE_S:
            return True
        without = self._at_rest if self._works else self._unused
        if without < self._times * IDLE_S and self.idle < self._times * START_S:
            return False
        self._times = min(self._times * 2, _LONGEST)
        return True


def read_state(pid: int) -> Seen | None:
    """Return the kernel's state of this process; None once it is gone."""
    try:
        fields = _read(f"/proc/{pid}/stat").rpartition(b")")[2].split()
    except OSError:
        return None
    state, (user, system) = fields[0], fields[11:13]
    return Seen(state in b"Tt", (int(user) + int(system)) / os.sysconf("SC_CLK_TCK") + _waited(pid))


def _waited(pid: int) -> float:
    """Return the seconds that the threads were ready to run and had no processor.

    Asterisk's main thread sleeps while all others starve. 0.0 if the kernel does not count them.
    """
    waited = 0.0
    with contextlib.suppress(OSError):
        for thread in os.listdir(f"/proc/{pid}/task"):
            with contextlib.suppress(OSError, IndexError):  # it may just have ended
                waited += int(_read(f"/proc/{pid}/task/{thread}/schedstat").split()[1]) / 1e9
    return waited


def _read(file: str) -> bytes:
    with open(file, "rb", buffering=0) as stat:  # runs five times a second, for months
        return stat.read(_PAGE)
