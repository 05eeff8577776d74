"""JSON of a department's inbox. It holds no citizen's number and no name of the office's people."""

from datetime import datetime

from pydantic import BaseModel, Field

from api.ids import BodyId
from api.requests.request_schemas import Picture, Place
from api.schemas import Said
from db.models import Escalation, Evidence
from db.states import RequestState, RequestStep
from hotline.requests.department_inbox import By


class InboxRequest(BaseModel):
    """A request that the department has, or has solved. `spoken`: there is a voice message, maybe deleted by
    now.

    `late`: the due date is over. `answer_late`: the citizen got no answer by `answer_by`. `escalated_to`: the
    level told that the request is late or soon will be. `denials`: how often the citizen said that it is not
    solved. `evidence`: the proof that «solved» needs. `part_of`: the whole request's tracking number, of a
    part.
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
    """A page of the inbox, overdue requests first; `next` asks for the next page."""

    items: list[InboxRequest]
    next: str | None


class InboxCounts(BaseModel):
    """How many requests are in work, how many of these are late, and how many wait for their citizens."""

    work: int
    late: int
    solved: int


class InboxStep(BaseModel):
    """A step of the request's history. `name`: the colleague, if a colleague did it."""

    id: int
    at: datetime
    by: By
    name: str
    step: RequestStep
    note: str
    due_at: datetime | None


class InboxDetail(BaseModel):
    """A request with everything its department may see. `question`: asked and not yet answered by the
    citizen.

    `reachable`: text messages reach the citizen.
    """

    request: InboxRequest
    question: str
    reachable: bool
    place: Place | None
    pictures: list[Picture]
    steps: list[InboxStep]


class Accepted(BaseModel):
    """The result of accepting several: for each `refused` request's id, the code of the problem."""

    refused: dict[int, str]


class AcceptAll(BaseModel):
    """The requests to accept."""

    request_ids: list[BodyId] = Field(min_length=1, max_length=100)


class GiveBack(BaseModel):
    """The reason for returning a request; only the office reads it."""

    note: Said = Field("", max_length=2000)


class SplitOff(BaseModel):
    """Our part of the request, and the rest, which the office refers."""

    ours: Said = Field(min_length=1, max_length=2000)
    rest: Said = Field(min_length=1, max_length=2000)


class AskCitizen(BaseModel):
    """The question to the citizen; it must fit one text message."""

    question: Said = Field("", max_length=500)
