"""The result of the last check of a directory, for alarms and monitoring."""

from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.engine import now
from db.models import Directory

LDAP, OIDC = "ldap", "oidc"
MANY_GONE = "many-gone"
_STALE = timedelta(minutes=2)


class Trouble(NamedTuple):
    """A directory that cannot be queried, or whose answer is not credible."""

    name: str
    since: datetime
    why: str
    known: int
    gone: int

    def __str__(self) -> str:
        said = f"{self.why} since {self.since:%Y-%m-%dT%H:%M:%SZ}"
        return f"{said}, {self.gone} of {self.known} gone" if self.why == MANY_GONE else said


def record(session: Session, name: str, why: str = "", *, known: int = 0, gone: int = 0) -> None:
    """Record the result of a check; `why` is one word for a problem, empty if there is none."""
    at = now(session)
    row = session.get(Directory, name) or Directory(name=name)
    row.asked_at, row.why, row.known, row.gone = at, why[:40], known, gone
    if why:
        row.troubled_since = row.troubled_since or at
    else:
        row.answered_at, row.troubled_since = at, None
    session.merge(row)


def find_trouble(session: Session) -> Trouble | None:
    """Return the directory with the longest present problem, or None.

    One without recent checks does not count.
    """
    fresh = Directory.asked_at > now(session) - _STALE
    rows = session.scalars(
        select(Directory)
        .where(fresh, Directory.troubled_since.is_not(None))
        .order_by(Directory.troubled_since)
    )
    return next(
        (Trouble(r.name, r.troubled_since, r.why, r.known, r.gone) for r in rows if r.troubled_since), None
    )
