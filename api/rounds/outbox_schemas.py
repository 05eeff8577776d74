"""JSON of text messages, and of notices to the webhook."""

from datetime import datetime

from pydantic import BaseModel, Field

from db.models import Arrival, Delivery, DeliveryFailure, OutboxKind


class OutboxFilter(BaseModel):
    """The filter of messages: `state`, `kind`, `lost` (reached nobody), `before` (an id)."""

    state: Delivery | None = None
    kind: OutboxKind | None = None
    lost: bool = False
    before: int | None = Field(None, ge=1, le=2**31 - 1)
    limit: int = Field(100, ge=1, le=500)


class OutboxMessage(BaseModel):
    """A text message, or a notice to the webhook. `to` is a masked number, or a host.

    `trial`: an administrator's test message. `why`: the reason why it is not sent, in one word; `error`: the
    provider's own text. `arrival`: the delivery report. `parts`: message parts in the network; null for
    templates.
    """

    id: int
    kind: OutboxKind
    trial: bool
    state: Delivery
    to: str
    registration_id: int | None
    round_id: int | None
    request_id: int | None
    attempts: int
    made_at: datetime
    not_before: datetime
    sent_at: datetime | None
    provider: str
    parts: int | None
    error: str
    why: DeliveryFailure | None
    arrival: Arrival | None
    arrival_at: datetime | None
    may_retry: bool


class SmsAccount(BaseModel):
    """Our account at a provider of text messages, as it last reported; `credit` is in the provider's unit."""

    provider: str
    credit: float | None
    low: bool
    asked_at: datetime
    error: str
