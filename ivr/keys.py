"""Meaning of keys that a caller presses before, during or after a question.

Keys less than two seconds apart are one burst. A burst that begins at a question answers it and then, in
order, the following questions, however early. A burst that begins in an announcement ends announcements and
answers nothing. At a prompt that nobody could foresee, the rest of the burst is dropped. A key after a pause
of two seconds begins a new burst, because it refers to the current prompt.

Two keys belong to an earlier prompt and do not count. One is a repetition within a second of the key that
answered a question (a trembling finger). The other is a late # after an entry or a recording that has ended.
"""

from collections import deque
from collections.abc import Callable
from enum import Enum, auto

END, AGAIN = "#", "*"
BURST_S = 2.0
_SAME_PRESS_S = 1.0
_CLOSES_S = 4.0
"""Seconds after an entry that ended by itself in which its # may come."""


class _Burst(Enum):
    ANSWERS = auto()
    ENDS_ANNOUNCEMENTS = auto()
    DROPPED = auto()


class Keys:
    """Keys of one call. `clock` returns seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._burst = _Burst.ANSWERS
        self._last = float("-inf")
        self._has_pressed = False
        self._ahead: deque[str] = deque()
        self._answer = ""
        """Last key, if it answered a question that was heard."""
        self._closes_until = float("-inf")

    @property
    def has_pressed(self) -> bool:
        """Whether the caller has pressed any key yet."""
        return self._has_pressed

    @property
    def ahead(self) -> bool:
        """Whether an answer to the next question has been pressed already."""
        return bool(self._ahead)

    def take(self) -> str:
        """Return the earliest answer pressed ahead; empty if there is none."""
        return self._ahead.popleft() if self._ahead else ""

    def drop(self) -> None:
        """Drop the keys of this burst: nobody could foresee the prompt that plays now."""
        self._ahead.clear()
        self._burst = _Burst.DROPPED

    def answered(self, key: str) -> None:
        """Note that this key answered a question that was heard: pressed twice it counts once."""
        self._answer = key

    def entry_ended(self) -> None:
        """Note that an entry ended by a pause, or a recording: its closing # may still come."""
        self._closes_until = self._clock() + _CLOSES_S

    def begin_anew(self) -> None:
        """Let the next key begin a new burst."""
        self._ahead.clear()
        self._last = self._closes_until = float("-inf")

    def at_question(self, key: str, *, known: bool = True) -> bool:
        """Return whether a key pressed during a question is its answer.

        Just after its beginning a question is not `known`: then only keys pressed ahead answer it.
        """
        if self._belongs_to_last(key):
            return False
        self._came(_Burst.ANSWERS if known else _Burst.ENDS_ANNOUNCEMENTS)
        return self._burst is _Burst.ANSWERS

    def at_announcement(self, key: str, *, known: bool = False) -> bool:
        """Return whether a key pressed in an announcement ends it.

        `known`: the caller knows the next question.
        """
        if self._belongs_to_last(key):
            return False
        self._came(_Burst.ANSWERS if known else _Burst.ENDS_ANNOUNCEMENTS)
        if self._burst is _Burst.ANSWERS and key != AGAIN:  # * repeats the current prompt only
            self._ahead.append(key)
        return self._burst is not _Burst.DROPPED

    def _belongs_to_last(self, key: str) -> bool:
        answer, closes_until, at = self._answer, self._closes_until, self._clock()
        self._answer, self._closes_until = "", float("-inf")
        self._has_pressed = True
        if key == answer and at - self._last < _SAME_PRESS_S:
            self.drop()  # if it was a separate press, the next keys were for another question
            self._answer, self._last = key, at
            return True
        return key == END and at < closes_until

    def _came(self, beginning: _Burst) -> None:
        at, before = self._clock(), self._last
        self._last = at
        if at - before >= BURST_S:
            self._burst = beginning
