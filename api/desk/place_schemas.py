"""What goes over the wire between the API and those who keep the desks."""

from datetime import datetime

from pydantic import BaseModel, Field

from api.ids import BodyId
from api.reason_schemas import Why
from api.schemas import Official, Text
from db.states import CallbackState, Outcome
from hotline.desks.desks import PhoneKind


class DeskInHand(BaseModel):
    """The citizen whom a desk has: since when, since when they spoke, if they did, and whether its outcome
    has been owed for so long that a supervisor is to say it.
    """

    callback_id: int
    ticket: str
    state: CallbackState
    since: datetime
    talking_at: datetime | None
    owed: bool


class DeskPlace(BaseModel):
    """A desk: whose it is, its phone, what it serves and whom it has."""

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
    """Which phone a desk has; `number` in any form, for the kind "number"."""

    phone: PhoneKind
    number: Text = Field("", max_length=40)


class DeskAccount(BaseModel):
    """What a SIP phone signs in with to be a desk's phone; it dials `extension`."""

    username: str
    password: str
    server: str
    extension: str


class SaidOutcome(BaseModel):
    """What became of the callback that the desk has, and why its person does not say it."""

    callback_id: BodyId
    outcome: Outcome
    reason: Why
