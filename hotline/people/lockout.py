"""A name whose password is guessed is locked for a while, longer each time.

It is the same for a name that nobody has, statement for statement: neither an answer nor the time that it
takes tells which names there are. Of a name only a hash is kept: people type passwords into its field.
"""

import hashlib
from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from db.engine import core, now
from db.models import FailedSignIn
from db.trusted_time import trusted_now
from hotline.errors import Refused

_KEPT = timedelta(days=1)
_FREE_FAILURES = 5
LONGEST = timedelta(seconds=900)
"""The longest lock after wrong passwords or codes."""
_TRIED = {
    name: into.on_conflict_do_update(
        index_elements=["name_hash"], set_={"last_at": into.excluded.last_at}
    ).returning(FailedSignIn.failures, FailedSignIn.locked_until)
    for name, into in (
        ("postgresql", postgresql.insert(FailedSignIn)),
        ("sqlite", sqlite.insert(FailedSignIn)),
    )
}
"""The row of a name, which nobody else changes from then on."""


def guessed(session: Session, username: str, *, right: bool) -> bool:
    """Count this guess of the name's password; whether it lets in.

    Raises Refused("too-many-attempts") while the name is locked, whatever was guessed.
    """
    at, name_hash = now(session), _hash(username)
    tried = _TRIED[session.get_bind().dialect.name]
    kept = core(session).execute(tried, {"name_hash": name_hash, "failures": 0, "last_at": at}).one()
    if kept.locked_until and at < kept.locked_until:
        raise refusal()
    failures = 0 if right else kept.failures + 1
    this = update(FailedSignIn).where(FailedSignIn.name_hash == name_hash)
    session.execute(this.values(failures=failures, locked_until=backoff(at, failures)))
    return right


def count_before(session: Session, username: str, *, most: int, wait: timedelta) -> None:
    """Count a guess before somebody else is asked whether it is right; a right one is unlocked afterwards.

    After `most` of them nothing is asked for `wait`, and then one at a time: so many at once cannot slip
    through together. Raises Refused("too-many-attempts").
    """
    at, name_hash = now(session), _hash(username)
    tried = _TRIED[session.get_bind().dialect.name]
    kept = core(session).execute(tried, {"name_hash": name_hash, "failures": 0, "last_at": at}).one()
    if kept.locked_until and at < kept.locked_until:
        raise refusal()
    failures = kept.failures + 1
    until = at + wait if failures >= most else None
    this = update(FailedSignIn).where(FailedSignIn.name_hash == name_hash)
    session.execute(this.values(failures=failures, locked_until=until))


def not_asked(session: Session, username: str) -> None:
    """The guess that was counted before was not tried."""
    this = update(FailedSignIn).where(FailedSignIn.name_hash == _hash(username), FailedSignIn.failures > 0)
    session.execute(this.values(failures=FailedSignIn.failures - 1, locked_until=None))


def is_locked(session: Session, username: str) -> bool:
    """Whether the name is locked now: asked before a password is hashed, which costs far more."""
    this = select(FailedSignIn.locked_until).where(FailedSignIn.name_hash == _hash(username))
    until = session.scalar(this)
    return until is not None and now(session) < until


def refusal() -> Refused:
    """What is said of a locked name."""
    return Refused("too-many-attempts", "too many wrong passwords, wait a little")


def unlock(session: Session, username: str) -> None:
    """Forget the guesses of this name."""
    session.execute(delete(FailedSignIn).where(FailedSignIn.name_hash == _hash(username)))


def forget_old(session: Session) -> None:
    """Forget names at which nobody has guessed for a day."""
    session.execute(delete(FailedSignIn).where(FailedSignIn.last_at < trusted_now(session) - _KEPT))


def locks(session: Session, usernames: Iterable[str]) -> dict[str, datetime]:
    """Until when each of these names was locked last; a name that was not is left out."""
    of = {_hash(username): username for username in usernames}
    query = select(FailedSignIn.name_hash, FailedSignIn.locked_until)
    found = session.execute(
        query.where(FailedSignIn.name_hash.in_(of), FailedSignIn.locked_until.is_not(None))
    )
    return {of[name_hash]: until for name_hash, until in found if until}


def backoff(at: datetime, failures: int) -> datetime | None:
    """Until when nothing is tried after so many failures: 5 are free, then 1, 2, 4 … up to 900 seconds."""
    excess = failures - _FREE_FAILURES
    return at + min(timedelta(seconds=2 ** min(excess - 1, 10)), LONGEST) if excess > 0 else None


def _hash(username: str) -> str:
    return hashlib.sha256(username.encode()).hexdigest()
