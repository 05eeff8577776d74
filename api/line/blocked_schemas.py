"""JSON of blocked numbers."""

from datetime import datetime

from pydantic import BaseModel, Field

from api.reason_schemas import Why
from api.schemas import Text
from db.models import BlockReason


class BlockedNumber(BaseModel):
    """A blocked number, in national form."""

    number: str
    reason: BlockReason
    note: str
    who: str
    blocked_at: datetime


class BlockIn(BaseModel):
    """A number in any form, and the reason for blocking it."""

    number: Text = Field(min_length=1, max_length=40)
    reason: BlockReason
    note: Why = ""


class BlockedNow(BaseModel):
    """The result of blocking: cancelled places, and whether one is being called and is cancelled afterwards.

    `was_blocked`: the number was blocked before; only the reason is new.
    """

    blocked: BlockedNumber
    given_up: int
    being_called: bool
    was_blocked: bool
