"""A line that can be cut: a small TCP proxy between two parts of the system."""

import selectors
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple, Self

from tests.kit.ports import free_port

_CHUNK = 1 << 16


class _Trap(NamedTuple):
    word: bytes
    act: Callable[[], object]
    before: bool
    sprung: threading.Event

    def spring(self) -> None:
        self.act()
        self.sprung.set()


class Proxy:
    """Passes on whatever comes in at `port` to the target (`host:port`), both ways, until it is cut."""

    def __init__(self, target: str) -> None:
        host, _, port = target.rpartition(":")
        self._target = (host, int(port))
        self.port = free_port()
        self._lock = threading.Lock()
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._trap: _Trap | None = None

    def cut(self) -> int:
        """End every connection that stands, in the middle of whatever is said. Returns how many."""
        with self._lock:
            pairs, self._pairs = self._pairs, []
        for pair in pairs:
            for end in pair:
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
        return len(pairs)

    def trap(self, word: bytes, act: Callable[[], object], *, before: bool = False) -> threading.Event:
        """Do `act` once, as soon as the caller has said `word` (or `before` it is passed on).

        The event that is returned tells that it was done.
        """
        trap = _Trap(word, act, before, threading.Event())
        with self._lock:
            self._trap = trap
        return trap.sprung

    def _caught(self, said: bytes) -> "_Trap | None":
        with self._lock:
            trap = self._trap
            if trap is None or trap.word not in said:
                return None
            self._trap = None
        return trap

    def __enter__(self) -> Self:
        self._listening = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self.cut()

    def _accept(self) -> None:
        while True:
            try:
                caller, _ = self._listening.accept()
            except OSError:
                return
            try:
                called = socket.create_connection(self._target, timeout=3)
            except OSError:
                caller.close()
                continue
            called.settimeout(None)
            with self._lock:
                self._pairs.append((caller, called))
            threading.Thread(target=self._pass_on, args=(caller, called), daemon=True).start()

    def _pass_on(self, caller: socket.socket, called: socket.socket) -> None:
        other = {caller: called, called: caller}
        with selectors.DefaultSelector() as ready, caller, called, suppress(OSError):
            for end in other:
                ready.register(end, selectors.EVENT_READ)
            while True:
                for key, _ in ready.select():
                    end = key.fileobj
                    assert isinstance(end, socket.socket)
                    data = end.recv(_CHUNK)
                    if not data:
                        return
                    trap = self._caught(data) if end is caller else None
                    if trap and trap.before:
                        trap.spring()
                    other[end].sendall(data)
                    if trap and not trap.before:
                        trap.spring()
