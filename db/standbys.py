"""PostgreSQL's standbys, as the primary sees them."""

from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

_SEEN = text(
    "SELECT count(*), CASE WHEN bool_and(state IS NOT NULL)"
    " THEN COALESCE(MAX(EXTRACT(EPOCH FROM replay_lag)), 0) END"
    " FROM pg_stat_replication WHERE state IS DISTINCT FROM 'backup'"
)
"""Users without the role pg_monitor see each standby, but neither its state nor its lag."""


class Standbys(NamedTuple):
    """How many standbys follow, and the seconds by which the last one is late; None: not visible."""

    number: int
    lag_s: float | None


def find_standbys(session: Session) -> Standbys:
    """Return the standbys of this PostgreSQL server; none on SQLite."""
    if session.get_bind().dialect.name != "postgresql":
        return Standbys(0, 0.0)
    number, lag_s = session.execute(_SEEN).one()
    return Standbys(number, None if lag_s is None else float(lag_s))
