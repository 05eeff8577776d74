"""The public ledger: every fact that can change the order of calling, appended with what it tells of.

It names registrations by their number in our records and nothing else of a citizen.
"""

import hashlib
import json
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from db import events
from db.engine import now
from db.models import LedgerEntry, Registration
from db.states import Fact


def record(session: Session, fact: Fact, registration: Registration, **details: Any) -> None:
    """Append a fact about a registration, with all that decides its place. Call it after every other change.

    `details` are more facts, ready for JSON and for the public.
    """
    order = {
        "state": registration.state,
        "moved_up": registration.moved_up,
        "rounds_missed": registration.rounds_missed,
        "registered_at": registration.registered_at.isoformat(),
        "not_before": registration.not_before.isoformat() if registration.not_before else None,
    }
    append(session, fact, registration.round_id, registration.id, order | details)


def append(
    session: Session, fact: Fact, round_id: int, registration_id: int | None, details: dict[str, Any]
) -> None:
    """Append a fact. Entries are numbered without gaps, in the order in which they are committed."""
    session.flush()
    events.hold_order(session)
    entry = LedgerEntry(
        id=(session.scalar(select(func.max(LedgerEntry.id))) or 0) + 1,
        at=now(session),
        fact=fact,
        round_id=round_id,
        registration_id=registration_id,
        details=json.dumps(details, ensure_ascii=False, sort_keys=True, separators=(",", ":")),
        digest="",
    )
    entry.digest = digest(entry)
    session.add(entry)
    session.flush()


def digest(entry: LedgerEntry) -> str:
    """The SHA-256 (hex) of an entry's canonical text."""
    return hashlib.sha256(canonical(entry)).hexdigest()


def canonical(entry: LedgerEntry) -> bytes:
    """The text that is hashed: a JSON list of number, time (UTC), fact, round, registration, details."""
    parts = [
        entry.id,
        _utc(entry.at),
        str(entry.fact),
        entry.round_id,
        entry.registration_id,
        json.loads(entry.details),
    ]
    return json.dumps(parts, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def _utc(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
