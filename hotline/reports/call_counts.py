"""Counts of calls to 137, by the hours of the city's clock.

The city's clock is half an hour off UTC's hours.
"""

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
    """Add the counts to the present hour."""
    if not counts:
        return
    hour = now(session).astimezone(CITY).replace(minute=0, second=0, microsecond=0).astimezone(UTC)
    # In one order: two transactions that add at the same time must not deadlock.
    rows = [{"hour": hour, "kind": kind.value, "calls": counts[kind]} for kind in sorted(counts)]
    session.execute(_ADD, rows)


def count_by_hour(session: Session, since: datetime) -> dict[datetime, dict[Incoming, int]]:
    """Return the calls of each hour from `since` on, by the hour's beginning, oldest first.

    Hours without calls are left out.
    """
    found: dict[datetime, dict[Incoming, int]] = {}
    query = select(IncomingCalls).where(IncomingCalls.hour >= since).order_by(IncomingCalls.hour)
    for row in session.scalars(query):
        found.setdefault(row.hour, {})[row.kind] = row.calls
    return found
