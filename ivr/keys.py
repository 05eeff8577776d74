"""What a key means that somebody presses before, while or after they are asked.

Keys less than two seconds apart are one burst. A burst that begins at a question answers that question and,
in their order, those that follow, however early they are pressed. One that begins in an announcement ends
announcements and answers nothing. Once the call says what nobody could foresee, the rest of the burst is
dropped. After a pause of two seconds a key is a new beginning, so it means what the caller hears just then.

Two keys still belong to what is over, and count for nothing: the key that answered a question, once more
within a second (a trembling finger), and the # that somebody presses late, after an entry or a recording that
has ended.
"""

from collections import deque
from collections.abc import Callable
from enum import Enum, auto

END, AGAIN = "#", "*"
BURST_S = 2.0
_SAME_PRESS_S = 1.0
_CLOSES_S = 4.0
"""So long after an entry that has ended by itself its # may come."""


class _Burst(Enum):
    ANSWERS = auto()
    ENDS_ANNOUNCEMENTS = auto()
    DROPPED = auto()


class Keys:
    """The keys of one call. `clock` tells seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._burst = _Burst.ANSWERS
        self._last = float("-inf")
        self._has_pressed = False
        self._ahead: deque[str] = deque()
        self._answer = ""
        """The last key, if it answered a question that was heard."""
        self._closes_until = float("-inf")

    @property
    def has_pressed(self) -> bool:
        """Whether the caller has pressed any key yet."""
        return self._has_pressed

    @property
    def ahead(self) -> bool:
        """Whether there is an answer to the next question already."""
        return bool(self._ahead)

    def take(self) -> str:
        """The answer that came first; empty if there is none."""
        return self._ahead.popleft() if self._ahead else ""

    def drop(self) -> None:
        """What is said now could not be foreseen: no key of this burst was meant for what follows."""
        self._ahead.clear()
        self._burst = _Burst.DROPPED

    def answered(self, key: str) -> None:
        """The last key answered a question that was heard: pressed twice it is pressed once."""
        self._answer = key

    def entry_ended(self) -> None:
        """An entry has ended by a pause, or a recording: its closing # may yet come, or come once more."""
        self._closes_until = self._clock() + _CLOSES_S

    def begin_anew(self) -> None:
        """Whatever is pressed from now on is a new beginning."""
        self._ahead.clear()
        self._last = self._closes_until = float("-inf")

    def at_question(self, key: str, *, known: bool = True) -> bool:
        """Whether a key that came while a question was asked is its answer.

        Not `known` is one that has only just begun: then only what was typed ahead answers it.
        """
        if self._belongs_to_last(key):
            return False
        self._came(_Burst.ANSWERS if known else _Burst.ENDS_ANNOUNCEMENTS)
        return self._burst is _Burst.ANSWERS

    def at_announcement(self, key: str, *, known: bool = False) -> bool:
        """Whether a key that came in an announcement ends it. `known`: the caller knows what it answers."""
        if self._belongs_to_last(key):
            return False
        self._came(_Burst.ANSWERS if known else _Burst.ENDS_ANNOUNCEMENTS)
        if self._burst is _Burst.ANSWERS and key != AGAIN:  # it asks for what is heard, not for what will be
            self._ahead.append(key)
        return self._burst is not _Burst.DROPPED

    def _belongs_to_last(self, key: str) -> bool:
        answer, closes_until, at = self._answer, self._closes_until, self._clock()
        self._answer, self._closes_until = "", float("-inf")
        self._has_pressed = True
        if key == answer and at - self._last < _SAME_PRESS_S:
            self.drop()  # what follows was meant for another question, if this one was a press of its own
            self._answer, self._last = key, at
            return True
        return key == END and at < closes_until

    def _came(self, beginning: _Burst) -> None:
        at, before = self._clock(), self._last
        self._last = at
        if at - before >= BURST_S:
            self._burst = beginning
