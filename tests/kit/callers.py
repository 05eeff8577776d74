"""Callers who keep channels of the trunk busy: they dial 137, listen, say nothing, and dial again."""

import threading
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from typing import Self

from tests.kit.crowd import Crowd
from tests.kit.registrant import Line
from tests.kit.system import System

_LOOK_S = 0.02


class Callers:
    """Numbers on the line of 137 while the `with` lasts, each in a thread of its own.

    They come by the same trunk as the calls to the `crowd`, which carries at most `channels` calls in all.
    """

    def __init__(self, system: System, crowd: Crowd, numbers: Sequence[str], *, channels: int) -> None:
        self._system, self._crowd, self._numbers, self._channels = system, crowd, numbers, channels
        self._lines: dict[str, tuple[Line, ExitStack]] = {}
        self._stopped = threading.Event()

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join(10)
        for _, stack in self._lines.values():
            stack.close()
        self._crowd.channels = None

    def __len__(self) -> int:
        """How many of them are on the line now."""
        return len(self._lines)

    def _work(self) -> None:
        while not self._stopped.wait(_LOOK_S):
            for number in self._numbers:
                self._look(number)

    def _look(self, number: str) -> None:
        if number in self._lines:
            line, stack = self._lines[number]
            line.look()
            if not line.open:
                with suppress(OSError):
                    stack.close()
                del self._lines[number]
        elif len(self._lines) + len(self._crowd.live()) < self._channels:
            self._crowd.channels = self._channels - len(self._lines) - 1
            stack = ExitStack()
            self._lines[number] = stack.enter_context(Line(self._system, number)), stack
        self._crowd.channels = self._channels - len(self._lines)
