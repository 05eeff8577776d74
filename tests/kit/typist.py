"""A caller in time: presses each key at its second, whatever is said then, or hears each question out."""

import socket
from collections.abc import Callable, Iterable
from typing import NamedTuple

from tests.kit.fake_asterisk import FakeAsterisk, Heard
from tests.kit.fake_channel import WORK_MS, Channel, Clock, said

_RATE = 8000
_LISTENS_S = 2.5


class Taken(NamedTuple):
    """A key, with the seconds since its prompt began, or one before any prompt."""

    key: str
    prompt: str
    before: str
    """The prompt before that one."""
    said_for: float


class Silent:
    """Nobody: what is pressed is the channel's business."""

    def at(self, _moment: str) -> None:
        """Nothing happens."""


class TypedChannel(Channel):
    """Like the real one it forgets a key that no command of that moment waits for."""

    def __init__(
        self,
        wire: socket.socket,
        heard: Heard,
        clock: Clock,
        keys: Iterable[tuple[float, str]],
        seconds: Callable[[str], float],
    ) -> None:
        super().__init__(wire, Silent(), heard, lambda: None, clock)
        self._begun = clock()
        self._typed = list(keys)
        self._seconds = seconds
        self.taken: list[Taken] = []
        """Each key that a command took."""
        self._since = (0, 0.0)

    def _next(self, seconds: float, keys: str) -> str:
        """The key of `keys` that comes in this time, which passes until then."""
        now = self._clock() - self._begun
        until = now + seconds
        while self._typed and self._typed[0][0] <= until:
            at, key = self._typed.pop(0)
            if at >= now and key in keys:
                self._clock.pass_(at - now)
                prompts, began = self._since
                before, prompt = ["", "", *self._heard.prompts][prompts : prompts + 2]
                self.taken.append(Taken(key, prompt, before, self._clock() - began))
                return key
        self._clock.pass_(seconds)
        return ""

    def _until_key(self, clip: str, keys: str, offset: int = 0) -> tuple[str, int]:
        before = self._clock()
        if len(self._heard.prompts) > self._since[0]:
            self._since = len(self._heard.prompts), before
        key = self._next(max(self._seconds(clip) - offset / _RATE, 0.0), keys)
        return key, max(offset + round((self._clock() - before) * _RATE), 1)

    def _record_file(self, path: str, ending: str, keys: str, longest_ms: str, silence: str) -> bytes:
        answer = super()._record_file(path, ending, keys, longest_ms, silence)
        key = self._next(10.0, keys)
        return said("RECORD FILE", "a key", ord(key)) if key else answer

    def _wait_for_digit(self, timeout_ms: str) -> bytes:
        key = self._next(int(timeout_ms) / 1000, "0123456789*#ABCD")
        return said("WAIT FOR DIGIT", "a key", ord(key)) if key else said("WAIT FOR DIGIT", "time-out")


class SlowChannel(TypedChannel):
    """A caller who hears everything out and presses the next of the keys once a question waits for it."""

    def _next(self, seconds: float, keys: str) -> str:
        self._clock.pass_(seconds)
        return ""

    def _wait_for_digit(self, timeout_ms: str) -> bytes:
        following = self._typed[0][1] if self._typed else ""
        if not following or int(timeout_ms) == WORK_MS:
            return super()._wait_for_digit(timeout_ms)
        self._typed.pop(0)
        self._clock.pass_(_LISTENS_S)
        return said("WAIT FOR DIGIT", "a key", ord(following))


def type_keys(
    asterisk: FakeAsterisk,
    keys: Iterable[tuple[float, str]],
    *,
    slowly: bool = False,
    seconds: Callable[[str], float] = lambda _clip: 2.0,
    **how: str,
) -> tuple[Heard, TypedChannel]:
    """A call in which these keys are pressed at these seconds, or, `slowly`, one at each question.

    `seconds`: how long a clip is.
    """
    made: list[TypedChannel] = []

    def channel(wire: socket.socket, heard: Heard) -> Channel:
        kind = SlowChannel if slowly else TypedChannel
        made.append(kind(wire, heard, asterisk.clock, keys, seconds))
        return made[0]

    return asterisk.call(Silent(), channel=channel, **how), made[0]
