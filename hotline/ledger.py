"""The public ledger: every fact that can change the order of calling, appended with what it tells of.

It names registrations by their number in our records and nothing else of a citizen. What its text and
its hashes are is told in docs/ledger.md, for strangers who check them.
"""

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from db import events
from db.engine import core, now
from db.models import LedgerEntry, Registration
from db.states import Fact, RegistrationState

# Written in every registration: statements that are built once, without the session's unit of work.
_LAST = select(LedgerEntry.id, LedgerEntry.at).order_by(LedgerEntry.id.desc()).limit(1)
_INSERT = insert(LedgerEntry)
_COLUMNS = ("id", "at", "fact", "round_id", "registration_id", "details")


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
    last_id, last_at = core(session).execute(_LAST).one_or_none() or (0, None)
    at = now(session)
    entry = LedgerEntry(
        id=last_id + 1,
        at=max(at, last_at or at),  # a clock that was set back does not make the past look forged
        fact=fact,
        round_id=round_id,
        registration_id=registration_id,
        details=json.dumps(details, ensure_ascii=False, sort_keys=True, separators=(",", ":")),
    )
    values = {name: getattr(entry, name) for name in _COLUMNS}
    core(session).execute(_INSERT, values | {"digest": digest(entry)})


def digest(entry: LedgerEntry) -> str:
    """An entry's leaf hash of RFC 9162, in hex: SHA-256 of a zero byte and the canonical text."""
    return hashlib.sha256(b"\0" + canonical(entry)).hexdigest()


def canonical(entry: LedgerEntry) -> bytes:
    """The text that is hashed: a JSON list of number, time (UTC), fact, round, registration, details."""
    at = entry.at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    head = json.dumps(
        [entry.id, at, entry.fact, entry.round_id, entry.registration_id], separators=(",", ":")
    )
    return f"{head[:-1]},{entry.details}]".encode()


Rank = tuple[int, int, datetime, int]


class Place(NamedTuple):
    """What decides a registration's place, as the ledger and the registrations tell it alike."""

    round_id: int
    state: RegistrationState
    moved_up: int
    rounds_missed: int
    registered_at: datetime
    not_before: datetime | None

    def rank(self, registration_id: int) -> Rank:
        """The order of calling as a value: the lesser is called first."""
        return (-self.moved_up, -self.rounds_missed, self.registered_at, registration_id)


def place(entry: LedgerEntry) -> Place:
    """The place that an entry tells of its registration. Raises ValueError, KeyError, TypeError."""
    told = json.loads(entry.details)
    return Place(
        entry.round_id,
        RegistrationState(told["state"]),
        told["moved_up"],
        told["rounds_missed"],
        datetime.fromisoformat(told["registered_at"]),
        datetime.fromisoformat(told["not_before"]) if told["not_before"] else None,
    )


def entries(session: Session, after: int, limit: int) -> Sequence[LedgerEntry]:
    """The entries after number `after`, at most `limit`, in their order."""
    query = select(LedgerEntry).where(LedgerEntry.id > after).order_by(LedgerEntry.id).limit(limit)
    return session.scalars(query).all()


def of_registration(session: Session, registration_id: int) -> Sequence[LedgerEntry]:
    """Everything the ledger tells of one registration, in its order."""
    query = select(LedgerEntry).where(LedgerEntry.registration_id == registration_id)
    return session.scalars(query.order_by(LedgerEntry.id)).all()
