"""What goes over the wire between the API and those who plan rounds and oversee the work."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

from api.ids import BodyId
from api.schemas import (
    HasTelephone,
    Moment,
    Name,
    National,
    Note,
    Official,
    Quality,
    Registration,
    Round,
)
from db.models import ConfirmationKind, Delivery, MessageKind, OfficialKind
from db.states import CallbackState, Fact, Outcome
from hotline.dates import Language


class OfficialWithNumber(Official):
    """An office with its telephone, for who is signed in."""

    number: National


class OfficialIn(HasTelephone):
    """A new office. `clip` is the prompt that says its name."""

    kind: OfficialKind
    district: int | None = Field(None, ge=1, le=15)
    office_fa: Name = Field(min_length=1, max_length=200)
    office_en: Name = Field(min_length=1, max_length=200)
    clip: Name = Field(max_length=100)


class OfficialChange(HasTelephone):
    """What is different from now on; what is left out stays. An empty number is none."""

    office_fa: Name | None = Field(None, min_length=1, max_length=200)
    office_en: Name | None = Field(None, min_length=1, max_length=200)
    clip: Name | None = Field(None, max_length=100)
    active: bool | None = None


class Message(BaseModel):
    """A text message, or a notice to the webhook. `to` is a masked number, or a host."""

    id: int
    kind: MessageKind
    state: Delivery
    to: str
    registration_id: int | None
    round_id: int | None
    attempts: int
    made_at: datetime
    not_before: datetime
    sent_at: datetime | None
    error: str


class RoundIn(BaseModel):
    """A new round. `announce_at` left out: its notice is public at once."""

    official_id: BodyId
    substitute_id: BodyId | None = None
    deputy_ids: list[BodyId] = Field([], max_length=20)
    announce_at: Moment | None = None
    registration_from: Moment
    registration_until: Moment
    starts_at: Moment
    ends_at: Moment
    capacity: int | None = Field(None, ge=1, le=1_000_000)
    languages: list[Literal["fa", "en"]] = Field(["fa", "en"], min_length=1, max_length=2)
    minutes: int = Field(6, ge=1, le=600)
    recorded: bool = Field(False, description="The conversations are recorded, and the citizens are told so")
    short_notice: bool = Field(False, description="A notice shorter than a day is meant")


class RoundChange(BaseModel):
    """What is different from now on, and why. What is left out stays; null in `capacity` or
    `substitute_id` means none, and elsewhere nothing.
    """

    reason: Name = Field(max_length=500)
    substitute_id: BodyId | None = None
    deputy_ids: list[BodyId] | None = Field(None, max_length=20)
    announce_at: Moment | None = None
    registration_from: Moment | None = None
    registration_until: Moment | None = None
    starts_at: Moment | None = None
    ends_at: Moment | None = None
    capacity: int | None = Field(None, ge=1, le=1_000_000)
    languages: list[Literal["fa", "en"]] | None = Field(None, min_length=1, max_length=2)
    minutes: int | None = Field(None, ge=1, le=600)
    recorded: bool | None = None
    short_notice: bool = False


class Reason(BaseModel):
    """Why somebody does something; citizens may read it."""

    reason: Name = Field("", max_length=500)


class Way(BaseModel):
    """So many registrations were carried over from, or to, this round."""

    round: Round
    count: int


class Carries(BaseModel):
    """Whence a round's carried registrations came, and whither those it did not reach went."""

    came: list[Way]
    went: list[Way]


class Clip(BaseModel):
    """A prompt that says an office's name, and its words by language."""

    id: str
    spoken: dict[str, str]


class NoticeText(BaseModel):
    """A notice in one language: `body` for a website, `short` for social networks."""

    title: str
    body: str
    short: str


class Notice(BaseModel):
    """A round's notice as it is now, when it is public, and whether that is a day ahead."""

    public_at: datetime
    webhook_at: datetime | None
    day_ahead: bool
    texts: dict[Language, NoticeText]


class LedgerFact(BaseModel):
    """One entry of the public ledger."""

    id: int
    at: datetime
    fact: Fact
    round_id: int
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
    """The way from one round to the next."""

    from_round_id: int
    to_round_id: int
    at: datetime


class Told(BaseModel):
    """A text message to the citizen."""

    kind: MessageKind
    round_id: int | None
    state: Delivery
    made_at: datetime
    sent_at: datetime | None


class Asked(BaseModel):
    """What somebody asked for, to which the owner of `number` agrees by telephone or not. Kept 30 days."""

    kind: ConfirmationKind
    number: str
    asked_by: str | None  # the caller's number; none if it was withheld
    asked_at: datetime
    agreed: bool | None
    decided_at: datetime | None


class History(BaseModel):
    """Everything that became of a registration, each list oldest first."""

    registration: Registration
    round_id: int
    language: str
    merged_into_id: int | None
    facts: list[LedgerFact]
    calls: list[Attempt]
    carries: list[CarriedOver]
    text_messages: list[Told]
    asked: list[Asked]


class Recording(BaseModel):
    """A recorded conversation: `seconds` of sound (0: nothing can be heard), until `deleted_at`."""

    callback_id: int
    desk_id: int | None
    ticket: str
    talking_at: datetime | None
    seconds: int
    sha256: str
    made_at: datetime
    deleted_at: datetime | None
    quality: Quality | None


class Line(BaseModel):
    """A part of a round's line in the order of calling; `next` asks for what follows."""

    items: list[Registration]
    total: int
    next: str | None
