"""What goes over the wire by Open311, by the names of its specification."""

from typing import Literal

from pydantic import BaseModel


class Service(BaseModel):
    """A category: `metadata`, whether it has questions."""

    service_code: str
    service_name: str
    description: str
    metadata: bool
    type: Literal["realtime"] = "realtime"
    keywords: str
    group: str | None


class Value(BaseModel):
    """A choice of an attribute. Ours have none."""

    key: str
    name: str


class Attribute(BaseModel):
    """A question of a category, which may be left unanswered."""

    variable: bool = True
    code: str
    datatype: Literal["string"] = "string"
    required: bool = False
    datatype_description: str | None = None
    order: int
    description: str
    values: list[Value] = []


class ServiceDefinition(BaseModel):
    """A category's questions."""

    service_code: str
    attributes: list[Attribute]


class Filed(BaseModel):
    """A request that was filed, or had been already."""

    service_request_id: str
    service_notice: str | None
    account_id: str | None = None


class Token(BaseModel):
    """What was filed under a token."""

    service_request_id: str
    token: str


class Note(BaseModel):
    """A step of a request's history."""

    datetime: str
    type: str
    summary: str


class Extended(BaseModel):
    """What is ours: the state as we call it, in which district, and what was promised."""

    detailed_status: str
    district: int | None
    answer_by: str | None
    answered_at: str | None
    duplicate_of: str | None
    urgent: bool


class ServiceRequest(BaseModel):
    """A request; what its citizen said is told to the program that brought it."""

    service_request_id: str
    status: Literal["open", "closed"]
    status_notes: str
    service_name: str
    service_code: str
    description: str | None
    agency_responsible: str | None
    service_notice: str | None
    requested_datetime: str
    updated_datetime: str
    expected_datetime: str | None
    address: str | None
    address_id: str | None = None
    zipcode: str | None = None
    lat: float | None
    long: float | None
    media_url: str | None = None


class ExtendedRequest(ServiceRequest):
    """The same, where extensions are asked for."""

    extended_attributes: Extended
    notes: list[Note]


class Endpoint(BaseModel):
    """Where an API is."""

    specification: str
    url: str
    changeset: str
    type: Literal["production"] = "production"
    formats: list[str]


class Discovery(BaseModel):
    """Which APIs there are."""

    changeset: str
    contact: str
    key_service: str
    endpoints: list[Endpoint]
