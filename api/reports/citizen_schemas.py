"""What goes over the wire about a citizen, and about what somebody looks for."""

from datetime import datetime

from pydantic import BaseModel, Field

from api.desk.desk_schemas import CitizensHistory
from api.reason_schemas import Because
from api.schemas import Official, Text
from db.models import Delivery, OutboxKind, Role
from db.states import RegistrationState, RequestState


class SentMessage(BaseModel):
    """A text message to the citizen; `request_id` or `registration_id`: what it tells of."""

    kind: OutboxKind
    registration_id: int | None
    request_id: int | None
    state: Delivery
    made_at: datetime
    sent_at: datetime | None


class Citizen(CitizensHistory):
    """Everything with one telephone number; in bounds, the newest first.

    `masked`: `number` is not whole; asking for it is in the audit log. `blocked`: it may not register.
    """

    number: str
    masked: bool
    blocked: bool
    messages: list[SentMessage]


class CitizensNumber(BaseModel):
    """The whole number, in national form."""

    number: str


class NewOwner(Because):
    """Why somebody else has the number now; `give_up`: places of the person before are given up by it."""

    give_up: bool = False


class Wanted(BaseModel):
    """What somebody looks for: a ticket, tracking or telephone number, in any digits, or a person's name."""

    typed: Text = Field(max_length=80)


class FoundRegistration(BaseModel):
    """A place, as much as tells it from others."""

    id: int
    ticket: str
    official: Official
    starts_at: datetime
    in_operators_line: bool
    state: RegistrationState


class FoundRequest(BaseModel):
    """A city problem, as much as tells it from others."""

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
    """A few of each kind, the newest first."""

    registrations: list[FoundRegistration]
    requests: list[FoundRequest]
    staff: list[FoundPerson]
