"""How long a program may do nothing before it counts as hung."""

IDLE_S = 8.0
"""So long without any work done, once it has begun to work."""
START_S = 30.0
"""So long until the first: a program begins in two seconds, on a busy machine in twenty."""
_LONGEST = 8
"""A restart makes a machine that is only slow slower still: each one doubles the patience, up to this."""
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

    def worked(self) -> None:
        """It has done some work."""
        self.idle = 0.0
        self._works = True

    def spent(self, seconds: float) -> bool:
        """So much time has gone by. Whether that was too much: then it is to be killed."""
        counted = min(seconds, 2 * LOOK_S)
        self.idle += counted
        self._life += counted
        if self._works and self._life > _GOOD_LIFE_S:
            self._times = 1
        if self.idle < self._times * (IDLE_S if self._works else START_S):
            return False
        self._times = min(self._times * 2, _LONGEST)
        return True
