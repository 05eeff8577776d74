"""One thread for all calls: it notices when Asterisk has answered a call whose own thread is still at work.

That is rare, for the answer is that of a wait, and our work is shorter. To begin a thread for each work that
then waits in vain costs more than the work of some commands.
"""

import select
import threading
from collections.abc import Callable


class EarlyAnswers:
    """Who is to be told, by the connection on which an answer is due."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._told: dict[int, Callable[[], object]] = {}
        self._epoll: select.epoll | None = None
        """Made when first needed: the process that we are forked from has none to share."""

    def expect(self, connection: int, early: Callable[[], object]) -> None:
        """Call `early`, in another thread, if something comes on this connection before it is `due`."""
        with self._lock:
            if self._epoll is None:
                epoll = select.epoll()
                threading.Thread(target=self._watch, args=(epoll,), daemon=True).start()
                self._epoll = epoll  # who could begin no thread leaves it to the next call
            self._told[connection] = early
        self._epoll.register(connection, select.EPOLLIN | select.EPOLLONESHOT)

    def due(self, connection: int) -> bool:
        """From now on nobody is told; whether nobody has been."""
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


EARLY = EarlyAnswers()
