"""The public ledger: an append-only list of every fact that can change the order of calls.

An entry names a registration by its database id, and nothing else about a citizen. Outsiders who check texts
and hashes read docs/ledger.md.
"""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from db import events
from db.models import LedgerEntry, Registration, Seal
from db.states import Fact, RegistrationState
from hotline.ledger import merkle

# Every registration runs these: they are built once, and bypass the session's unit of work.
_SEALED_AT = select(Seal.sealed_at).order_by(Seal.size.desc()).limit(1).scalar_subquery()
_LAST = select(LedgerEntry.id, LedgerEntry.at, _SEALED_AT).order_by(LedgerEntry.id.desc()).limit(1)
_INSERT = insert(LedgerEntry)
_COLUMNS = ("id", "at", "fact", "round_id", "registration_id", "step_id", "details")


def record(
    session: Session, fact: Fact, registration: Registration, at: datetime | None = None, /, **details: Any
) -> None:
    """Append a fact about a registration, with everything that decides its place. Call it after all other
    changes.

    `details` are further public facts that JSON can hold; `at` is the time of the fact, by default now.
    """
    order = {
        "state": registration.state,
        "moved_up": registration.moved_up,
        "rounds_missed": registration.rounds_missed,
        "registered_at": registration.registered_at.isoformat(),
        "not_before": registration.not_before.isoformat() if registration.not_before else None,
    }
    append(session, fact, registration.round_id, registration.id, order | details, at=at)


def append(
    session: Session,
    fact: Fact,
    round_id: int | None,
    registration_id: int | None,
    details: dict[str, Any],
    *,
    at: datetime | None = None,
    step: int | None = None,
) -> None:
    """Append a fact. Entries are numbered without gaps, in the order of their commits.

    After the clock was set back, entries keep the latest time until the clock has caught up. The clock
    decided who was due at a call, so such an entry also records the clock.
    """
    held_at = events.hold_order(session)
    last_id, last_at, sealed_at = session.execute(_LAST).one_or_none() or (0, None, None)
    clock = at or held_at
    latest = max(clock, last_at or clock, sealed_at or clock)
    if fact is Fact.CALLED and clock < latest:
        details |= {"clock": clock.isoformat()}
    entry = LedgerEntry(
        id=last_id + 1,
        at=latest,
        fact=fact,
        round_id=round_id,
        registration_id=registration_id,
        step_id=step,
        details=json.dumps(details, ensure_ascii=False, sort_keys=True, separators=(",", ":")),
    )
    values = {name: getattr(entry, name) for name in _COLUMNS}
    session.execute(_INSERT, values | {"digest": hash_entry(entry)})


def hash_entry(entry: LedgerEntry) -> str:
    """Return an entry's leaf hash (RFC 9162) in hex: SHA-256 of a zero byte and the canonical text."""
    return merkle.hash_leaf(format_canonical(entry)).hex()


def format_canonical(entry: LedgerEntry) -> bytes:
    """Return the hashed text: a JSON list of number, time (UTC), fact, round, registration, details."""
    head = json.dumps(
        [entry.id, format_time(entry.at), entry.fact, entry.round_id, entry.registration_id],
        separators=(",", ":"),
    )
    return f"{head[:-1]},{entry.details}]".encode()


def format_time(at: datetime) -> str:
    """Return a time (UTC) in the form that is hashed."""
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


Rank = tuple[int, int, datetime, int]


class LedgerPlace(NamedTuple):
    """The values that decide a registration's place, in the ledger and in the table of registrations."""

    round_id: int
    state: RegistrationState
    moved_up: int
    rounds_missed: int
    registered_at: datetime
    not_before: datetime | None

    def rank(self, registration_id: int) -> Rank:
        """Return the sort key of the order of calls: the lowest is called first."""
        return (-self.moved_up, -self.rounds_missed, self.registered_at, registration_id)


def place(entry: LedgerEntry) -> LedgerPlace:
    """Return the place that an entry records. Raises ValueError, KeyError, TypeError."""
    told = json.loads(entry.details)
    if entry.round_id is None:
        raise ValueError("no round")
    return LedgerPlace(
        entry.round_id,
        RegistrationState(told["state"]),
        told["moved_up"],
        told["rounds_missed"],
        datetime.fromisoformat(told["registered_at"]),
        datetime.fromisoformat(told["not_before"]) if told["not_before"] else None,
    )


def read_clock(entry: LedgerEntry, details: dict[str, Any]) -> datetime:
    """Return the clock's time at an entry with these details; the clock decides who was due at a call."""
    return datetime.fromisoformat(details["clock"]) if "clock" in details else entry.at


def list_entries(session: Session, after: int, limit: int) -> Sequence[LedgerEntry]:
    """Return at most `limit` entries with numbers above `after`, in order."""
    query = select(LedgerEntry).where(LedgerEntry.id > after).order_by(LedgerEntry.id).limit(limit)
    return session.scalars(query).all()


def list_by_registration(session: Session, registration_id: int) -> Sequence[LedgerEntry]:
    """Return all entries about a registration, in order."""
    query = select(LedgerEntry).where(LedgerEntry.registration_id == registration_id)
    return session.scalars(query.order_by(LedgerEntry.id)).all()
