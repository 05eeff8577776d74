"""JSON of a citizen who is signed in by number."""

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
    """The channels for a sign-in code, the usual one first."""

    ways: list[CodeWay]


class CodeIn(BaseModel):
    """A number (any digits) that wants a code, the channel, and the language."""

    number: Text = Field(max_length=40)
    by: CodeWay
    language: Literal["fa", "en"] = "fa"


class CodeAsked(BaseModel):
    """The same answer for every number: how long a code is valid, and how often it may be tried."""

    valid_seconds: int
    tries: int


class CodeShown(BaseModel):
    """The number, and the code that its telephone got."""

    number: Text = Field(max_length=40)
    code: Text = Field(max_length=40)


class CitizenSession(BaseModel):
    """A session that has begun or continues; its tokens are in cookies. `number` is masked."""

    number: str
    access_until: datetime
    refresh_until: datetime


class MyNotice(BaseModel):
    """The channels by which I get notices of a topic."""

    topic: NoticeTopic
    push: bool
    text: bool


class MyNotices(BaseModel):
    """How I get notices of my requests. `push_key`: the key for a browser's push; empty if push is off."""

    push_key: str
    here: bool = Field(description="This browser takes notices.")
    topics: list[MyNotice]


class PushBrowser(BaseModel):
    """A browser's push address and its keys in base64url: a PushSubscription's JSON."""

    endpoint: Text = Field(max_length=500)
    p256dh: Text = Field(max_length=87)
    auth: Text = Field(max_length=22)


class SignedInAt(BaseModel):
    """One of my sessions: its begin, its last renewal, and the kind of browser if known."""

    since: datetime
    renewed_at: datetime
    browser: str
    current: bool


class RegisterIn(BaseModel):
    """A round in which I want a place; `subject` is the optional key of what I want to speak about."""

    round_id: BodyId
    language: Literal["fa", "en"] = "fa"
    subject: Annotated[int, Field(ge=1, le=9)] | None = None


class MyPlace(BaseModel):
    """My place in a round; `place` is its position in the line while it waits."""

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
    """A ledger entry about a place of mine: `line` is exactly the hashed text."""

    entry: int
    at: datetime
    fact: Fact
    line: str


class MyStanding(BaseModel):
    """Why a place is where it is. Of `called` others, `before` stood before me; `unexplained` must be 0."""

    ticket: str
    waiting: int
    why: Literal["moved-up", "carried", "in-turn"]
    moved_reason: str
    called: int
    before: int
    unexplained: int
    lines: list[LedgerLine]


class MyRequest(BaseModel):
    """A city problem of mine; `asked`: I am asked whether it is solved.

    A duplicate has the state of the first request (`joined`), whose citizen is asked.
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
    """A picture that waits for its report: re-encoded, and reduced to display size."""

    id: str
    width: int
    height: int
    size: int = Field(description="Bytes")


class UploadKept(BaseModel):
    """A finished upload: the id by which a report names its picture or voice message."""

    id: str


class MyPicture(BaseModel):
    """A picture of a request: the damage, the repair, or evidence that it is not repaired."""

    id: str
    kind: PictureKind
    width: int
    height: int
    made_at: datetime


class MyStep(BaseModel):
    """A step of the request's history; `note`: the city's words to me, or mine to it."""

    at: datetime
    step: RequestStep
    note: str


class SolvedPart(BaseModel):
    """A part of my request that was called solved: `place` is its number among the parts, `reply` the city's
    answer.
    """

    place: int
    category_fa: str
    category_en: str
    reply: str


class MyRequestDetail(MyRequest):
    """A request of mine with everything I may see; `department`: who has it, if any.

    `replied_at`: since when I am asked. `parts`: the parts called solved, if there are several. `question`
    and `question_id`: the department's question, until I answer it. `stars`: my satisfaction after my last
    yes or no (`said_id`). `may_rate`: whether I may rate or change the rating now.
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
    """A step of the request's history in the public ledger: `line` is exactly the hashed text.

    `line` holds the SHA-256 of `told` and of `note`. `told` is a salt, the request's number, the step, its
    time and its author. `note` is a salt and the words; null if it was deleted or is the office's own.
    """

    entry: int
    at: datetime
    step: RequestStep
    line: str
    told: str
    note: str | None


class MyHistoryProof(BaseModel):
    """The ledger's entries about a request of mine, in the order of its `steps`."""

    tracking: str
    lines: list[SealedStep]


FileId = Annotated[str, Field(pattern="^[0-9a-f]{32}$")]
PictureIds = Annotated[list[FileId], Field(max_length=3)]


class ReportIn(BaseModel):
    """A problem, and where: as a point, in words, or both.

    `answers`: to the category's questions, in order. `pictures`: ids of uploaded pictures. `voice`: the id of
    an uploaded voice message; `text` may be empty then. `district` counts only if the city's boundaries do
    not tell it.
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
    """The public fields of somebody's request."""

    tracking: str
    category_fa: str
    category_en: str
    district: int | None
    reported_on: date
    state: RequestState


class NearRequest(PublicRequest):
    """A request near a point: within `metres`, in steps of ten."""

    metres: int
    mine: bool
    followed: bool


class FollowedRequest(PublicRequest):
    """A request that I follow; `reply`: the city's last answer."""

    reply: str
    since: datetime


class Follow(BaseModel):
    """The language of the notices."""

    language: Literal["fa", "en"] = "fa"


class Objection(BaseModel):
    """Why it is not solved, and pictures that show it. `parts`: numbers of unsolved parts; empty: all.

    `answer`: the `replied_at` of the answer in dispute. With it, the objection can be repeated safely.
    """

    reason: Said = Field(min_length=1, max_length=500)
    pictures: PictureIds = []
    parts: list[Annotated[int, Field(ge=1, le=9)]] = Field([], max_length=5)
    answer: Moment | None = None


class Confirmation(BaseModel):
    """My confirmation that it is solved. `answer`: the optional `replied_at` of the confirmed answer."""

    answer: Moment | None = None


class Satisfaction(BaseModel):
    """My satisfaction, from 1 (not at all) to 5 (fully). `said`: the optional `said_id` that it rates."""

    stars: int = Field(ge=1, le=5)
    said: BodyId | None = None


class ToQuestion(SaidToQuestion):
    """My answer to the department's question. `question`: the optional `question_id`.

    With it, the answer can be repeated safely and never answers another question.
    """

    question: BodyId | None = None


class Offered(BaseModel):
    """A category to report in. `answer` and `solve`: the working time within which the city answers and
    solves.
    """

    id: int
    name_fa: str
    name_en: str
    icon: str
    urgent: bool
    questions: list[Question]
    answer: WorkingTime
    solve: WorkingTime


class AnnouncedRound(BaseModel):
    """An announced round, and its official."""

    id: int
    who_fa: str
    who_en: str
    phase: Phase
    starts_at: datetime
    ends_at: datetime
    registration_from: datetime
    registration_until: datetime


class MyOwn(BaseModel):
    """My data under my masked number: the newest entries first.

    `held`: how many places deleting would cancel.
    """

    number: str
    held: int
    places: list[MyPlace]
    requests: list[MyRequest]
