"""What goes over the wire of text messages and of notices to the webhook."""

from datetime import datetime

from pydantic import BaseModel

from db.models import Delivery, OutboxKind


class OutboxMessage(BaseModel):
    """A text message, or a notice to the webhook. `to` is a masked number, or a host."""

    id: int
    kind: OutboxKind
    state: Delivery
    to: str
    registration_id: int | None
    round_id: int | None
    attempts: int
    made_at: datetime
    not_before: datetime
    sent_at: datetime | None
    error: str
