"""Messages to citizens and notices to the webhook: what went out, what did not, and why."""

from typing import Annotated

from fastapi import APIRouter, Query

from api.access import MayOversee, MayPlan, Reading, Writing
from api.ids import PathId
from api.rounds import outbox_schemas
from db.models import Delivery, OutboxMessage
from hotline import delivery

router = APIRouter(prefix="/outbox", tags=["outbox"])


@router.get("")
def list_messages(
    _user: MayOversee,
    session: Reading,
    state: Delivery | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> list[outbox_schemas.OutboxMessage]:
    """The newest messages, newest first; numbers are masked."""
    return [_view(message) for message in delivery.page(session, state, limit)]


@router.post("/{message_id}/retry", status_code=202)
def retry(message_id: PathId, user: MayPlan, session: Writing) -> outbox_schemas.OutboxMessage:
    """Send one after all that failed or expired."""
    delivery.retry(session, message_id, user.username)
    return _view(session.get_one(OutboxMessage, message_id, populate_existing=True))


def _view(message: OutboxMessage) -> outbox_schemas.OutboxMessage:
    shown = {name: getattr(message, name) for name in outbox_schemas.OutboxMessage.model_fields}
    return outbox_schemas.OutboxMessage(**{**shown, "to": delivery.recipient(message)})
