"""How many calls on 137 there are, by the hours of the city's clock (half an hour beside those of UTC)."""

from collections.abc import Mapping
from datetime import UTC, datetime

from sqlalchemy import bindparam, select, text
from sqlalchemy.orm import Session

from db.engine import now
from db.models import Incoming, IncomingCalls, UtcDateTime
from settings import CITY

_ADD = text(
    "INSERT INTO incoming_calls (hour, kind, calls) VALUES (:hour, :kind, :calls) "
    "ON CONFLICT (hour, kind) DO UPDATE SET calls = incoming_calls.calls + excluded.calls"
).bindparams(bindparam("hour", type_=UtcDateTime))


def add(session: Session, counts: Mapping[Incoming, int]) -> None:
    """Add so many calls to the present hour."""
    if not counts:
        return
    hour = now(session).astimezone(CITY).replace(minute=0, second=0, microsecond=0).astimezone(UTC)
    # In one order, so that two who add at once do not wait for each other.
    rows = [{"hour": hour, "kind": kind.value, "calls": counts[kind]} for kind in sorted(counts)]
    session.execute(_ADD, rows)


def by_hour(session: Session, since: datetime) -> dict[datetime, dict[Incoming, int]]:
    """The calls of each hour (by its beginning) from `since` on, oldest first; only hours that had some."""
    found: dict[datetime, dict[Incoming, int]] = {}
    query = select(IncomingCalls).where(IncomingCalls.hour >= since).order_by(IncomingCalls.hour)
    for row in session.scalars(query):
        found.setdefault(row.hour, {})[row.kind] = row.calls
    return found
