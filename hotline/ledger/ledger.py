"""The public ledger: every fact that can change the order of calling, appended with what it tells of.

It names registrations by their number in our records and nothing else of a citizen. What its text and
its hashes are is told in docs/ledger.md, for strangers who check them.
"""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from db import events
from db.engine import core
from db.models import LedgerEntry, Registration, Seal
from db.states import Fact, RegistrationState
from hotline.ledger import merkle

# Written in every registration: statements that are built once, without the session's unit of work.
_SEALED_AT = select(Seal.sealed_at).order_by(Seal.size.desc()).limit(1).scalar_subquery()
_LAST = select(LedgerEntry.id, LedgerEntry.at, _SEALED_AT).order_by(LedgerEntry.id.desc()).limit(1)
_INSERT = insert(LedgerEntry)
_COLUMNS = ("id", "at", "fact", "round_id", "registration_id", "step_id", "details")


def record(
    session: Session, fact: Fact, registration: Registration, at: datetime | None = None, /, **details: Any
) -> None:
    """Append a fact about a registration, with all that decides its place. Call it after every other change.

    `details` are more facts, ready for JSON and for the public; `at` is when it was so, else now.
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
    """Append a fact. Entries are numbered without gaps, in the order in which they are committed.

    Where the clock was set back their time stands still until it has caught up; who was due at a call is told
    by the clock, which such an entry then says, too.
    """
    held_at = events.hold_order(session)
    last_id, last_at, sealed_at = core(session).execute(_LAST).one_or_none() or (0, None, None)
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
    core(session).execute(_INSERT, values | {"digest": digest(entry)})


def digest(entry: LedgerEntry) -> str:
    """An entry's leaf hash of RFC 9162, in hex: SHA-256 of a zero byte and the canonical text."""
    return merkle.leaf(canonical(entry)).hex()


def canonical(entry: LedgerEntry) -> bytes:
    """The text that is hashed: a JSON list of number, time (UTC), fact, round, registration, details."""
    head = json.dumps(
        [entry.id, written(entry.at), entry.fact, entry.round_id, entry.registration_id],
        separators=(",", ":"),
    )
    return f"{head[:-1]},{entry.details}]".encode()


def written(at: datetime) -> str:
    """A time (UTC) as it is hashed."""
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


Rank = tuple[int, int, datetime, int]


class LedgerPlace(NamedTuple):
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


def place(entry: LedgerEntry) -> LedgerPlace:
    """The place that an entry tells of its registration. Raises ValueError, KeyError, TypeError."""
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


def clock(entry: LedgerEntry, details: dict[str, Any]) -> datetime:
    """What the clock said at an entry with these details: who was due at a call, was so by it."""
    return datetime.fromisoformat(details["clock"]) if "clock" in details else entry.at


def entries(session: Session, after: int, limit: int) -> Sequence[LedgerEntry]:
    """The entries after number `after`, at most `limit`, in their order."""
    query = select(LedgerEntry).where(LedgerEntry.id > after).order_by(LedgerEntry.id).limit(limit)
    return session.scalars(query).all()


def of_registration(session: Session, registration_id: int) -> Sequence[LedgerEntry]:
    """Everything the ledger tells of one registration, in its order."""
    query = select(LedgerEntry).where(LedgerEntry.registration_id == registration_id)
    return session.scalars(query.order_by(LedgerEntry.id)).all()
