"""JSON of a registration's history."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel

from api.schemas import Note, Registration
from db.models import ConfirmationKind, Delivery, OutboxKind
from db.states import CallbackState, Fact, Outcome


class LedgerFact(BaseModel):
    """One entry of the public ledger."""

    id: int
    at: datetime
    fact: Fact
    round_id: int | None
    details: dict[str, Any]


class Attempt(BaseModel):
    """One call, for the history."""

    id: int
    round_id: int
    desk_id: int | None
    state: CallbackState
    outcome: Outcome | None
    notes: list[Note]
    called_at: datetime | None
    talking_at: datetime | None
    ended_at: datetime | None


class CarriedOver(BaseModel):
    """A move from one round to the next."""

    from_round_id: int
    to_round_id: int
    at: datetime


class Told(BaseModel):
    """A text message to the citizen."""

    kind: OutboxKind
    round_id: int | None
    state: Delivery
    made_at: datetime
    sent_at: datetime | None


class Asked(BaseModel):
    """A wish to which the owner of `number` agrees by telephone, or not. Kept 30 days."""

    kind: ConfirmationKind
    number: str
    asked_by: str | None  # the caller's number; null if withheld
    asked_at: datetime
    agreed: bool | None
    decided_at: datetime | None


class History(BaseModel):
    """A registration's whole history, each list oldest first."""

    registration: Registration
    round_id: int
    language: str
    merged_into_id: int | None
    facts: list[LedgerFact]
    calls: list[Attempt]
    carries: list[CarriedOver]
    text_messages: list[Told]
    asked: list[Asked]
