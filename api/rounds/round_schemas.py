"""JSON of planning rounds."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from api.ids import BodyId
from api.schemas import Moment, Name, Registration, Round
from db.models import Delivery
from hotline.dates import Language
from hotline.rounds.notices import State


class RoundIn(BaseModel):
    """A new round. Without `announce_at`, its notice is public at once."""

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
    """Changes of a round, with the reason. An omitted field stays.

    null means none in `capacity` and `substitute_id`, and no change elsewhere.
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
    """How many registrations moved from or to this round."""

    round: Round
    count: int


class Carries(BaseModel):
    """The rounds from which registrations came, and to which unreached ones went."""

    came: list[Way]
    went: list[Way]


class NoticeText(BaseModel):
    """A notice in one language: `body` for a website, `short` for social networks."""

    title: str
    body: str
    short: str


class Notice(BaseModel):
    """A round's notice now, when it becomes public, and whether that is a day ahead."""

    public_at: datetime
    webhook_at: datetime | None
    day_ahead: bool
    texts: dict[Language, NoticeText]


class Post(BaseModel):
    """The last post about a round to the webhook: a message, as under /outbox."""

    message_id: int
    state: Delivery
    sent_at: datetime | None
    error: str


class RoundNotice(BaseModel):
    """A round with its notice: its state, since when the text is valid, and the last post."""

    round: Round
    state: State
    updated_at: datetime
    post: Post | None
    texts: dict[Language, NoticeText]


class Line(BaseModel):
    """A page of a round's line in the order of calling; `next` asks for the next page."""

    items: list[Registration]
    total: int
    next: str | None
