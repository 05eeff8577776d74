"""Watcher of all calls: a thread that notices Asterisk's answer to a call whose own thread is at work.

That is rare: the answer is that of a wait, and our work is shorter. A thread for each work would cost more
than some commands' work.
"""

import select
import threading
from collections.abc import Callable


class DueAnswers:
    """Callbacks by the connection on which an answer is due."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._told: dict[int, Callable[[], object]] = {}
        self._epoll: select.epoll | None = None
        """Created at first use: a forked process must not share it."""

    def expect(self, connection: int, early: Callable[[], object]) -> None:
        """Call `early` in another thread if something arrives on this connection before `due` is called."""
        with self._lock:
            if self._epoll is None:
                epoll = select.epoll()
                threading.Thread(target=self._watch, args=(epoll,), daemon=True).start()
                self._epoll = epoll  # set last: if no thread could start, the next call tries again
            self._told[connection] = early
        self._epoll.register(connection, select.EPOLLIN | select.EPOLLONESHOT)

    def due(self, connection: int) -> bool:
        """Stop watching the connection. Return whether `early` was not called."""
        assert self._epoll is not None  # noqa: S101
        self._epoll.unregister(connection)
        with self._lock:
            return self._told.pop(connection, None) is not None

    def _watch(self, epoll: select.epoll) -> None:
        while True:
            for connection, _ in epoll.poll():
                with self._lock:
                    early = self._told.pop(connection, None)
                if early:
                    early()


EARLY = DueAnswers()
