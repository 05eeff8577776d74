"""Limits on guessing (ticket and tracking numbers, codes, passwords) and on expensive work.

The limits are rows: all processes share them, and a restart keeps them. Only wrong guesses cost, since many
citizens share an address behind their mobile operator. A guess is paid for before it is tried, and given back
if it was right. So a thousand guesses at one moment get no more than the limit. Limits on this process's own
processor and threads are counted in the process alone.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from ipaddress import ip_address, ip_network
from threading import BoundedSemaphore

from sqlalchemy import Engine
from sqlalchemy.exc import DatabaseError

from db.engine import reading, writing
from hotline import limits
from hotline.errors import Refused
from hotline.limits import Bucket

BURST = 10
"""Wrong guesses of a ticket number at once; then one more every EVERY_S seconds."""
EVERY_S = 6.0
PASSWORD_BURST = 20
PASSWORD_EVERY_S = 30.0
"""The same for passwords: people of one office share an address and may forget several on a Saturday."""
HASHES_AT_ONCE = 2
HASHES_WAITING = 4
"""Beyond this number, sign-ins are refused at once: each waiting one holds a thread that serves everybody."""
_SIGN_IN_S = 2
"""Seconds after which a sign-in that was refused so may find room."""
CODES_BURST, CODES_EVERY_S = 20, 15.0
"""Sign-in codes that an address may ask for. CODE_BURST limits its wrong codes.

Many citizens share an address behind their mobile operator."""
CODES_DAILY, CODES_DAILY_EVERY_S = 600, 144.0
"""Codes that a network may ask for: 1,200 in its first day, 600 in each other one. So one network takes at
most a fifth of the budget for unknown browsers. A browser known to the number costs nothing."""
CODE_BURST, CODE_EVERY_S = 20, 30.0
PICTURES_BURST, PICTURES_EVERY_S = 20, 20.0
"""Pictures that one number may send, refused ones included: each takes a whole second of work."""
PICTURES_AT_ONCE = 6
"""One number's pictures in transfer or in processing: two reports' worth. A dead connection counts, too."""
FOLLOW_BURST, FOLLOW_EVERY_S = 10, 60.0
"""Unknown tracking numbers that one signed-in number may try to follow or to leave."""
LISTS_BURST, LISTS_EVERY_S = 30, 6.0
"""Open311 lists that an address reads without a key: ten a minute, as the specification proposes."""
NEAR_BURST, NEAR_EVERY_S = 40, 30.0
"""Queries of one number for others' reports near a point: 120 an hour, and 40 in advance."""
PASSED_BURST, PASSED_EVERY_S = 30, 10.0
"""Actions of an address by links to agencies outside the city; a picture takes a whole second of work."""


KINDS = {
    "guesses": Bucket(BURST, EVERY_S),
    "passwords": Bucket(PASSWORD_BURST, PASSWORD_EVERY_S),
    "codes_asked": Bucket(CODES_BURST, CODES_EVERY_S),
    "codes_daily": Bucket(CODES_DAILY, CODES_DAILY_EVERY_S),
    "key_guesses": Bucket(PASSWORD_BURST, PASSWORD_EVERY_S),
    "code_guesses": Bucket(CODE_BURST, CODE_EVERY_S),
    "pictures_sent": Bucket(PICTURES_BURST, PICTURES_EVERY_S),
    "passed_acts": Bucket(PASSED_BURST, PASSED_EVERY_S),
    "follow_guesses": Bucket(FOLLOW_BURST, FOLLOW_EVERY_S),
    "lists_read": Bucket(LISTS_BURST, LISTS_EVERY_S),
    "near_looks": Bucket(NEAR_BURST, NEAR_EVERY_S),
}
"""The limits, by their names in the application's state."""
CONNECTIONS = 4
"""Connections for all limits together; a statement holds one."""


class Guesses:
    """The wrong guesses that each address has left, in all processes: a token bucket.

    A request already holds a connection of the main engine and must not wait for a second. So the buckets
    have an engine of their own. The row holds only a hash of the address, and only while the address owes
    something.
    """

    def __init__(
        self,
        engine: Engine,
        kind: str,
        burst: int = BURST,
        every_s: float = EVERY_S,
        *,
        secret: str = "",
        clock: Callable[[], float] | None = None,
    ) -> None:
        self._engine, self._kind, self._secret = engine, kind, secret
        self._bucket, self._clock = Bucket(burst, every_s), clock

    def check(self, address: str) -> None:
        """Raises Refused("too-many-attempts") if the address has no guess left."""
        self._left(address)

    def _left(self, address: str) -> int:
        with reading(self._engine) as session:
            left = limits.count_left(session, self._bucket, self._key(address), self._at())
        if left < 1:
            after_s = math.ceil((1 - left) * self._bucket.every_s)
            raise Refused("too-many-attempts", "too many wrong guesses; wait", after_s=after_s)
        return int(left)

    def wrong(self, address: str) -> None:
        """Count a wrong guess."""
        with writing(self._engine) as session:  # simultaneous guesses may go below zero
            limits.pay(session, self._bucket, self._key(address), self._at())

    def take(self, address: str, wanted: int = 1) -> int:
        """Pay for guesses before they are tried, so that simultaneous guesses are not free.

        Returns how many are paid for: at least one, at most `wanted`, and no more than the address has left.
        Raises Refused("too-many-attempts") if it has none.
        """
        paid = min(wanted, self._left(address))  # an empty bucket costs no write
        with writing(self._engine) as session:
            taken = limits.take(session, self._bucket, self._key(address), self._at(), acts=paid)
        if not taken:  # simultaneous guesses took the rest
            self.check(address)
            raise Refused("too-many-attempts", "too many wrong guesses; wait", after_s=1)
        return paid

    def give_back(self, address: str, guesses: int = 1) -> None:
        """Take back the payment for guesses that were right, or were never tried."""
        if guesses:
            with writing(self._engine) as session:
                limits.give_back(session, self._bucket, self._key(address), acts=guesses)

    @contextmanager
    def guess(self, address: str) -> Iterator[None]:
        """Pay for the guess of a number that is looked up in this block, unless the number is found.

        A wrong check digit costs nothing: nothing is looked up, and most typing errors are of that kind.
        Thousands of citizens share an address behind a mobile operator. A full disk cannot count guesses, but
        reading must still work. Raises Refused("too-many-attempts") before anything is looked up.
        """
        with suppress(DatabaseError):
            self.take(address)
        is_wrong = False
        try:
            yield
        except Refused as refused:
            is_wrong = refused.code == "not-found"
            raise
        finally:
            if not is_wrong:
                with suppress(DatabaseError):
                    self.give_back(address)

    def _at(self) -> float | None:
        return self._clock() if self._clock else None

    def _key(self, address: str) -> str:
        return limits.hash_key(self._secret, self._kind, find_subscriber(address))


class Coming:
    """Counts the pictures of each number in transfer; only the event loop calls it."""

    def __init__(self, most: int = PICTURES_AT_ONCE) -> None:
        self._most = most
        self._of: Counter[str] = Counter()

    @contextmanager
    def one(self, number: str) -> Iterator[None]:
        """Count one picture during this block. Raises Refused("files-busy")."""
        if self._of[number] >= self._most:
            raise Refused("files-busy", "other pictures of this number are on their way", after_s=5)
        self._of[number] += 1
        try:
            yield
        finally:
            self._of[number] -= 1
            self._of += Counter()  # removes numbers with a count of 0


class Hashing:
    """Caps concurrent password hashing, so that a flood of sign-ins leaves processor time and threads."""

    def __init__(self, at_once: int = HASHES_AT_ONCE, waiting: int = HASHES_WAITING) -> None:
        self._places = BoundedSemaphore(at_once + waiting)
        self._turns = BoundedSemaphore(at_once)

    def run(self, hashed: Callable[[], bool]) -> bool:
        """Run `hashed` when a slot is free, and return its result. Raises Refused("too-many-attempts") if too
        many wait.
        """
        if not self._places.acquire(blocking=False):
            raise Refused("too-many-attempts", "too many people sign in at this moment", after_s=_SIGN_IN_S)
        try:
            with self._turns:
                return hashed()
        finally:
            self._places.release()


def find_subscriber(address: str, prefix: int = 64) -> str:
    """Return the subscriber that an address belongs to; with IPv6 a subscriber has a network of this
    `prefix`.
    """
    try:
        if ip_address(address).version == 6:
            return str(ip_network(f"{address}/{prefix}", strict=False))
    except ValueError:
        pass
    return address


def find_site(address: str) -> str:
    """Return the site that a daily limit counts an address for: one IPv6 line often has 65,536 networks."""
    return find_subscriber(address, 48)
