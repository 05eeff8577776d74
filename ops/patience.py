"""How long a program may do nothing before it counts as hung."""

import os
from typing import NamedTuple

IDLE_S = 8.0
"""So long without any work done, once it has begun to work. One that uses the processor meanwhile may have
more to do than it can, and has START_S: to kill an Asterisk in a rush would cut all calls."""
BUSY = 0.2
"""So much of a processor at least it uses then, or waits for."""
START_S = 30.0
"""So long until the first: a program begins in two seconds, on a busy machine in twenty. One that uses no
processor meanwhile is not slow, and has IDLE_S."""
_LONGEST = 8
"""A restart makes a machine that is only slow slower still: each one doubles the patience, up to this. One
that was stopped was not slow."""
_GOOD_LIFE_S = 600.0
"""Who has worked for so long has the first patience again."""
LOOK_S = 1.0
_PAGE = 4096


class Seen(NamedTuple):
    """What the kernel knows of a program."""

    stopped: bool
    """By a signal: it does nothing until another one comes."""
    used: float
    """Seconds of processor, in all: those that it used, and those that its main thread waited for one. A
    program that gets no processor is slow; one that hangs waits for something else."""


class Patience:
    """Of one program, over all its lives.

    Time is counted, not measured: a look that comes late (the machine slept, or is too busy for the keeper,
    too) counts as if it had come in time, so nobody is killed for what the keeper missed.
    """

    def __init__(self) -> None:
        self._times = 1
        self.begin()

    def begin(self) -> None:
        """A new life has begun."""
        self.idle = 0.0
        """Seconds without work."""
        self._life = 0.0
        self._works = False
        self._used, self._unused = 0.0, 0.0
        self._at_rest = 0.0

    def worked(self) -> None:
        """It has done some work."""
        self.idle, self._at_rest = 0.0, 0.0
        self._works = True

    def spent(self, seconds: float, seen: Seen | None) -> bool:
        """So much time has gone by. Whether that was too much: then it is to be killed."""
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


def look(pid: int) -> Seen | None:
    """What the kernel knows of this process; None once it is gone."""
    try:
        fields = _read(f"/proc/{pid}/stat").rpartition(b")")[2].split()
    except OSError:
        return None
    state, (user, system) = fields[0], fields[11:13]
    return Seen(state in b"Tt", (int(user) + int(system)) / os.sysconf("SC_CLK_TCK") + _waited(pid))


def _waited(pid: int) -> float:
    """Return the seconds that the main thread was ready to run and had no processor.

    0.0 if the kernel does not count them.
    """
    try:
        return int(_read(f"/proc/{pid}/schedstat").split()[1]) / 1e9
    except (OSError, IndexError):
        return 0.0


def _read(file: str) -> bytes:
    with open(file, "rb", buffering=0) as stat:  # done five times a second, for months
        return stat.read(_PAGE)
