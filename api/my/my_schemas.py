"""What goes over the wire to and from a citizen who is signed in by a number."""

from datetime import date, datetime
from typing import Annotated, Literal, Self

from pydantic import BaseModel, Field, model_validator

from api.ids import BodyId
from api.reason_schemas import SaidToQuestion
from api.requests.category_schemas import Question, WorkingTime
from api.schemas import Moment, Said, Text
from db.models import CodeWay, NoticeTopic, PictureKind
from db.states import Fact, Phase, RegistrationState, RequestState, RequestStep
from settings.city_file import MOST_DISTRICTS


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


class MyNotice(BaseModel):
    """In which ways I am told of something."""

    topic: NoticeTopic
    push: bool
    text: bool


class MyNotices(BaseModel):
    """How I am told of my requests; `push_key` is what a browser takes notices by, empty if none go there."""

    push_key: str
    here: bool = Field(description="This browser takes notices.")
    topics: list[MyNotice]


class PushBrowser(BaseModel):
    """Where this browser takes notices, and its keys in base64url: a PushSubscription's JSON."""

    endpoint: Text = Field(max_length=500)
    p256dh: Text = Field(max_length=87)
    auth: Text = Field(max_length=22)


class SignedInAt(BaseModel):
    """One of my sessions: since when, last renewed when, and in what kind of browser, if that is known."""

    since: datetime
    renewed_at: datetime
    browser: str
    current: bool


class RegisterIn(BaseModel):
    """A round in which I want a place; `subject`: the key of what I want to speak about, if I say so."""

    round_id: BodyId
    language: Literal["fa", "en"] = "fa"
    subject: Annotated[int, Field(ge=1, le=9)] | None = None


class MyPlace(BaseModel):
    """My place in a round; `place` is which one of the line, while it waits."""

    ticket: str
    round_id: int
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


class LedgerLine(BaseModel):
    """What the public ledger says of a place of mine: `line` is exactly what is hashed."""

    entry: int
    at: datetime
    fact: Fact
    line: str


class MyStanding(BaseModel):
    """Why a place is where it is. Of `called` others `before` stood before me; `unexplained` must be none."""

    ticket: str
    waiting: int
    why: Literal["moved-up", "carried", "in-turn"]
    moved_reason: str
    called: int
    before: int
    unexplained: int
    lines: list[LedgerLine]


class MyRequest(BaseModel):
    """A city problem of mine; `asked`: I am to say whether it is solved. A duplicate stands as the first
    (`joined`), whose citizen is asked.
    """

    tracking: str
    category_fa: str
    category_en: str
    district: int | None
    state: RequestState
    reply: str
    asked: bool
    joined: bool
    reported_at: datetime


class PictureKept(BaseModel):
    """A picture that waits for its report: re-encoded, and no larger than is looked at."""

    id: str
    width: int
    height: int
    size: int = Field(description="Bytes")


class UploadKept(BaseModel):
    """What has become of an upload: the id by which a report names its picture or its voice."""

    id: str


class MyPicture(BaseModel):
    """A picture of a request: what was broken, what was mended, or that it was not."""

    id: str
    kind: PictureKind
    width: int
    height: int
    made_at: datetime


class MyStep(BaseModel):
    """A step of its history; `note`: what the city said to me, or I to it."""

    at: datetime
    step: RequestStep
    note: str


class SolvedPart(BaseModel):
    """A part of my request that was called solved, by its place among all; `reply`: what was said of it."""

    place: int
    category_fa: str
    category_en: str
    reply: str


class MyRequestDetail(MyRequest):
    """A request of mine with all that is mine to see; `department`: who has it, if anybody.

    `replied_at`: since when I am asked. `parts`: what was called solved, where that is several things.
    `question`: the department's, until I answer it, and its id. `stars`: how satisfied I am with what I said
    yes or no to last (`said_id`); `may_rate`: whether I may say so, or change it, now.
    """

    department_fa: str | None
    department_en: str | None
    answer_by: datetime | None
    solve_by: datetime | None
    replied_at: datetime | None
    parts: list[SolvedPart]
    question: str
    question_id: int | None
    stars: int | None
    said_id: int | None
    may_rate: bool
    written: str
    spoken: bool
    latitude: float | None
    longitude: float | None
    place: str
    pictures: list[MyPicture]
    steps: list[MyStep]


class SealedStep(BaseModel):
    """A step of its history in the public ledger: `line` is exactly what is hashed there.

    Its details hold the SHA-256 of `told` (a salt, the request's number, the step, when, by whom) and that of
    `note` (a salt, what was said), which is null where it was deleted, or is the office's own.
    """

    entry: int
    at: datetime
    step: RequestStep
    line: str
    told: str
    note: str | None


class MyHistoryProof(BaseModel):
    """What the public ledger says of a request of mine: its `steps`, in the same order."""

    tracking: str
    lines: list[SealedStep]


FileId = Annotated[str, Field(pattern="^[0-9a-f]{32}$")]
PictureIds = Annotated[list[FileId], Field(max_length=3)]


class ReportIn(BaseModel):
    """A problem: what, and where, as a point, in words, or both.

    `answers`: to the questions of the category, in their order; `pictures`: the ids of those that wait;
    `voice`: the id of a voice that waits, with which `text` may be empty.
    `district` counts where the city's boundaries do not tell it.
    """

    category: BodyId
    text: Said = Field("", max_length=2000)
    answers: list[Annotated[Said, Field(max_length=200)]] = Field([], max_length=5)
    district: int | None = Field(None, ge=1, le=MOST_DISTRICTS)
    latitude: float | None = Field(None, ge=-90, le=90, allow_inf_nan=False)
    longitude: float | None = Field(None, ge=-180, le=180, allow_inf_nan=False)
    place: Said = Field("", max_length=300)
    pictures: PictureIds = []
    voice: FileId | None = None
    language: Literal["fa", "en"] = "fa"

    @model_validator(mode="after")
    def _whole_point(self) -> Self:
        if (self.latitude is None) != (self.longitude is None):
            raise ValueError("latitude and longitude go together")
        return self


class PublicRequest(BaseModel):
    """What everybody may know of somebody's request."""

    tracking: str
    category_fa: str
    category_en: str
    district: int | None
    reported_on: date
    state: RequestState


class NearRequest(PublicRequest):
    """One near a point: within so many `metres`, in steps of ten."""

    metres: int
    mine: bool
    followed: bool


class FollowedRequest(PublicRequest):
    """One that I follow; `reply`: what the city said last."""

    reply: str
    since: datetime


class Follow(BaseModel):
    """In which language I am told."""

    language: Literal["fa", "en"] = "fa"


class Objection(BaseModel):
    """Why it is not solved, and pictures that show it; of several `parts`, which: their places (none: all).

    `answer`: the `replied_at` of what it objects to. With it the same objection can be sent again.
    """

    reason: Said = Field(min_length=1, max_length=500)
    pictures: PictureIds = []
    parts: list[Annotated[int, Field(ge=1, le=9)]] = Field([], max_length=5)
    answer: Moment | None = None


class Confirmation(BaseModel):
    """It is solved, what was said at `answer`: the `replied_at` of it, if it is named."""

    answer: Moment | None = None


class Satisfaction(BaseModel):
    """How satisfied I am: 1, not at all, to 5, fully; `said`: the `said_id` of with what, if it is named."""

    stars: int = Field(ge=1, le=5)
    said: BodyId | None = None


class ToQuestion(SaidToQuestion):
    """What I say to the department's question; `question`: its `question_id`, if it is named.

    With it the same answer can be sent again, and is taken for no other question.
    """

    question: BodyId | None = None


class Offered(BaseModel):
    """A category of which something can be reported; `answer` and `solve`: in how much working time."""

    id: int
    name_fa: str
    name_en: str
    icon: str
    urgent: bool
    questions: list[Question]
    answer: WorkingTime
    solve: WorkingTime


class AnnouncedRound(BaseModel):
    """A round whose notice is out, and who answers."""

    id: int
    who_fa: str
    who_en: str
    phase: Phase
    starts_at: datetime
    ends_at: datetime
    registration_from: datetime
    registration_until: datetime


class MyOwn(BaseModel):
    """What is there under my number, which is masked; in bounds, the newest first.

    `held`: so many places would be given up, were I deleted.
    """

    number: str
    held: int
    places: list[MyPlace]
    requests: list[MyRequest]
