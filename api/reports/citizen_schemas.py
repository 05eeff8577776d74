"""JSON of a citizen, and of search results."""

from datetime import datetime

from pydantic import BaseModel, Field

from api.desk.desk_schemas import CitizensHistory
from api.reason_schemas import Because
from api.schemas import Official, Text
from db.models import Delivery, OutboxKind, Role
from db.states import RegistrationState, RequestState


class SentMessage(BaseModel):
    """A text message to the citizen, about `request_id` or `registration_id`."""

    kind: OutboxKind
    registration_id: int | None
    request_id: int | None
    state: Delivery
    made_at: datetime
    sent_at: datetime | None


class Citizen(CitizensHistory):
    """Everything about one telephone number, newest first, up to a limit.

    `masked`: `number` is incomplete; the audit log shows who asks for all of it. `blocked`: the number may
    not register.
    """

    number: str
    masked: bool
    blocked: bool
    messages: list[SentMessage]


class CitizensNumber(BaseModel):
    """The whole number, in national form."""

    number: str


class NewOwner(Because):
    """The reason why the number belongs to somebody else now. `give_up`: cancel the former owner's places."""

    give_up: bool = False


class Wanted(BaseModel):
    """A search: a ticket, tracking or telephone number in any digits, or a person's name."""

    typed: Text = Field(max_length=80)


class FoundRegistration(BaseModel):
    """A place, with the fields that identify it."""

    id: int
    ticket: str
    official: Official
    starts_at: datetime
    in_operators_line: bool
    state: RegistrationState


class FoundRequest(BaseModel):
    """A city problem, with the fields that identify it."""

    id: int
    tracking: str
    category: int
    district: int | None
    state: RequestState


class FoundPerson(BaseModel):
    """A person who signs in."""

    id: int
    name: str
    username: str
    role: Role


class SearchResults(BaseModel):
    """A few results of each kind, newest first."""

    registrations: list[FoundRegistration]
    requests: list[FoundRequest]
    staff: list[FoundPerson]
