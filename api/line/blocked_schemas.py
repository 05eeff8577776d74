"""What goes over the wire between the API and those who block numbers."""

from datetime import datetime

from pydantic import BaseModel, Field

from api.reason_schemas import Why
from api.schemas import Text
from db.models import BlockReason


class BlockedNumber(BaseModel):
    """A number that may not register, in national form."""

    number: str
    reason: BlockReason
    note: str
    who: str
    blocked_at: datetime


class BlockIn(BaseModel):
    """A number, in any form, and why it may not register."""

    number: Text = Field(min_length=1, max_length=40)
    reason: BlockReason
    note: Why = ""


class BlockedNow(BaseModel):
    """What blocking did: places given up, and whether one is being called and will be given up after that.

    `was_blocked`: it was blocked before; only why is new.
    """

    blocked: BlockedNumber
    given_up: int
    being_called: bool
    was_blocked: bool
