"""JSON of desks, for the people who manage them."""

from datetime import datetime

from pydantic import BaseModel, Field

from api.ids import BodyId
from api.reason_schemas import Why
from api.schemas import Official, Text
from db.states import CallbackState, Outcome
from hotline.desks.staffing import PhoneKind


class DeskInHand(BaseModel):
    """The citizen whom a desk has: since when, and since when they spoke.

    `owed`: the outcome is overdue, so a supervisor may record it.
    """

    callback_id: int
    ticket: str
    state: CallbackState
    since: datetime
    talking_at: datetime | None
    owed: bool


class DeskPlace(BaseModel):
    """A desk: its person, its phone, the round that it serves, and the citizen whom it has."""

    id: int
    person_id: int | None
    person: str | None
    phone: PhoneKind
    number: str | None
    phone_connected: bool
    round_id: int | None
    serves: Official | None
    in_hand: DeskInHand | None


class DeskPhoneIn(BaseModel):
    """A desk's kind of phone; `number` in any form, for the kind "number"."""

    phone: PhoneKind
    number: Text = Field("", max_length=40)


class DeskAccount(BaseModel):
    """The account with which a SIP phone becomes a desk's phone; it dials `extension`."""

    username: str
    password: str
    server: str
    extension: str


class SaidOutcome(BaseModel):
    """The outcome of the desk's callback, and the reason why its person does not record it."""

    callback_id: BodyId
    outcome: Outcome
    reason: Why
