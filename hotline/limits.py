"""A few acts at once, then one more every so many seconds: counted in the database, for all processes.

Of each who acts one moment is kept, at which everything has come back: an act moves it away by as much as it
costs. So there is one statement for each, and nothing to do while time passes.
"""

import time
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
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

from db.engine import core
from db.models import Limit

OWED = 10
"""So many more may be paid than there are, by those who came at once."""
_INSERT = {"postgresql": postgresql.insert, "sqlite": sqlite.insert}
_FORGOTTEN_AT_ONCE, _ROUNDED_S = 1000, 1.0


class Bucket(NamedTuple):
    """What is allowed: so many at once, and one more each `every_s`."""

    burst: int
    every_s: float


def left(connection: Connection, bucket: Bucket, who: str, at: float | None = None) -> float:
    """How many acts `who` has left; below zero if more were paid than there were."""
    now = _now(connection, at)
    owed = connection.scalar(select(_from(bucket, now) - now).where(Limit.who == who))
    return bucket.burst - (owed or 0.0) / bucket.every_s


def pay(connection: Connection, bucket: Bucket, who: str, at: float | None = None) -> None:
    """One act, whether there was one left or not."""
    _add(connection, bucket, who, at, room=bucket.burst + OWED)


def take(connection: Connection, bucket: Bucket, who: str, at: float | None = None) -> bool:
    """Pay for one act if there is one left; whether there was."""
    return _add(connection, bucket, who, at, room=bucket.burst)


def give_back(connection: Connection, bucket: Bucket, who: str) -> None:
    """One act that was paid for costs nothing."""
    connection.execute(update(Limit).where(Limit.who == who).values(until=Limit.until - bucket.every_s))


def forget(session: Session) -> bool:
    """Delete some of those who have everything back; whether there may be more of them."""
    connection = core(session)
    old = select(Limit.who).where(Limit.until < _now(connection, None)).limit(_FORGOTTEN_AT_ONCE)
    return connection.execute(delete(Limit).where(Limit.who.in_(old))).rowcount == _FORGOTTEN_AT_ONCE


def _add(connection: Connection, bucket: Bucket, who: str, at: float | None, *, room: int) -> bool:
    now = _now(connection, at)
    began = _from(bucket, now)
    insert: Any = _INSERT[connection.dialect.name](Limit).values(who=who, until=now + bucket.every_s)
    paid = insert.on_conflict_do_update(
        index_elements=[Limit.who],
        set_={"until": began + bucket.every_s},
        where=began - now <= (room - 1) * bucket.every_s,
    )
    return connection.scalar(paid.returning(Limit.until)) is not None


def _from(bucket: Bucket, now: ColumnElement[float]) -> ColumnElement[float]:
    """When all is back; a moment that no act can have made is of a clock that was set back since."""
    latest = now + (bucket.burst + OWED) * bucket.every_s + _ROUNDED_S
    return case((Limit.until > latest, now), (Limit.until > now, Limit.until), else_=now)


def _now(connection: Connection, at: float | None) -> ColumnElement[float]:
    if at is None and connection.dialect.name == "postgresql":
        return extract("epoch", func.clock_timestamp()).cast(Float(53))
    return bindparam("now", time.time() if at is None else at, Float(53), unique=True)
