"""What goes over the wire between the API and those who plan rounds."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from api.ids import BodyId
from api.schemas import Moment, Name, Registration, Round
from db.models import Delivery
from hotline.dates import Language
from hotline.rounds.notices import State


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


class Way(BaseModel):
    """So many registrations were carried over from, or to, this round."""

    round: Round
    count: int


class Carries(BaseModel):
    """Whence a round's carried registrations came, and whither those it did not reach went."""

    came: list[Way]
    went: list[Way]


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


class Post(BaseModel):
    """What was last to be told to the webhook about a round: a message, as under /outbox."""

    message_id: int
    state: Delivery
    sent_at: datetime | None
    error: str


class RoundNotice(BaseModel):
    """A round with its notice: where it stands, since when it has these words, and the last post."""

    round: Round
    state: State
    updated_at: datetime
    post: Post | None
    texts: dict[Language, NoticeText]


class Line(BaseModel):
    """A part of a round's line in the order of calling; `next` asks for what follows."""

    items: list[Registration]
    total: int
    next: str | None
