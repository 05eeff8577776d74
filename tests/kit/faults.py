"""Breaks parts of a running system: kill -9 of any process, the manager's line cut, an answer of it lost."""

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
ACTIONS = ("Originate", "Redirect", "Hangup")
TRAPS = tuple(
    f"{what}-{when}-{action}"
    for what in (CUT, "dialer")
    for when in ("before", "after")
    for action in ACTIONS
)
"""The line is cut, or the dialer killed, just before or after Asterisk gets an action: no answer arrives."""
KINDS = (*PROCESSES, *PROCESSES, CUT, CUT, *TRAPS)
"""So that half of all faults come at any moment, half at one of the moments that matter most."""
_BETWEEN_S = (0.3, 4.0)
_TRAP_S = 6.0


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
        if kind in TRAPS:
            if not self._trapped(*kind.split("-")):
                return
        elif kind == CUT:
            self.proxy.cut()
        else:
            self._when_there(lambda: self.system.kill(kind))
        self.done.append((time.time(), kind))
        if kind == "asterisk":
            self.crowd.cut_off()

    def _trapped(self, what: str, when: str, action: str) -> bool:
        """Whether the dialer has said so within _TRAP_S."""
        act = self.proxy.cut if what == CUT else lambda: self._when_there(lambda: self.system.kill(what))
        sprung = self.proxy.trap(f"Action: {action}".encode(), act, before=when == "before")
        if sprung.wait(_TRAP_S):
            return True
        self.proxy.trap(b"", lambda: None)  # whatever is said next disarms it
        return False

    def _when_there(self, kill: Callable[[], int]) -> None:
        """A process that has just been killed may not be there again yet."""
        while not self._stopped.is_set():
            with suppress(LookupError, ProcessLookupError, psutil.Error):
                kill()
                return
            time.sleep(0.05)
