"""What goes over the wire to and from a department: no citizen's number, no names of the office."""

from datetime import datetime

from pydantic import BaseModel, Field

from api.ids import BodyId
from api.requests.request_schemas import Picture, Place
from api.schemas import Said
from db.models import Escalation, Evidence
from db.states import RequestState, RequestStep
from hotline.requests.department_inbox import By


class InboxRequest(BaseModel):
    """A request that the department has, or has solved. `spoken`: into a file, whose time may be over.

    `late`: something is owed since; `answer_late`: the citizen was told nothing by `answer_by`.
    `escalated_to`: who was told that it is late, or soon will be. `denials`: how often the citizen said that
    it is not solved. `evidence`: what «solved» must be shown by. `part_of`: the whole, of a part.
    """

    id: int
    tracking: str
    language: str
    category: int
    category_fa: str
    category_en: str
    district: int | None
    written: str
    spoken: bool
    voice_deleted: bool
    made_at: datetime
    state: RequestState
    due_at: datetime | None
    answer_by: datetime | None
    late: bool
    answer_late: bool
    escalated_to: Escalation | None
    reply: str
    replied_at: datetime | None
    denials: int
    evidence: Evidence
    part_of: str | None


class InboxPage(BaseModel):
    """A part of the inbox, the late ones first; `next` asks for what follows."""

    items: list[InboxRequest]
    next: str | None


class InboxCounts(BaseModel):
    """How many are in work, how many of them are late, and how many wait for their citizens."""

    work: int
    late: int
    solved: int


class InboxStep(BaseModel):
    """A step of its history. `name`: of a colleague, if it was one."""

    id: int
    at: datetime
    by: By
    name: str
    step: RequestStep
    note: str
    due_at: datetime | None


class InboxDetail(BaseModel):
    """A request of the department's with all that it may see. `question`: what the citizen has not answered.

    `reachable`: text messages reach the citizen.
    """

    request: InboxRequest
    question: str
    reachable: bool
    place: Place | None
    pictures: list[Picture]
    steps: list[InboxStep]


class Accepted(BaseModel):
    """Several at once, each by its id. Of those that were `refused`, why, by the code of a problem."""

    refused: dict[int, str]


class AcceptAll(BaseModel):
    """Which of them are in work from now on."""

    request_ids: list[BodyId] = Field(min_length=1, max_length=100)


class GiveBack(BaseModel):
    """Why it is given back; only the office reads it."""

    note: Said = Field("", max_length=2000)


class SplitOff(BaseModel):
    """What of it is ours, and what is not: the office refers that."""

    ours: Said = Field(min_length=1, max_length=2000)
    rest: Said = Field(min_length=1, max_length=2000)


class AskCitizen(BaseModel):
    """What the citizen is asked; all of it stands in one text message."""

    question: Said = Field("", max_length=500)
