"""JSON of a desk and its citizen."""

from datetime import datetime

from pydantic import BaseModel, Field

from api.ids import BodyId
from api.rounds.timetable import Day
from api.schemas import Moment, Note, Official, Quality, Said, Text
from db.states import GuestEnd, GuestState, Outcome, RegistrationState, RequestState
from hotline.callbacks import notes
from hotline.callbacks.schedule import Because
from hotline.desks import desk_messages
from hotline.recordings import voice_summaries


class Wish(BaseModel):
    """The time at which a citizen asked to be called again.

    `agreed`: the desk agreed that time with the citizen, who is then called in quiet hours, too.
    """

    again_at: Moment | None = None
    agreed: bool = False


class DeskWordIn(BaseModel):
    """A supervisor's message to a desk."""

    text: Said = Field(min_length=1, max_length=desk_messages.LONGEST)


class OutcomeIn(BaseModel):
    """A callback's outcome, with the desk's note."""

    outcome: Outcome
    note: Said = Field("", max_length=2000)


class DeskOutcome(Wish, OutcomeIn):
    """An outcome, with the wish of a citizen who is to be called again."""


class DeskIn(BaseModel):
    """The desk that is meant."""

    desk_id: BodyId


class GivenTo(DeskIn):
    """The desk that continues the conversation, with a note for it."""

    note: Said = Field("", max_length=notes.MOST)


class Consulted(GivenTo):
    """The desk that is to join the conversation. `waits`: the citizen is on hold with music meanwhile."""

    waits: bool = False


class Taker(BaseModel):
    """A desk that can take over my conversation. `here`: it has joined already, because I asked it."""

    desk_id: int
    name: str
    here: bool


class CalledAgain(BaseModel):
    """When the citizen will be called, and why then. No time: in a later round that is not planned yet.

    `quiet`: the wish lies in quiet hours, and counts only if it is agreed with the citizen.
    """

    at: datetime | None
    because: Because
    quiet: bool


class PastCall(BaseModel):
    """An earlier call. `recorded`: seconds that the reader may hear; null: no recording, or not for this
    role.

    `quality`: the sound at the desk, if a browser measured it.
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
    """A registration of the citizen with its calls, newest first; the present one, too."""

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
    """A city problem reported from the citizen's number. `promised_until`: an official promised what is
    `written` by then.
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
    """A citizen's recent history, newest first."""

    registrations: list[PastRegistration]
    requests: list[PastRequest]


class AgreedCall(BaseModel):
    """A call that was agreed for `again_at`; the dialer does not place it before `due_at`."""

    callback_id: int
    registration_id: int
    ticket: str
    subject: int | None
    again_at: datetime
    due_at: datetime | None
    notes: list[Note]


class NoteIn(BaseModel):
    """A note to add to a conversation's notes."""

    note: Said = Field(min_length=1, max_length=500)


class SummaryIn(BaseModel):
    """The summary of a citizen's voice message."""

    written: Said = Field(min_length=1, max_length=voice_summaries.LONGEST)


class VoiceMessage(BaseModel):
    """A citizen's voice message: its length, the call's language, and a summary if a listener wrote one."""

    seconds: int
    language: str
    made_at: datetime
    summary: Note | None


class PromiseIn(BaseModel):
    """The promise to the citizen, and its last day."""

    written: Said = Field(min_length=1, max_length=2000)
    until: Day


class GuestIn(BaseModel):
    """The third person to call into the conversation: a department or official with a telephone, or a typed
    number.
    """

    number: Text | None = Field(None, max_length=40)
    department_id: BodyId | None = None
    official_id: BodyId | None = None


class Guest(BaseModel):
    """A third person of a conversation. `number` is in national form; `ended_by`: why their part ended."""

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
