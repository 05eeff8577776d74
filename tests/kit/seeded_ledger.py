"""The ledger of registrations that were written straight into their table, as if by a call."""

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.engine import now
from db.models import Callback, Registration, Round
from db.states import Fact, RegistrationState
from hotline.ledger import entries


class _Told(NamedTuple):
    at: datetime
    registration_id: int
    fact: Fact
    round_id: int
    details: dict[str, Any]


def tell(session: Session) -> None:
    """Append what led to each registration's place, in the order of the dates. None is in the ledger."""
    columns = (
        Registration.id,
        Registration.round_id,
        Registration.state,
        Registration.registered_at,
        Registration.moved_up,
        Registration.moved_reason,
        Registration.rounds_missed,
    )
    rows = session.execute(select(*columns)).all()
    for told in sorted(told for row in rows for told in _list_facts(session, row)):
        entries.append(session, told.fact, told.round_id, told.registration_id, told.details, at=told.at)


def _list_facts(session: Session, row: Any) -> list[_Told]:
    place: dict[str, Any] = {
        "state": RegistrationState.WAITING,
        "moved_up": 0,
        "rounds_missed": 0,
        "registered_at": row.registered_at.isoformat(),
        "not_before": None,
    }
    found: list[_Told] = []

    def add(at: datetime, fact: Fact, changes: dict[str, Any], **more: Any) -> None:
        place.update(changes)
        round_id = first if fact is Fact.REGISTERED else row.round_id
        found.append(_Told(at, row.id, fact, round_id, place | more))

    first = row.round_id
    if row.rounds_missed:
        first = session.scalars(select(Round.id).where(Round.id != row.round_id).limit(1)).one()
    add(row.registered_at, Fact.REGISTERED, {})
    calls = select(Callback.called_at, Callback.ended_at, Callback.outcome)
    for called_at, ended_at, outcome in session.execute(calls.where(Callback.registration_id == row.id)):
        add(called_at, Fact.CALLED, {"state": RegistrationState.CALLING})
        if ended_at:
            add(ended_at, Fact.OUTCOME, {"state": row.state}, outcome=outcome)
    if row.rounds_missed:
        add(now(session), Fact.CARRIED, {"rounds_missed": row.rounds_missed})
    if row.moved_up:
        add(now(session), Fact.MOVED_UP, {"moved_up": row.moved_up}, reason=row.moved_reason)
    return found
