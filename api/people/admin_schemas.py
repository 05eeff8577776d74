"""What goes over the wire between the API and those who keep people, desks and what is recorded."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field

from api.ids import BodyId
from api.rounds.office_schemas import Recording
from api.schemas import Name, Official, Text
from db.models import BlockReason, Role
from db.states import CallbackState, Outcome
from hotline.desks.desks import PhoneKind

Why = Annotated[Name, Field(max_length=400)]


class Person(BaseModel):
    """Somebody who signs in; `sessions` is in how many browsers they are signed in now."""

    id: int
    username: str
    name: str
    role: Role
    desk_id: int | None
    official: Official | None
    disabled_at: datetime | None
    locked_until: datetime | None
    has_pin: bool
    has_second_factor: bool
    sessions: int


class PersonIn(BaseModel):
    """A new person; the password is drawn by lot."""

    username: Name = Field(min_length=1, max_length=64)
    name: Name = Field(min_length=1, max_length=100)
    role: Role
    desk_id: BodyId | None = None
    official_id: BodyId | None = None


class PersonChange(BaseModel):
    """What is different from now on; what is left out stays, null in a desk or an official means none."""

    name: Name | None = Field(None, min_length=1, max_length=100)
    role: Role | None = None
    desk_id: BodyId | None = None
    official_id: BodyId | None = None


class Secret(BaseModel):
    """A password or a PIN, shown this once and stored nowhere."""

    person: Person
    secret: str


class DeskInHand(BaseModel):
    """The citizen whom a desk has: since when, and whether its outcome has been owed for so long that a
    supervisor is to say it.
    """

    callback_id: int
    ticket: str
    state: CallbackState
    since: datetime
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


class Because(BaseModel):
    """Why somebody does something, for the audit log alone."""

    reason: Why


class Retention(BaseModel):
    """The recordings that are kept, for how many days, in bytes; and the disk they are on."""

    days: int
    recordings: int
    size: int
    oldest: datetime | None
    next_deletion: datetime | None
    disk_total: int
    disk_free: int
    disk_nearly_full: bool


class RecordingOfRound(Recording):
    """A recording, and in which round it was made."""

    round_id: int
    official: Official


class Recordings(BaseModel):
    """A part of all recordings, the last conversation first; `next` asks for what is older."""

    items: list[RecordingOfRound]
    next: int | None


class AuditAction(BaseModel):
    """An action that the audit log knows, and what it is called."""

    action: str
    text: str


class AuditEntry(BaseModel):
    """Who did what to whom, when and why: as it is stored, and in words of the language asked for.

    `page` is the address, among the pages, of what it was done to.
    """

    id: int
    at: datetime
    who: str
    action: str
    subject: str
    reason: str
    who_text: str
    action_text: str
    subject_text: str
    reason_text: str
    page: str | None


class AuditPage(BaseModel):
    """A part of the audit log, newest first; `next` asks for what is older."""

    items: list[AuditEntry]
    next: int | None
