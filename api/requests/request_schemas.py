"""What goes over the wire about requests and departments."""

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
    """A department of the city; nothing is referred to one that is not active."""

    id: int
    name_fa: str
    name_en: str
    active: bool
    number: National


class DepartmentLoad(Department):
    """A department, and how many requests it has: all, and those past their due date."""

    open: int
    overdue: int


class DepartmentIn(HasTelephone):
    """A new department."""

    name_fa: Name = Field(min_length=1, max_length=200)
    name_en: Name = Field(min_length=1, max_length=200)


class DepartmentChange(HasTelephone):
    """What is different from now on; what is left out stays. An empty number is none."""

    name_fa: Name | None = Field(None, min_length=1, max_length=200)
    name_en: Name | None = Field(None, min_length=1, max_length=200)
    active: bool | None = None


class CityRequest(BaseModel):
    """A reported problem: `spoken` into a file, whose time may be over (`voice_deleted`), or `written`.

    `number` is in national form, and masked: `/citizens/request/ID/number` shows it.
    `answer_by` and `solve_by`: what its category promises; `due_at`: the department's, while it has it.
    `overdue`: something is owed since; `answer_late`: the citizen was told nothing by `answer_by`.
    `escalated_to`: who was told that the department is late.
    `unanswered`: closed because the citizen said nothing.
    `denials`: how often the citizen said that it is not solved. `promised_by`: the official who has told the
    citizen that it will be done until `promised_until`. `part_of_id`: the whole, of a part. `latitude` and
    `longitude`: where it is, if anybody has told.
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
    """A part of the inbox in the order of work; `next` asks for what follows."""

    items: list[CityRequest]
    next: str | None


class RequestCounts(BaseModel):
    """How many there are in each state, are overdue, and are before the supervisors."""

    states: dict[RequestState, int]
    overdue: int
    escalated: int


class DistrictCounts(BaseModel):
    """What was reported of a district (null: nobody knows of which), what of it is open, and overdue."""

    district: int | None
    reported: int
    open: int
    overdue: int


class Step(BaseModel):
    """A step of its history. `who` is a username; empty: the citizen, or time itself.

    `stars`: how satisfied the citizen is, 1 to 5, if they have said so after this step.
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
    """Another request that may be about the same; `likeness` of the words, 0 to 1."""

    request: CityRequest
    same_number: bool
    likeness: float


class Place(BaseModel):
    """Where it is, as the citizen has told: a point, words, or both."""

    latitude: float | None
    longitude: float | None
    words: str


class Picture(BaseModel):
    """A picture of what is broken, of what was mended (evidence), or that it was not (objection)."""

    id: str
    kind: PictureKind
    width: int
    height: int
    made_at: datetime


class BroughtBy(BaseModel):
    """The program that brought it, and whom it named: masked, and unproven."""

    program: str
    contact: str | None


class RequestDetail(BaseModel):
    """A request with everything about it. `question`: what its citizen was asked, and has not answered."""

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
    """To which department, until the end of which day of the city's.

    Left out: to the one that its category means, until the day that is promised to the citizen.
    """

    department_id: BodyId | None = None
    due_on: Day | None = None
    note: Said = Field("", max_length=2000)


class RequestIn(BaseModel):
    """A problem in the words of who writes it down; of a registration: its citizen's.

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
    """A rectangle of a picture, in its pixels, in which everybody sees one grey."""

    left: int = Field(ge=0, le=10_000)
    top: int = Field(ge=0, le=10_000)
    width: int = Field(ge=1, le=10_000)
    height: int = Field(ge=1, le=10_000)


class Hidden(BaseModel):
    """What is not seen of a picture: faces, number plates."""

    hidden: list[Area] = Field([], max_length=decoding.MOST_AREAS)


class ShownPicture(Hidden):
    """A picture that is public, but for what is hidden of it."""

    id: str = Field(pattern="^[0-9a-f]{32}$")


class ReleaseIn(BaseModel):
    """What everybody may see: these words, these pictures, and the point, if that is said."""

    text: Said = Field(min_length=1, max_length=500)
    pictures: list[ShownPicture] = Field([], max_length=20)
    with_point: bool = False


class Release(ReleaseIn):
    """What is public of a request, by whom and since when."""

    who: str
    at: datetime


class Note(BaseModel):
    """Why; only the office reads it."""

    note: Said = Field("", max_length=2000)


class Reply(BaseModel):
    """What the citizen is told."""

    reply: Said = Field("", max_length=500)


class AnswerToCitizen(Reply):
    """What the citizen is told. `solved`: and is asked whether it is; `pictures` show it."""

    solved: bool = False
    pictures: PictureIds = []


class DuplicateOf(BaseModel):
    """Of which other request it is a duplicate."""

    request_id: BodyId


class PartIn(BaseModel):
    """What a part is about; it may be referred at once."""

    category: BodyId
    written: Said = Field(min_length=1, max_length=2000)
    refer: Refer | None = None


class SplitIn(BaseModel):
    """Which requests it becomes; it is solved when all of them are."""

    parts: list[PartIn] = Field(min_length=2, max_length=5)


class CitizensAnswer(BaseModel):
    """What the citizen says: whether it is solved; if not, which `parts` of it are not (none: all)."""

    solved: bool
    parts: list[BodyId] = Field([], max_length=5)
