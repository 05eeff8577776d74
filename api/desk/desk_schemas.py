"""What goes over the wire to a desk about its citizen."""

from datetime import datetime

from pydantic import BaseModel, Field

from api.ids import BodyId
from api.rounds.timetable import Day
from api.schemas import Moment, Note, Official, Quality, Said, Text
from db.states import GuestEnd, GuestState, Outcome, RegistrationState, RequestState
from hotline.callbacks import notes
from hotline.callbacks.retries import Because
from hotline.desks import desk_messages
from hotline.recordings import voice_summaries


class Wish(BaseModel):
    """When a citizen who is to be called again asked to be.

    `agreed`: the desk agreed that time with the citizen, who is then called in quiet hours, too.
    """

    again_at: Moment | None = None
    agreed: bool = False


class DeskWordIn(BaseModel):
    """What a supervisor says to a desk."""

    text: Said = Field(min_length=1, max_length=desk_messages.LONGEST)


class OutcomeIn(BaseModel):
    """What became of a callback, in the desk's words."""

    outcome: Outcome
    note: Said = Field("", max_length=2000)


class DeskOutcome(Wish, OutcomeIn):
    """An outcome, and the wish of a citizen who is to be called again."""


class DeskIn(BaseModel):
    """Which desk is meant."""

    desk_id: BodyId


class GivenTo(DeskIn):
    """Which desk goes on with the conversation, and what it is to know."""

    note: Said = Field("", max_length=notes.MOST)


class Consulted(GivenTo):
    """Which desk's phone is to come into the conversation; `waits`: the citizen, with music."""

    waits: bool = False


class Taker(BaseModel):
    """A desk that can take over my conversation. `here`: it is in it already, because I asked it."""

    desk_id: int
    name: str
    here: bool


class CalledAgain(BaseModel):
    """When the citizen will be called, and why then. No time: in a next round that is not planned yet.

    `quiet`: the wish lies in quiet hours, and holds only if it is agreed with the citizen.
    """

    at: datetime | None
    because: Because
    quiet: bool


class PastCall(BaseModel):
    """An earlier call. `recorded`: seconds that the reader may hear; none: nothing, or not by this role.

    `quality`: of the sound at the desk, if a browser measured it.
    """

    callback_id: int
    desk_id: int | None
    at: datetime
    talked_seconds: int
    threat: bool
    outcome: Outcome | None
    notes: list[Note]
    recorded: int | None
    quality: Quality | None


class PastRegistration(BaseModel):
    """A registration of the citizen, the present one too, with its calls; the newest first."""

    id: int
    official: Official
    starts_at: datetime
    in_operators_line: bool
    ticket: str
    registered_at: datetime
    state: RegistrationState
    subject: int | None
    calls: list[PastCall]


class PastRequest(BaseModel):
    """A city problem that was reported from the citizen's number; `promised_until`: an official has promised
    what is `written` until then.
    """

    id: int
    tracking: str
    category: int
    district: int | None
    state: RequestState
    made_at: datetime
    written: str
    promised_until: datetime | None


class CitizensHistory(BaseModel):
    """What the office knows of a citizen, the newest first, in bounds."""

    registrations: list[PastRegistration]
    requests: list[PastRequest]


class AgreedCall(BaseModel):
    """A call that was promised for `again_at`; it is not made before `due_at`."""

    callback_id: int
    registration_id: int
    ticket: str
    subject: int | None
    again_at: datetime
    due_at: datetime | None
    notes: list[Note]


class NoteIn(BaseModel):
    """What is to be added to what is written of a conversation."""

    note: Said = Field(min_length=1, max_length=500)


class SummaryIn(BaseModel):
    """What a citizen's voice message says."""

    written: Said = Field(min_length=1, max_length=voice_summaries.LONGEST)


class VoiceMessage(BaseModel):
    """A citizen's voice message: how long it is, in which language they called, and what it says in the
    words of who heard it first, if anybody has written that.
    """

    seconds: int
    language: str
    made_at: datetime
    summary: Note | None


class PromiseIn(BaseModel):
    """What the citizen is promised, and the last day on which that is in time."""

    written: Said = Field(min_length=1, max_length=2000)
    until: Day


class GuestIn(BaseModel):
    """Whom my desk wants called into its conversation: one that has a telephone, or a typed number."""

    number: Text | None = Field(None, max_length=40)
    department_id: BodyId | None = None
    official_id: BodyId | None = None


class Guest(BaseModel):
    """A third person of a conversation. `number` is in national form; `ended_by`: why they are not there."""

    id: int
    number: str
    department_id: int | None
    official_id: int | None
    state: GuestState
    ended_by: GuestEnd | None
    asked_at: datetime
    talking_at: datetime | None
    ended_at: datetime | None
    ending: bool
