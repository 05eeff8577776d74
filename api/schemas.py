"""What goes over the wire."""

from collections.abc import Sequence
from datetime import datetime, time
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, WithJsonSchema

from db.models import BreakReason, Hearing, OfficialKind, Role
from db.states import CallbackState, Outcome, Phase, RegistrationState
from hotline import characters, numbers
from hotline.rounds import notices


def _no_nul(text: str) -> str:
    if "\0" in text:
        raise ValueError("a NUL character is no text")
    return text


Text = Annotated[str, AfterValidator(_no_nul)]
"""What a person typed. PostgreSQL cannot store a NUL."""
Name = Annotated[Text, AfterValidator(characters.check)]
"""A name or a reason, in which every character is seen."""
Said = Annotated[Text, AfterValidator(characters.cleaned)]
"""What a citizen said, or the office to them or about them."""


def _of_our_age(at: datetime) -> datetime:
    if not 2000 < at.year < 3000:
        raise ValueError("not a time of this age")
    return at


Moment = Annotated[AwareDatetime, AfterValidator(_of_our_age)]
"""A time that somebody names, with its zone."""


def _city_clock(at: time) -> time:
    if at.tzinfo:
        raise ValueError("a time of the city's clock has no zone")
    return at


_HOURS = {"type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?$"}
Clock = Annotated[time, AfterValidator(_city_clock), WithJsonSchema(_HOURS)]
"""A time of day by the city's clock; JSON Schema's own `time` has a zone."""

"""The number of a row."""
National = Annotated[str | None, AfterValidator(lambda number: numbers.national(number) if number else None)]
"""An E.164 telephone number as people in Iran write it."""


class HasTelephone(BaseModel):
    """What has a telephone, which a desk may call into a conversation; an empty one is none."""

    number: Text | None = Field(None, max_length=40)

    def values(self, allowed_prefixes: Sequence[str]) -> dict[str, Any]:
        """What is given, the number as E.164. Raises Refused("number-invalid" | "number-not-allowed")."""
        given = self.model_dump(exclude_none=True)
        if self.number:
            given["number"] = numbers.parse(self.number, allowed_prefixes)
        return given


class Desk(BaseModel):
    """A desk, whether its phone is at work, and the round it serves; free since `next_asked_at`.

    A supervisor's may hear another desk. On a break it gets nobody. `wrap_up_since`: its conversation is
    over, and it has not asked for the next citizen yet.
    """

    id: int
    phone: str
    phone_connected: bool
    round_id: int | None
    next_asked_at: datetime | None
    hears_desk_id: int | None
    hears_how: Hearing | None
    break_reason: BreakReason | None
    break_since: datetime | None
    wrap_up_since: datetime | None


class Note(BaseModel):
    """What a person of the office wrote of a conversation, at one moment."""

    by: str
    at: datetime
    written: str


class Heard(BaseModel):
    """Somebody takes part in my conversation. Who only listens is not named."""

    how: Hearing
    name: str | None


class Colleagues(BaseModel):
    """The conversation of another desk, which asked my phone into it. `waits`: the citizen hears music."""

    callback_id: int
    desk_id: int
    ticket: str
    subject: int | None
    waits: bool
    notes: list[Note]


class DeskWord(BaseModel):
    """What a supervisor says to my desk, until I have read it."""

    id: int
    text: str
    name: str
    sent_at: datetime


class Official(BaseModel):
    """An office that answers citizens."""

    id: int
    kind: OfficialKind
    district: int | None
    office_fa: str
    office_en: str
    clip: str
    active: bool


class Counts(BaseModel):
    """How many registrations of a round are in each state."""

    waiting: int = 0
    calling: int = 0
    reached: int = 0
    unreached: int = 0


class Round(BaseModel):
    """A round at this moment. Times are UTC. `notice`: where it stands, or what it told last."""

    id: int
    official: Official
    substitute: Official | None
    deputies: list[Official]
    announce_at: datetime
    day_ahead: bool
    notice: notices.State
    registration_from: datetime
    registration_until: datetime
    starts_at: datetime
    ends_at: datetime
    capacity: int | None
    languages: list[str]
    minutes: int
    reason: str
    paused_at: datetime | None
    recorded: bool
    is_operators_line: bool
    rule_id: int | None
    phase: Phase
    takes_registrations: bool
    counts: Counts


class Registration(BaseModel):
    """A citizen's place. `number` is in national form, masked for who does not answer in this line; `place`
    is 1 for the next one in it.

    `why` is the reason for the place; `moved_reason` is what the person wrote who moved it up; `subject` is
    one of the city's nine; `has_voice_message`: they left one; `on_the_line`: they wait on the line, so that
    no phone is dialled.
    """

    id: int
    ticket: str
    number: str
    subject: int | None
    has_voice_message: bool
    state: RegistrationState
    place: int | None
    why: Literal["moved-up", "carried", "in-turn"]
    moved_reason: str
    rounds_missed: int
    attempts: int
    registered_at: datetime
    not_before: datetime | None
    last_outcome: Outcome | None
    desk_id: int | None
    on_the_line: bool


class Callback(BaseModel):
    """One attempt to reach a registrant.

    `held_until`: our side of the conversation is gone; so long the citizen waits for it, if on the line.
    `on_hold_at`: because the desk has asked the citizen to wait. `threat_at`: the desk marked a threat.
    `held_at`: since when, while it is; `held_seconds`: how long it was before: no agreed minutes.
    `ended_at`: of one that is parting, since the desk said so; `parting_until`: so long it can be undone.
    `default_outcome`: what «next» would say. `on_the_line`: no phone was dialled, or need be.
    `given_by_desk_id`: whose conversation it was before; `arriving`: they are on the way into this
    desk's room, from there, or back.
    """

    id: int
    round_id: int
    desk_id: int | None
    screen_desk_id: int | None
    given_by_desk_id: int | None
    arriving: bool
    registration: Registration
    state: CallbackState
    outcome: Outcome | None
    notes: list[Note]
    claimed_at: datetime
    called_at: datetime | None
    answered_at: datetime | None
    confirmed_at: datetime | None
    talking_at: datetime | None
    finishing_at: datetime | None
    held_until: datetime | None
    held_at: datetime | None
    on_hold_at: datetime | None
    threat_at: datetime | None
    held_seconds: float
    parting_until: datetime | None
    ended_at: datetime | None
    default_outcome: Outcome | None
    on_the_line: bool


class Measured(BaseModel):
    """What a browser measured of a conversation: means and worst values of so many readings.

    MOS (1 to 5) is that of the worse direction, `loss` per cent, `rtt_ms` there and back if it is known.
    """

    model_config = ConfigDict(allow_inf_nan=False)

    readings: int = Field(ge=1, le=100_000)
    mos: float = Field(ge=1, le=5)
    mos_worst: float = Field(ge=1, le=5)
    loss: float = Field(ge=0, le=100)
    loss_worst: float = Field(ge=0, le=100)
    jitter_ms: float = Field(ge=0, le=60_000)
    jitter_ms_worst: float = Field(ge=0, le=60_000)
    rtt_ms: float | None = Field(None, ge=0, le=60_000)
    rtt_ms_worst: float | None = Field(None, ge=0, le=60_000)


class Quality(Measured):
    """The same, as it is kept; `bad`: as a whole the conversation was hard to understand."""

    bad: bool


class DepartmentName(BaseModel):
    """A department, by its names."""

    id: int
    name_fa: str
    name_en: str


class Me(BaseModel):
    """Who is signed in, at which desk, and what the desk has in hand.

    `parting` is the conversation whose end it can undo; `cut_off` the last one, if our side cut it and the
    citizen can be called again for this desk now; `given_away` whom it gave to a desk that does not have
    them, and can take back. `calls_down_since`: no citizen can be called, by our own fault; the line is kept.
    `takes_live`: whoever waits for an operator on the line comes to my desk by itself; `said_live`: what the
    desk has said of that, if anything. `heard_by`: who takes part in the desk's conversation; `consulted_in`:
    the one that it was asked into. `words`: what supervisors have said to the desk, and it has not read.
    `official_id`: whose rounds are mine; `department`: the one of which I am, and nothing of the office.
    """

    username: str
    name: str
    role: Role
    official_id: int | None
    department: DepartmentName | None
    heads_department: bool
    desk: Desk | None
    callback: Callback | None
    parting: Callback | None
    cut_off: Callback | None
    given_away: Callback | None
    calls_down_since: datetime | None
    takes_live: bool
    said_live: bool | None
    heard_by: list[Heard]
    consulted_in: Colleagues | None
    words: list[DeskWord]


class Change(BaseModel):
    """The data of a live event."""

    kind: str
    what: str
    round_id: int | None
    registration_id: int | None
    callback_id: int | None
    desk_id: int | None
    request_id: int | None
