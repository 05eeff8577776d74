"""Limits on the connections of one address, so that no address takes them all.

A connection waits until its next request has come whole. If too many wait, the oldest waiting one is dropped.
A browser sends a request at once, so its connection is never among these.
"""

import asyncio
from collections import Counter
from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address

from api.limits import find_subscriber

OPEN = 300
"""Open connections of one address; an office of 60 desks, with some for each page, is one address."""
WAITING = 50
"""Waiting connections of one address."""
ALL_WAITING = 300
"""Waiting connections of all addresses together."""


class Connections:
    """The open connections. A trusted proxy's connections belong to many people: they are not counted by
    address.
    """

    def __init__(self, proxies: Sequence[IPv4Network | IPv6Network]) -> None:
        self._proxies = proxies
        self._open: dict[asyncio.Transport, str] = {}
        self._waiting: dict[asyncio.Transport, str] = {}  # oldest first
        self._open_of: Counter[str] = Counter()
        self._waiting_of: Counter[str] = Counter()

    def opened(self, transport: asyncio.Transport, address: str) -> None:
        """Record a new connection; drop it at once if its address has too many."""
        who = self._who(address)
        self._open[transport] = who
        self._open_of[who] += 1
        if who and self._open_of[who] > OPEN:
            transport.abort()

    def waits(self, transport: asyncio.Transport) -> None:
        """Record that the connection's next request has not come whole. Drops the oldest waiting one if too
        many wait.
        """
        who = self._open.get(transport)
        if who is None or transport in self._waiting:
            return
        self._waiting[transport] = who
        self._waiting_of[who] += 1
        if who and self._waiting_of[who] > WAITING:
            self._drop(next(each for each, of in self._waiting.items() if of == who))
        elif len(self._waiting) > ALL_WAITING:
            self._drop(next(iter(self._waiting)))

    def served(self, transport: asyncio.Transport) -> None:
        """Record that the connection's request has come whole."""
        who = self._waiting.pop(transport, None)
        if who is not None:
            _minus(self._waiting_of, who)

    def closed(self, transport: asyncio.Transport) -> None:
        """Forget a closed connection."""
        self.served(transport)
        who = self._open.pop(transport, None)
        if who is not None:
            _minus(self._open_of, who)

    def _drop(self, transport: asyncio.Transport) -> None:
        self.served(transport)
        transport.abort()

    def _who(self, address: str) -> str:
        """Return the subscriber for whom a connection is counted; empty for a proxy or without an address."""
        try:
            ip = ip_address(address)
        except ValueError:
            return ""
        return "" if any(ip in each for each in self._proxies) else find_subscriber(address)


def _minus(counter: Counter[str], who: str) -> None:
    counter[who] -= 1
    if not counter[who]:
        del counter[who]
