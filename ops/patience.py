"""How long a program may do nothing before it counts as hung."""

import os
from pathlib import Path

IDLE_S = 8.0
"""So long without any work done, once it has begun to work; or at any time, if it uses no processor."""
START_S = 30.0
"""So long until the first: a program begins in two seconds, on a busy machine in twenty."""
_LONGEST = 8
"""A restart makes a machine that is only slow slower still: each one doubles the patience, up to this. A
program that used no processor was not slow."""
_GOOD_LIFE_S = 600.0
"""Who has worked for so long has the first patience again."""
LOOK_S = 0.5


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

    def worked(self) -> None:
        """It has done some work."""
        self.idle = 0.0
        self._works = True

    def spent(self, seconds: float, used: float) -> bool:
        """So much time has gone by. Whether that was too much: then it is to be killed.

        `used`: the seconds of processor that it has used in all.
        """
        counted = min(seconds, 2 * LOOK_S)
        self.idle += counted
        self._unused = 0.0 if used > self._used else self._unused + counted
        self._used = used
        self._life += counted
        if self._works and self._life > _GOOD_LIFE_S:
            self._times = 1
        if min(self.idle, self._unused) >= IDLE_S:
            return True
        if self.idle < self._times * (IDLE_S if self._works else START_S):
            return False
        self._times = min(self._times * 2, _LONGEST)
        return True


def processor_seconds(pid: int) -> float:
    """The seconds of processor that this process has used, in the kernel's ticks; 0 once it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    user, system = fields[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")
