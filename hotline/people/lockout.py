"""Lockout of user names against guesses of passwords, longer each time.

An unknown name takes the same statements: neither the answer nor its time shows which names exist. Only a
hash of a name is stored, because people type passwords into its field.
"""

import hashlib
from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from db.engine import now
from db.models import FailedSignIn
from db.trusted_time import trusted_now
from hotline.errors import Refused, count_seconds_until

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
"""Upsert that locks the row of a name."""


def count_guess(session: Session, username: str, *, right: bool) -> bool:
    """Count this guess of the name's password. Return whether it admits.

    Raises Refused("too-many-attempts") while the name is locked, for any guess.
    """
    at, name_hash = now(session), _hash(username)
    tried = _TRIED[session.get_bind().dialect.name]
    kept = session.execute(tried, {"name_hash": name_hash, "failures": 0, "last_at": at}).one()
    if kept.locked_until and at < kept.locked_until:
        raise refuse_locked(count_seconds_until(kept.locked_until, at))
    failures = 0 if right else kept.failures + 1
    this = update(FailedSignIn).where(FailedSignIn.name_hash == name_hash)
    session.execute(this.values(failures=failures, locked_until=find_lock_end(at, failures)))
    return right


def count_before(session: Session, username: str, *, most: int, wait: timedelta) -> None:
    """Count a guess before another system checks it; the caller unlocks the name after a right one.

    After `most` guesses the name is locked for `wait`, and then allows one at a time. Concurrent guesses
    therefore cannot pass together. Raises Refused("too-many-attempts").
    """
    at, name_hash = now(session), _hash(username)
    tried = _TRIED[session.get_bind().dialect.name]
    kept = session.execute(tried, {"name_hash": name_hash, "failures": 0, "last_at": at}).one()
    if kept.locked_until and at < kept.locked_until:
        raise refuse_locked(count_seconds_until(kept.locked_until, at))
    failures = kept.failures + 1
    until = at + wait if failures >= most else None
    this = update(FailedSignIn).where(FailedSignIn.name_hash == name_hash)
    session.execute(this.values(failures=failures, locked_until=until))


def undo_guess(session: Session, username: str) -> None:
    """Undo the count of a guess that was not checked after all."""
    this = update(FailedSignIn).where(FailedSignIn.name_hash == _hash(username), FailedSignIn.failures > 0)
    session.execute(this.values(failures=FailedSignIn.failures - 1, locked_until=None))


def find_locked_seconds(session: Session, username: str) -> int:
    """Return for how many seconds the name is still locked; 0 if it is not.

    Ask before a password is hashed, which costs far more.
    """
    this = select(FailedSignIn.locked_until).where(FailedSignIn.name_hash == _hash(username))
    until, at = session.scalar(this), now(session)
    return count_seconds_until(until, at) if until is not None and at < until else 0


def refuse_locked(after_s: int) -> Refused:
    """Return the refusal for a name that is locked for so many seconds."""
    return Refused("too-many-attempts", "too many wrong passwords, wait a little", after_s=after_s)


def unlock(session: Session, username: str) -> None:
    """Delete the guesses of this name."""
    session.execute(delete(FailedSignIn).where(FailedSignIn.name_hash == _hash(username)))


def forget_old(session: Session) -> None:
    """Delete names without a guess for a day."""
    session.execute(delete(FailedSignIn).where(FailedSignIn.last_at < trusted_now(session) - _KEPT))


def list_locks(session: Session, usernames: Iterable[str]) -> dict[str, datetime]:
    """Return the end of each name's last lock; names without one are left out."""
    of = {_hash(username): username for username in usernames}
    query = select(FailedSignIn.name_hash, FailedSignIn.locked_until)
    found = session.execute(
        query.where(FailedSignIn.name_hash.in_(of), FailedSignIn.locked_until.is_not(None))
    )
    return {of[name_hash]: until for name_hash, until in found if until}


def find_lock_end(at: datetime, failures: int) -> datetime | None:
    """Return the end of the lock after `failures`: 5 are free, then 1, 2, 4 … up to 900 s."""
    excess = failures - _FREE_FAILURES
    return at + min(timedelta(seconds=2 ** min(excess - 1, 10)), LONGEST) if excess > 0 else None


def _hash(username: str) -> str:
    return hashlib.sha256(username.encode()).hexdigest()
