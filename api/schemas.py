"""JSON types that several rooms share."""

from collections.abc import Sequence
from datetime import datetime, time
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, WithJsonSchema

from db.models import BreakReason, Hearing, OfficialKind, Role
from db.states import CallbackState, Outcome, Phase, RegistrationState
from hotline import control_characters, numbers
from hotline.rounds import notices


def _no_nul(text: str) -> str:
    if "\0" in text:
        raise ValueError("a NUL character is no text")
    return text


Text = Annotated[str, AfterValidator(_no_nul)]
"""A typed text without NUL, which PostgreSQL cannot store."""
Name = Annotated[Text, AfterValidator(control_characters.check)]
"""A name or a reason, without invisible characters."""
Said = Annotated[Text, AfterValidator(control_characters.clean)]
"""A citizen's words, or the office's words to or about a citizen."""


def _of_our_age(at: datetime) -> datetime:
    if not 2000 < at.year < 3000:
        raise ValueError("not a time of this age")
    return at


Moment = Annotated[AwareDatetime, AfterValidator(_of_our_age)]
"""A time with its zone."""


def _city_clock(at: time) -> time:
    if at.tzinfo:
        raise ValueError("a time of the city's clock has no zone")
    return at


_HOURS = {"type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?$"}
Clock = Annotated[time, AfterValidator(_city_clock), WithJsonSchema(_HOURS)]
"""A time of day by the city's clock. JSON Schema's own `time` would need a zone."""

"""The number of a row."""
National = Annotated[
    str | None, AfterValidator(lambda number: numbers.format_national(number) if number else None)
]
"""An E.164 number, written in national form."""


class HasTelephone(BaseModel):
    """A body with a telephone that a desk may call into a conversation; an empty number means none."""

    number: Text | None = Field(None, max_length=40)

    def values(self, allowed_prefixes: Sequence[str]) -> dict[str, Any]:
        """Return the given values, the number as E.164. Raises Refused("number-invalid" |
        "number-not-allowed").
        """
        given = self.model_dump(exclude_none=True)
        if self.number:
            given["number"] = numbers.parse(self.number, allowed_prefixes)
        return given


class Desk(BaseModel):
    """A desk, its phone, and the round that it serves; waiting for a citizen since `next_asked_at`.

    A supervisor's desk may listen to another desk. On a break the desk gets nobody. `wrap_up_since`: the
    conversation is over, and the desk has not asked for the next citizen.
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
    """A note on a conversation by one person of the office."""

    by: str
    at: datetime
    written: str


class Heard(BaseModel):
    """Somebody who has joined my conversation. A silent listener is not named."""

    how: Hearing
    name: str | None


class Colleagues(BaseModel):
    """The conversation of another desk that asked my phone to join. `waits`: the citizen is on hold."""

    callback_id: int
    desk_id: int
    ticket: str
    subject: int | None
    waits: bool
    notes: list[Note]


class DeskWord(BaseModel):
    """A supervisor's message to my desk that I have not read yet."""

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
    """A round at this moment, with times in UTC. `notice`: the state of its notice."""

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
    """A citizen's place. `number` is in national form, masked unless the person answers in this line.

    `place` is 1 for the next citizen. `why`: the reason for the place; `moved_reason`: the words of the
    person who moved it up. `subject`: one of the city's nine. `has_voice_message`: the citizen left one.
    `on_the_line`: the citizen waits on the line, so no phone is dialled.
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

    `held_until`: our side is gone, and a citizen on the line waits for it until then. `on_hold_at`: since
    when the citizen is on hold at the desk's wish. `held_at`: since when the conversation is interrupted.
    `held_seconds`: the length of earlier interruptions, which count as no conversation. `threat_at`: when the
    desk marked a threat. `ended_at`: when the desk ended the conversation; until `parting_until` that can be
    undone. `default_outcome`: the outcome that «next» would record. `on_the_line`: the citizen waits on the
    line, so no phone is dialled. `given_by_desk_id`: the desk that gave the conversation away. `arriving`:
    the citizen is moving to this desk's conference room.
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
    """A browser's measurement of a conversation's sound: means and worst values of `readings`.

    MOS (1 to 5) is that of the worse direction. `loss` is in per cent, `rtt_ms` is the round trip if known.
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
    """A stored measurement; `bad`: the conversation as a whole was hard to understand."""

    bad: bool


class DepartmentName(BaseModel):
    """A department, by its names."""

    id: int
    name_fa: str
    name_en: str


class Me(BaseModel):
    """The signed-in person, their desk, and the citizen whom the desk has.

    `parting`: the conversation whose end can still be undone. `cut_off`: the last conversation, if our side
    cut it and this desk can call the citizen again now. `given_away`: a conversation given to a desk that has
    not got it yet; it can be taken back. `calls_down_since`: no citizen can be called, by our own fault;
    nobody loses their place. `takes_live`: callers who wait for an operator come to my desk automatically.
    `said_live`: my desk's own choice of that. `heard_by`: people who have joined the desk's conversation.
    `consulted_in`: the conversation that my desk was asked to join. `words`: unread messages of supervisors
    to my desk. `official_id`: the official whose rounds are mine. `department`: my department, if I am not of
    the office.
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
