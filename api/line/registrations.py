"""One registration: its history, moving it up, cancelling it."""

import json
from collections.abc import Sequence
from typing import TypeVar

from fastapi import APIRouter
from sqlalchemy import inspect, select
from sqlalchemy.orm import Session

from api import reason_schemas, schemas, views
from api.access import MayAnswer, MayMove, MayOversee, Reading, Writing
from api.ids import PathId
from api.line import history_schemas
from db.models import Callback, Carry, Confirmation, LedgerEntry, OutboxMessage, Registration
from hotline import audit, reasons
from hotline.errors import Refused
from hotline.line import order, registration

router = APIRouter(prefix="/registrations", tags=["registrations"])

Row = TypeVar("Row", Callback, Carry, Confirmation, LedgerEntry, OutboxMessage)


@router.get("/{registration_id}")
def show(registration_id: PathId, _user: MayOversee, session: Reading) -> history_schemas.History:
    """A registration with its whole history."""
    found = _get(session, registration_id)
    return history_schemas.History(
        registration=views.find_registration(session, found, masked=True),
        round_id=found.round_id,
        language=found.language,
        merged_into_id=found.merged_into_id,
        facts=[
            history_schemas.LedgerFact(
                id=f.id, at=f.at, fact=f.fact, round_id=f.round_id, details=json.loads(f.details)
            )
            for f in _of(session, LedgerEntry, found)
        ],
        calls=[
            history_schemas.Attempt.model_validate(call, from_attributes=True)
            for call in _of(session, Callback, found)
        ],
        carries=[
            history_schemas.CarriedOver.model_validate(carry, from_attributes=True)
            for carry in sorted(_of(session, Carry, found), key=lambda carry: carry.at)
        ],
        text_messages=[
            history_schemas.Told.model_validate(text_message, from_attributes=True)
            for text_message in _of(session, OutboxMessage, found)
        ],
        asked=[
            history_schemas.Asked.model_validate(asked, from_attributes=True)
            for asked in _of(session, Confirmation, found)
        ],
    )


@router.post("/{registration_id}/move-up")
def move_up(
    registration_id: PathId, body: reason_schemas.Reason, user: MayMove, session: Writing
) -> schemas.Registration:
    """Move a waiting registration before all others that nobody moved up; the reason is public."""
    found = _get(session, registration_id)
    order.move_up(session, found, who=user.username, reason=body.reason)
    return views.find_registration(session, found, masked=True)


@router.post("/{registration_id}/cancel")
def cancel(
    registration_id: PathId, body: reason_schemas.Reason, user: MayAnswer, session: Writing
) -> schemas.Registration:
    """Cancel a place for a citizen who called the office; the reason is public."""
    found, reason = _get(session, registration_id), reasons.check(body.reason)
    audit.record(session, user.username, "registration-cancelled", f"registration {found.id}", reason)
    registration.cancel(session, found.id, office_reason=reason, tell=True)
    return views.find_registration(session, found, masked=True)


def _of(session: Session, table: type[Row], found: Registration) -> Sequence[Row]:
    mine = select(table).where(table.registration_id == found.id)
    return session.scalars(mine.order_by(*inspect(table).primary_key)).all()


def _get(session: Session, registration_id: int) -> Registration:
    found = session.get(Registration, registration_id)
    if found is None:
        raise Refused("not-found", f"no registration {registration_id}")
    return found
