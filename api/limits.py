"""Limits on guessing: ticket numbers, one in ten of which passes the check digit, and passwords.

Kept in this process's memory for the last 10,000 addresses: a restart forgets it, two processes count apart.
Only wrong guesses cost, since many citizens share an address behind their mobile operator.
"""

import math
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ipaddress import ip_address, ip_network
from threading import BoundedSemaphore, Lock

from cachetools import LRUCache

from hotline.errors import Refused

BURST = 10
"""So many wrong guesses of a ticket number at once; then one more every EVERY_S seconds."""
EVERY_S = 6.0
PASSWORD_BURST = 20
PASSWORD_EVERY_S = 30.0
"""The same for passwords: an office, whose people share an address, may well forget some on a Saturday."""
HASHES_AT_ONCE = 2
HASHES_WAITING = 4
"""More than these are refused at once: whoever waits holds one of the threads that answer everybody."""
CODES_BURST, CODES_EVERY_S = 20, 15.0
"""Codes for signing in that an address may ask for, and below, how often it may show a wrong one: many
citizens share an address behind their mobile operator."""
CODE_BURST, CODE_EVERY_S = 20, 30.0
PICTURES_BURST, PICTURES_EVERY_S = 20, 20.0
"""Pictures that one number may hand in, whatever becomes of them: each is work for a whole second."""
PICTURES_AT_ONCE = 6
"""Of one number, on their way or looked at: two reports' worth. A dead connection holds its place, too."""
NEAR_BURST, NEAR_EVERY_S = 40, 30.0
"""Looks of one number for what others have reported near a point: 120 an hour, and some in advance."""
PASSED_BURST, PASSED_EVERY_S = 30, 10.0
"""What an address may say by links to bodies outside the city; a picture is work for a whole second."""
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
            self._check(subscriber(address))

    def wrong(self, address: str) -> None:
        """A guess was wrong."""
        with self._lock:
            self._pay(subscriber(address))  # those that came at once are owed

    def take(self, address: str) -> None:
        """Pay for a guess before it is tried, so that none comes at once with others for nothing.

        Raises Refused("too-many-attempts") if the address has no guess left.
        """
        with self._lock:
            who = subscriber(address)
            self._check(who)
            self._pay(who)

    def give_back(self, address: str) -> None:
        """The guess that was taken was right, or was never tried."""
        with self._lock:
            self._pay(subscriber(address), -1)

    def _check(self, who: str) -> None:
        if (left := self._now(who)[0]) < 1:
            after_s = math.ceil((1 - left) * self._every_s)
            raise Refused("too-many-attempts", "too many wrong guesses; wait a minute", after_s=after_s)

    def _pay(self, who: str, count: int = 1) -> None:
        left, at = self._now(who)
        self._left[who] = (max(left - count, -float(BURST)), at)

    def _now(self, who: str) -> tuple[float, float]:
        at = self._clock()
        left, since = self._left.get(who, (self._burst, at))
        return min(self._burst, left + (at - since) / self._every_s), at


class Coming:
    """How many pictures of each number are on their way; only the event loop asks."""

    def __init__(self, most: int = PICTURES_AT_ONCE) -> None:
        self._most = most
        self._of: Counter[str] = Counter()

    @contextmanager
    def one(self, number: str) -> Iterator[None]:
        """It is, meanwhile. Raises Refused("files-busy")."""
        if self._of[number] >= self._most:
            raise Refused("files-busy", "other pictures of this number are on their way", after_s=5)
        self._of[number] += 1
        try:
            yield
        finally:
            self._of[number] -= 1
            self._of += Counter()  # who has none is forgotten


class Hashing:
    """Who may hash a password now: a flood of sign-ins leaves processor time and threads for all the rest."""

    def __init__(self, at_once: int = HASHES_AT_ONCE, waiting: int = HASHES_WAITING) -> None:
        self._places = BoundedSemaphore(at_once + waiting)
        self._turns = BoundedSemaphore(at_once)

    def run(self, hashed: Callable[[], bool]) -> bool:
        """What `hashed` says, when its turn comes. Raises Refused("too-many-attempts") if too many wait."""
        if not self._places.acquire(blocking=False):
            raise Refused("too-many-attempts", "too many people sign in at this moment")
        try:
            with self._turns:
                return hashed()
        finally:
            self._places.release()


def subscriber(address: str) -> str:
    """Whom an address is counted for: of IPv6 a subscriber has a whole network."""
    try:
        if ip_address(address).version == 6:
            return str(ip_network(f"{address}/64", strict=False))
    except ValueError:
        pass
    return address
