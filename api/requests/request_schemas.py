"""JSON of requests and departments."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from api.ids import BodyId
from api.my.my_schemas import PictureIds
from api.rounds.timetable import Day
from api.schemas import HasTelephone, Name, National, Official, Said, Text
from db.models import Escalation, PictureKind
from db.states import RequestState, RequestStep
from hotline.pictures import decoding
from settings.city_file import MOST_DISTRICTS

DistrictNumber = Annotated[int, Field(ge=1, le=MOST_DISTRICTS)]


class Department(BaseModel):
    """A department of the city; requests are not referred to an inactive one."""

    id: int
    name_fa: str
    name_en: str
    active: bool
    number: National


class DepartmentLoad(Department):
    """A department with the number of its open requests, and of its overdue ones."""

    open: int
    overdue: int


class DepartmentIn(HasTelephone):
    """A new department."""

    name_fa: Name = Field(min_length=1, max_length=200)
    name_en: Name = Field(min_length=1, max_length=200)


class DepartmentChange(HasTelephone):
    """Changes of a department. An omitted field stays; an empty number deletes the number."""

    name_fa: Name | None = Field(None, min_length=1, max_length=200)
    name_en: Name | None = Field(None, min_length=1, max_length=200)
    active: bool | None = None


class CityRequest(BaseModel):
    """A reported problem: `written`, or `spoken` into a voice message that may be deleted (`voice_deleted`).

    `number` is masked, in national form; `/citizens/request/ID/number` shows it whole. `answer_by` and
    `solve_by`: the category's promise. `due_at`: the department's due date, while it has the request.
    `overdue`: the due date is over. `answer_late`: the citizen got no answer by `answer_by`. `escalated_to`:
    the level told of the delay. `unanswered`: closed because the citizen said nothing. `denials`: how often
    the citizen said that it is not solved. `promised_by`: the official who promised the repair by
    `promised_until`. `part_of_id`: the whole request, of a part. `latitude` and `longitude`: the location, if
    known.
    """

    id: int
    tracking: str
    number: str | None
    category: int
    district: int | None
    spoken: bool
    voice_deleted: bool
    written: str
    made_at: datetime
    state: RequestState
    department: Department | None
    due_at: datetime | None
    answer_by: datetime | None
    answered_at: datetime | None
    solve_by: datetime | None
    promised_by: Official | None
    promised_until: datetime | None
    overdue: bool
    answer_late: bool
    escalated_to: Escalation | None
    reply: str
    replied_at: datetime | None
    denials: int
    unanswered: bool
    part_of_id: int | None
    latitude: float | None
    longitude: float | None


class RequestPage(BaseModel):
    """A page of the inbox in the order of work; `next` asks for the next page."""

    items: list[CityRequest]
    next: str | None


class RequestCounts(BaseModel):
    """How many requests are in each state, overdue, and escalated to supervisors."""

    states: dict[RequestState, int]
    overdue: int
    escalated: int


class DistrictCounts(BaseModel):
    """A district's requests (null: district unknown): all, open ones, and overdue ones."""

    district: int | None
    reported: int
    open: int
    overdue: int


class Step(BaseModel):
    """A step of the request's history. `who` is a username; empty: the citizen, or a deadline.

    `stars`: the citizen's rating (1 to 5) after this step, if there is one.
    """

    id: int
    at: datetime
    who: str
    step: RequestStep
    note: str
    department: Department | None
    due_at: datetime | None
    stars: int | None
    other: str | None = Field(description="The tracking number of the one whose duplicate, or part, it is")


class ProbableDuplicate(BaseModel):
    """A probable duplicate; `likeness` of the words is 0 to 1."""

    request: CityRequest
    same_number: bool
    likeness: float


class Place(BaseModel):
    """The location that the citizen gave: a point, words, or both."""

    latitude: float | None
    longitude: float | None
    words: str


class Picture(BaseModel):
    """A picture of the damage, of the repair (evidence), or that it is not repaired (objection)."""

    id: str
    kind: PictureKind
    width: int
    height: int
    made_at: datetime


class BroughtBy(BaseModel):
    """The program that filed the request, and the number it named: masked, and unproven."""

    program: str
    contact: str | None


class RequestDetail(BaseModel):
    """A request with everything about it. `question`: the citizen was asked, and has not answered."""

    request: CityRequest
    question: str
    language: str
    place: Place | None
    brought_by: BroughtBy | None
    pictures: list[Picture]
    registration_id: int | None
    steps: list[Step]
    part_of: CityRequest | None
    parts: list[CityRequest]
    duplicate_of: CityRequest | None
    duplicates: list[CityRequest]
    probable: list[ProbableDuplicate]


class Refer(BaseModel):
    """The department, and the last day in the city's time.

    Omitted: the category's department, and the day promised to the citizen.
    """

    department_id: BodyId | None = None
    due_on: Day | None = None
    note: Said = Field("", max_length=2000)


class RequestIn(BaseModel):
    """A problem in the words of its writer. With a registration, it is that citizen's.

    It may be referred at once.
    """

    category: BodyId
    district: DistrictNumber | None = None
    written: Said = Field(min_length=1, max_length=2000)
    registration_id: BodyId | None = None
    number: Text | None = Field(None, max_length=40)
    language: Literal["fa", "en"] = "fa"
    refer: Refer | None = None


class Area(BaseModel):
    """A rectangle of a picture, in pixels, that the public copy shows as grey."""

    left: int = Field(ge=0, le=10_000)
    top: int = Field(ge=0, le=10_000)
    width: int = Field(ge=1, le=10_000)
    height: int = Field(ge=1, le=10_000)


class Hidden(BaseModel):
    """Areas to hide in a picture: faces, number plates."""

    hidden: list[Area] = Field([], max_length=decoding.MOST_AREAS)


class ShownPicture(Hidden):
    """A released picture, with its hidden areas."""

    id: str = Field(pattern="^[0-9a-f]{32}$")


class ReleaseIn(BaseModel):
    """The public data of a request: the text, these pictures and, with `with_point`, the location."""

    text: Said = Field(min_length=1, max_length=500)
    pictures: list[ShownPicture] = Field([], max_length=20)
    with_point: bool = False


class Release(ReleaseIn):
    """A request's release, with its author and date."""

    who: str
    at: datetime


class Note(BaseModel):
    """The reason; only the office reads it."""

    note: Said = Field("", max_length=2000)


class Reply(BaseModel):
    """The answer to the citizen."""

    reply: Said = Field("", max_length=500)


class AnswerToCitizen(Reply):
    """The answer to the citizen.

    `solved`: the citizen is asked to confirm it; `pictures` are the evidence.
    """

    solved: bool = False
    pictures: PictureIds = []


class DuplicateOf(BaseModel):
    """The other request of a duplicate."""

    request_id: BodyId


class PartIn(BaseModel):
    """A part of a request; it may be referred at once."""

    category: BodyId
    written: Said = Field(min_length=1, max_length=2000)
    refer: Refer | None = None


class SplitIn(BaseModel):
    """The parts of a request, which is solved when all of them are."""

    parts: list[PartIn] = Field(min_length=2, max_length=5)


class CitizensAnswer(BaseModel):
    """The citizen's answer whether it is solved. `parts`: the unsolved parts; empty: all."""

    solved: bool
    parts: list[BodyId] = Field([], max_length=5)
