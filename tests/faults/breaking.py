"""Breaks parts of a running system: kill -9 or stop any process, cut the manager's line, end the database.

Each fault is measured: how long until everything has worked again since.
"""

import os
import random
import signal
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Self

import psutil
from sqlalchemy.exc import SQLAlchemyError

from db.engine import reading
from db.models import Heartbeat
from hotline import heartbeats
from tests.kit.crowd import Crowd
from tests.kit.official import Official
from tests.kit.postgres import Postgres
from tests.kit.process import until
from tests.kit.proxy import Proxy
from tests.kit.system import System

PROCESSES = ("dialer", "ivr", "api", "scheduler", "asterisk")
CUT = "cut"
ACTIONS = ("Originate", "Redirect", "Hangup")
TRAPS = tuple(
    f"{what}-{when}-{action}"
    for what in (CUT, "dialer")
    for when in ("before", "after")
    for action in ACTIONS
)
"""The line is cut, or the dialer killed, just before or after Asterisk gets an action: no answer arrives."""
STOPS = tuple(f"stop-{name}" for name in PROCESSES)
"""SIGSTOP: the process lives and does nothing, until the watchdog's patience ends."""
TRUNK = {"trunk-503": "503 Service Unavailable", "trunk-silent": ""}
"""The trunk's answer to every new call for a while."""
DESK_AWAY = "desk-away"
"""An official's phone hangs up, and is back in a moment."""
KINDS = (*PROCESSES, *PROCESSES, *STOPS, *STOPS, *TRUNK, *TRUNK, *[DESK_AWAY] * 4, CUT, CUT, *TRAPS)
"""The kinds of faults: most come at any moment, the others at one of the moments that matter most."""
DATABASE_ENDS, DATABASE_CUT, DATABASE_FROZEN = "database-ends", "database-cut", "database-frozen"
DATABASE = (DATABASE_ENDS, DATABASE_CUT)
"""PostgreSQL is shut down and started, or ends every connection. On SQLite there is nothing to break."""

BY_ITSELF = "asterisk-by-itself"
"""Nobody broke it: it crashed, or hung and was replaced (asterisk#1946). Its calls are lost as by a kill."""

_LOOK_S = 0.02
_BETWEEN_S = (0.3, 4.0)
_TRAP_S = 6.0
_DOWN_S = (0.5, 3.0)
_TRUNK_DOWN_S = (1.0, 6.0)
_FROZEN_S = 20.0
_BEATING = ("ivr", "dialer", "scheduler", "asterisk")
_RECOVERED_S = 60.0


Odd = Callable[[], None]
"""Something that happens to the machine: does it, and returns once it is over."""


@dataclass
class Fault:
    """A fault: its kind, its moment by time.time(), and the seconds until all had worked again."""

    kind: str
    at: float
    recovered_s: float | None = None
    calls: int = 0
    """How many citizens' phones rang or were connected at that moment."""
    left: str = ""
    """The answer of /healthz when all should have worked again, and did not."""

    def __str__(self) -> str:
        after = "never" if self.recovered_s is None else f"{self.recovered_s:.1f} s"
        return f"{self.kind} (again after {after})"


@dataclass
class Breakable:
    """A system with everything about it that can be broken."""

    system: System
    proxy: Proxy
    postgres: Postgres | None = None
    odd: Mapping[str, Odd] = field(default_factory=dict)
    """The other faults of this machine, by name."""

    @property
    def kinds(self) -> tuple[str, ...]:
        """Return the kinds of faults that can be injected here."""
        return (*KINDS, *(DATABASE * 3 if self.postgres else ()))


@dataclass
class Faults:
    """Does `count` faults while it is in its `with`, in a thread of its own; `chance` says what and when."""

    target: Breakable
    crowd: Crowd
    officials: Sequence[Official]
    chance: random.Random
    count: int
    kinds: Sequence[str] = KINDS
    amid_calls: bool = False
    """Each as soon as a citizen's phone rings or is connected."""
    done: list[Fault] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._stopped = threading.Event()
        self._recovering: list[threading.Thread] = []
        self._killed = {0}
        self._watching = threading.Thread(target=self._watch_asterisk, daemon=True)
        self._watching.start()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join(30)
        self._watching.join(30)

    def wait(self, timeout: float) -> None:
        """Wait until all of them are done and everything has worked again."""
        self._thread.join(timeout)
        for thread in self._recovering:
            thread.join(_RECOVERED_S)

    def _work(self) -> None:
        for _ in range(self.count):
            if self._stopped.wait(self.chance.uniform(*_BETWEEN_S)):
                return
            while self.amid_calls and not self.crowd.live():
                if self._stopped.wait(_LOOK_S):
                    return
            self._break(self.chance.choice(self.kinds))

    def _break(self, kind: str) -> None:
        what = kind.removeprefix("stop-")
        dead = self._pid(what) if what in PROCESSES else 0
        self._killed.add(dead)
        fault = Fault(kind, time.time(), calls=len(self.crowd.live()))
        if kind in TRAPS:
            if not self._trapped(*kind.split("-")):
                return
            fault.at = time.time()
        elif kind == CUT:
            self.target.proxy.cut()
        elif kind in (*DATABASE, DATABASE_FROZEN):
            self._end_database(kind)
            fault.at = time.time()
        elif kind in self.target.odd:
            self.target.odd[kind]()
            fault.at = time.time()
        elif kind in TRUNK:
            self.crowd.trunk_says = TRUNK[kind]
            self._stopped.wait(self.chance.uniform(*_TRUNK_DOWN_S))
            self.crowd.trunk_says = None
            fault.at = time.time()
        elif kind == DESK_AWAY:
            self.chance.choice(self.officials).blip()
        else:
            with suppress(ProcessLookupError):
                os.kill(dead, signal.SIGSTOP if kind in STOPS else signal.SIGKILL)
        self._follow(fault, what, dead)

    def _follow(self, fault: Fault, what: str, dead: int) -> None:
        self.done.append(fault)
        thread = threading.Thread(target=self._recover, args=(fault, what, dead), daemon=True)
        thread.start()
        self._recovering.append(thread)

    def _watch_asterisk(self) -> None:
        """See its end even where nobody asked for it."""
        here = 0
        while not self._stopped.wait(_LOOK_S):
            if not here:
                with suppress(LookupError, psutil.Error):
                    here = self.target.system.pid("asterisk")
            elif not psutil.pid_exists(here):
                if here not in self._killed:
                    fault = Fault(BY_ITSELF, time.time(), calls=len(self.crowd.live()))
                    self._follow(fault, "asterisk", here)
                here = 0

    def _end_database(self, kind: str) -> None:
        postgres = self.target.postgres
        assert postgres
        if kind == DATABASE_CUT:
            postgres.end_connections()
            return
        if kind == DATABASE_FROZEN:
            with postgres.frozen():
                self._stopped.wait(_FROZEN_S)
            return
        postgres.stop()
        self._stopped.wait(self.chance.uniform(*_DOWN_S))
        postgres.start()

    def _recover(self, fault: Fault, what: str, dead: int) -> None:
        try:
            until(lambda: not psutil.pid_exists(dead) or not dead, f"{what} is gone", _RECOVERED_S)
            if what == "asterisk":
                self.crowd.cut_off()
            until(lambda: not dead or self._pid(what) != dead, f"another {what}", _RECOVERED_S)
            since = time.time()
            until(lambda: self._all_worked(since), "all work", _RECOVERED_S, every=0.1)
            fault.recovered_s = time.time() - fault.at
        except TimeoutError as error:
            fault.left = f"{error}; {self.target.system.health()}"

    def _all_worked(self, since: float) -> bool:
        """Whether each part has said so after that moment, calls are answered, and the pages are there."""
        system = self.target.system
        try:
            with reading(system.engine) as session:
                beats = [
                    session.get_one(Heartbeat, heartbeats.find_row(name)).at.timestamp() for name in _BEATING
                ]
        except SQLAlchemyError:
            return False
        return min(beats) > since and system.answers_calls() and system.healthy()

    def _trapped(self, what: str, when: str, action: str) -> bool:
        """Whether the dialer has said so within _TRAP_S."""
        proxy = self.target.proxy
        act: Callable[[], object] = proxy.cut if what == CUT else self._kill_dialer
        sprung = proxy.trap(f"Action: {action}".encode(), act, before=when == "before")
        if sprung.wait(_TRAP_S):
            return True
        proxy.trap(b"", lambda: None)  # whatever is said next disarms it
        return False

    def _kill_dialer(self) -> None:
        with suppress(ProcessLookupError):
            os.kill(self._pid("dialer"), signal.SIGKILL)

    def _pid(self, name: str) -> int:
        """A process that has just been killed may not be there again yet."""
        while not self._stopped.is_set():
            with suppress(LookupError, psutil.Error):
                return self.target.system.pid(name)
            time.sleep(0.05)
        return 0
