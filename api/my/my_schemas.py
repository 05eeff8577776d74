"""What goes over the wire to and from a citizen who is signed in by a number."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from api.schemas import Text
from db.models import CodeWay
from db.states import Phase, RegistrationState, RequestState


class Ways(BaseModel):
    """How a code can be had here, the usual way first."""

    ways: list[CodeWay]


class CodeIn(BaseModel):
    """Who is to be given a code, in any digits, how, and in which language."""

    number: Text = Field(max_length=40)
    by: CodeWay
    language: Literal["fa", "en"] = "fa"


class CodeAsked(BaseModel):
    """The same for every number: so many seconds a code lasts, so often it can be tried."""

    valid_seconds: int
    tries: int


class CodeShown(BaseModel):
    """The number, and the code that its telephone was given."""

    number: Text = Field(max_length=40)
    code: Text = Field(max_length=40)


class CitizenSession(BaseModel):
    """A session has begun, or goes on; its tokens are in cookies. `number` is masked."""

    number: str
    access_until: datetime
    refresh_until: datetime


class SignedInAt(BaseModel):
    """One of my sessions: since when, last renewed when, and in what kind of browser, if that is known."""

    since: datetime
    renewed_at: datetime
    browser: str
    current: bool


class MyPlace(BaseModel):
    """My place in a round; `place` is which one of the line, while it waits."""

    ticket: str
    office_fa: str
    office_en: str
    starts_at: datetime
    ends_at: datetime
    in_operators_line: bool
    phase: Phase
    state: RegistrationState
    place: int | None
    rounds_missed: int
    registered_at: datetime


class MyRequest(BaseModel):
    """A city problem of mine; `asked`: I am to say whether it is solved. A duplicate stands as the first."""

    tracking: str
    category_fa: str
    category_en: str
    district: int | None
    state: RequestState
    reply: str
    asked: bool
    reported_at: datetime


class MyOwn(BaseModel):
    """What is there under my number, which is masked; in bounds, the newest first.

    `held`: so many places would be given up, were I deleted.
    """

    number: str
    held: int
    places: list[MyPlace]
    requests: list[MyRequest]
