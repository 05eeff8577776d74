"""A limit on guessing: ticket numbers, one in ten of which passes the check digit, and passwords.

Kept in this process's memory for the last 10,000 addresses: a restart forgets it, two processes count apart.
Only wrong guesses cost, since many citizens share an address behind their mobile operator.
"""

import time
from collections.abc import Callable
from ipaddress import ip_address, ip_network
from threading import Lock

from cachetools import LRUCache

from hotline.errors import Refused

BURST = 10
"""So many wrong guesses of a ticket number at once; then one more every EVERY_S seconds."""
EVERY_S = 6.0
PASSWORD_BURST = 20
PASSWORD_EVERY_S = 30.0
"""The same for passwords: an office, whose people share an address, may well forget some on a Saturday."""
_ADDRESSES = 10_000


class Guesses:
    """The wrong guesses that each address has left: a token bucket."""

    def __init__(
        self,
        burst: int = BURST,
        every_s: float = EVERY_S,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._burst, self._every_s, self._clock = float(burst), every_s, clock
        self._lock = Lock()
        self._left: LRUCache[str, tuple[float, float]] = LRUCache(_ADDRESSES)

    def check(self, address: str) -> None:
        """Raises Refused("too-many-attempts") if the address has no guess left."""
        with self._lock:
            if self._now(_who(address))[0] < 1:
                raise Refused("too-many-attempts", "too many wrong guesses; wait a minute")

    def wrong(self, address: str) -> None:
        """A guess was wrong."""
        who = _who(address)
        with self._lock:
            left, at = self._now(who)
            self._left[who] = (max(left - 1, -float(BURST)), at)  # those that came at once are owed

    def _now(self, who: str) -> tuple[float, float]:
        at = self._clock()
        left, since = self._left.get(who, (self._burst, at))
        return min(self._burst, left + (at - since) / self._every_s), at


def _who(address: str) -> str:
    try:
        if ip_address(address).version == 6:
            return str(ip_network(f"{address}/64", strict=False))  # one subscriber has all of these
    except ValueError:
        pass
    return address
