"""Breaks parts of a running system at random moments: kill -9 of any process, the manager's line cut."""

import random
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Self

import psutil

from tests.kit.crowd import Crowd
from tests.kit.proxy import Proxy
from tests.kit.system import System

PROCESSES = ("dialer", "ivr", "api", "clerk", "asterisk")
CUT = "cut"
KINDS = (*PROCESSES, CUT)
_BETWEEN_S = (0.3, 4.0)


@dataclass
class Faults:
    """Does `count` faults while it is in its `with`, in a thread of its own; `chance` says what and when."""

    system: System
    proxy: Proxy
    crowd: Crowd
    chance: random.Random
    count: int
    kinds: tuple[str, ...] = KINDS
    done: list[tuple[float, str]] = field(default_factory=list)
    """What was broken, and when as time.time() tells it."""

    def __enter__(self) -> Self:
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join(30)

    def wait(self, timeout: float) -> bool:
        """Wait until all of them are done."""
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _work(self) -> None:
        for _ in range(self.count):
            if self._stopped.wait(self.chance.uniform(*_BETWEEN_S)):
                return
            self._break(self.chance.choice(self.kinds))

    def _break(self, kind: str) -> None:
        if kind == CUT:
            self.proxy.cut()
        else:
            self._when_there(lambda: self.system.kill(kind))
        self.done.append((time.time(), kind))
        if kind == "asterisk":
            self.crowd.cut_off()

    def _when_there(self, kill: Callable[[], int]) -> None:
        """A process that has just been killed may not be there again yet."""
        while not self._stopped.is_set():
            with suppress(LookupError, ProcessLookupError, psutil.Error):
                kill()
                return
            time.sleep(0.05)
