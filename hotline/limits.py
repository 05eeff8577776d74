"""Rate limits, counted in the database for all processes: a burst, then one act every so many seconds.

Each actor has one stored moment at which the whole burst is available again. An act moves it by its cost. So
each act is one statement, and nothing runs while time passes.
"""

import hashlib
import hmac
import time
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Float,
    bindparam,
    case,
    delete,
    extract,
    func,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from db.models import Limit

OWED = 10
"""How many acts more than available may be paid by simultaneous requests."""
_INSERT = {"postgresql": postgresql.insert, "sqlite": sqlite.insert}
_FORGOTTEN_AT_ONCE, _ROUNDED_S = 1000, 1.0


class Bucket(NamedTuple):
    """The size of a limit: `burst` acts at once, and one more every `every_s` seconds."""

    burst: int
    every_s: float


def count_left(session: Session, bucket: Bucket, who: str, at: float | None = None) -> float:
    """Return how many acts `who` has left; negative if more were paid than available."""
    now = _now(session, at)
    owed = session.scalar(select(_from(bucket, now) - now).where(Limit.who == who))
    return bucket.burst - (owed or 0.0) / bucket.every_s


def pay(session: Session, bucket: Bucket, who: str, at: float | None = None) -> None:
    """Pay for one act, even if none is left."""
    _add(session, bucket, who, at, room=bucket.burst + OWED)


def take(session: Session, bucket: Bucket, who: str, at: float | None = None, *, acts: int = 1) -> bool:
    """Pay for `acts` if so many are left. Return whether they were."""
    return _add(session, bucket, who, at, room=bucket.burst, acts=acts)


def give_back(session: Session, bucket: Bucket, who: str, *, acts: int = 1) -> None:
    """Take back the payment for `acts`."""
    until = Limit.until - bucket.every_s * acts
    given = update(Limit).where(Limit.who == who).values(until=until)
    session.execute(given.execution_options(synchronize_session=False))


def hash_key(secret: str, kind: str, who: str) -> str:
    """Return the key of a row: a keyed hash, so that the table contains no address and no number."""
    return hmac.new(secret.encode(), f"{kind} {who}".encode(), hashlib.sha256).hexdigest()[:32]


def forget(session: Session) -> bool:
    """Delete at most 1000 rows with their full burst; return whether there may be more."""
    old = select(Limit.who).where(Limit.until < _now(session, None)).limit(_FORGOTTEN_AT_ONCE)
    gone = session.connection().execute(delete(Limit).where(Limit.who.in_(old)))
    return gone.rowcount == _FORGOTTEN_AT_ONCE


def _add(session: Session, bucket: Bucket, who: str, at: float | None, *, room: int, acts: int = 1) -> bool:
    now = _now(session, at)
    began = _from(bucket, now)
    cost_s = bucket.every_s * acts
    insert: Any = _INSERT[session.get_bind().dialect.name](Limit).values(who=who, until=now + cost_s)
    paid = insert.on_conflict_do_update(
        index_elements=[Limit.who],
        set_={"until": began + cost_s},
        where=began - now <= room * bucket.every_s - cost_s,
    )
    return session.scalar(paid.returning(Limit.until)) is not None


def _from(bucket: Bucket, now: ColumnElement[float]) -> ColumnElement[float]:
    """Return when the full burst is available.

    A moment too far ahead is of a clock that was set back since.
    """
    latest = now + (bucket.burst + OWED) * bucket.every_s + _ROUNDED_S
    return case((Limit.until > latest, now), (Limit.until > now, Limit.until), else_=now)


def _now(session: Session, at: float | None) -> ColumnElement[float]:
    if at is None and session.get_bind().dialect.name == "postgresql":
        return extract("epoch", func.clock_timestamp()).cast(Float(53))
    return bindparam("now", time.time() if at is None else at, Float(53), unique=True)
