"""Limits on guessing: ticket and tracking numbers, codes, passwords; and on what is expensive.

They are rows: what is used up at one process is used up at all, and after a restart, too.
Only wrong guesses cost, since many citizens share an address behind their mobile operator. A guess is paid
for before it is tried and given back if it was right: a thousand at one moment are no more than the limit.
What a process guards of itself, its processor and its threads, is counted in it alone.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from ipaddress import ip_address, ip_network
from threading import BoundedSemaphore

from sqlalchemy import Engine
from sqlalchemy.exc import DatabaseError

from db.engine import core, glance, writing
from hotline import limits
from hotline.errors import Refused
from hotline.limits import Bucket

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
CODES_DAILY, CODES_DAILY_EVERY_S = 600, 144.0
"""Codes that a network may ask for: 1,200 in its first day, 600 in each other one, so that one takes
at most a fifth of what is left to strangers. A browser that the number is known by costs it nothing."""
CODE_BURST, CODE_EVERY_S = 20, 30.0
PICTURES_BURST, PICTURES_EVERY_S = 20, 20.0
"""Pictures that one number may hand in, whatever becomes of them: each is work for a whole second."""
PICTURES_AT_ONCE = 6
"""Of one number, on their way or looked at: two reports' worth. A dead connection holds its place, too."""
FOLLOW_BURST, FOLLOW_EVERY_S = 10, 60.0
"""Tracking numbers that nobody has, which one signed-in number may ask to follow or to leave."""
LISTS_BURST, LISTS_EVERY_S = 30, 6.0
"""Lists of Open311 that an address reads without a key: ten a minute, as the specification proposes."""
NEAR_BURST, NEAR_EVERY_S = 40, 30.0
"""Looks of one number for what others have reported near a point: 120 an hour, and some in advance."""
PASSED_BURST, PASSED_EVERY_S = 30, 10.0
"""What an address may say by links to bodies outside the city; a picture is work for a whole second."""


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
"""What is counted, by its name in the application's state."""
CONNECTIONS = 4
"""For all of them: each holds one for a statement."""


class Guesses:
    """The wrong guesses that each address has left, whichever process it asks: a token bucket.

    On an engine of its own: whoever asks has a connection of the other one, and none may wait for a second.
    Of an address only a hash is kept, and no longer than it owes something.
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
        with glance(self._engine) as connection:
            left = limits.left(connection, self._bucket, self._key(address), self._at())
        if left < 1:
            after_s = math.ceil((1 - left) * self._bucket.every_s)
            raise Refused("too-many-attempts", "too many wrong guesses; wait a minute", after_s=after_s)
        return int(left)

    def wrong(self, address: str) -> None:
        """A guess was wrong."""
        with writing(self._engine) as session:  # those that came at once are owed
            limits.pay(core(session), self._bucket, self._key(address), self._at())

    def take(self, address: str, wanted: int = 1) -> int:
        """Pay for guesses before they are tried, so that none comes at once with others for nothing.

        Return for how many: at least one, at most `wanted`, and no more than the address has left.
        Raises Refused("too-many-attempts") if it has none.
        """
        paid = min(wanted, self._left(address))  # whoever has none left writes nothing
        with writing(self._engine) as session:
            taken = limits.take(core(session), self._bucket, self._key(address), self._at(), acts=paid)
        if not taken:  # others came at the same moment
            self.check(address)
            raise Refused("too-many-attempts", "too many wrong guesses; wait a minute", after_s=1)
        return paid

    def give_back(self, address: str, guesses: int = 1) -> None:
        """Take back the payment for guesses that were right, or were never tried."""
        if guesses:
            with writing(self._engine) as session:
                limits.give_back(core(session), self._bucket, self._key(address), acts=guesses)

    @contextmanager
    def guess(self, address: str) -> Iterator[None]:
        """Pay for the guess of a number that is looked up within, unless the number is found.

        A number whose check digit is wrong costs nothing: it is not looked up, and most slips are of that
        kind. Thousands share an address behind a mobile operator.
        On a full disk nothing can be counted, and whoever only reads is answered all the same.
        Raises Refused("too-many-attempts") before anything is looked up.
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
        return limits.hash_key(self._secret, self._kind, subscriber(address))


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


def subscriber(address: str, prefix: int = 64) -> str:
    """Return whom an address is counted for: of IPv6 a subscriber has a whole network of this `prefix`."""
    try:
        if ip_address(address).version == 6:
            return str(ip_network(f"{address}/{prefix}", strict=False))
    except ValueError:
        pass
    return address


def site(address: str) -> str:
    """Return whom a daily limit counts an address for: who has a line often has 65,536 networks of IPv6."""
    return subscriber(address, 48)
