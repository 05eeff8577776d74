"""How many connections one address may have, so that nobody takes them all.

A connection waits while its next request has not come whole. Too many that wait push out the oldest of them:
whoever sends a request at once, as browsers do, is never among those.
"""

import asyncio
from collections import Counter
from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address

from api.limits import subscriber

OPEN = 300
"""Of one address: an office of 60 desks, whose pages hold some each, is one address to us."""
WAITING = 50
"""Of one address, those that wait."""
ALL_WAITING = 300
"""Of all addresses together."""


class Connections:
    """The open connections. Those of `proxies` are many people's: they are not counted by address."""

    def __init__(self, proxies: Sequence[IPv4Network | IPv6Network]) -> None:
        self._proxies = proxies
        self._open: dict[asyncio.Transport, str] = {}
        self._waiting: dict[asyncio.Transport, str] = {}  # the oldest first
        self._open_of: Counter[str] = Counter()
        self._waiting_of: Counter[str] = Counter()

    def opened(self, transport: asyncio.Transport, address: str) -> None:
        """A connection has come; one too many of its address is dropped at once."""
        who = self._who(address)
        self._open[transport] = who
        self._open_of[who] += 1
        if who and self._open_of[who] > OPEN:
            transport.abort()

    def waits(self, transport: asyncio.Transport) -> None:
        """Its next request has not come whole."""
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
        """Its request is here."""
        who = self._waiting.pop(transport, None)
        if who is not None:
            _minus(self._waiting_of, who)

    def closed(self, transport: asyncio.Transport) -> None:
        """It is gone."""
        self.served(transport)
        who = self._open.pop(transport, None)
        if who is not None:
            _minus(self._open_of, who)

    def _drop(self, transport: asyncio.Transport) -> None:
        self.served(transport)
        transport.abort()

    def _who(self, address: str) -> str:
        """Whom a connection is counted for; empty for a proxy, or where there is no address."""
        try:
            ip = ip_address(address)
        except ValueError:
            return ""
        return "" if any(ip in each for each in self._proxies) else subscriber(address)


def _minus(counter: Counter[str], who: str) -> None:
    counter[who] -= 1
    if not counter[who]:
        del counter[who]
