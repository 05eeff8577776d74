"""JSON of Open311, with its specification's names."""

from typing import Literal

from pydantic import BaseModel


class Service(BaseModel):
    """A category; `metadata`: it has questions."""

    service_code: str
    service_name: str
    description: str
    metadata: bool
    type: Literal["realtime"] = "realtime"
    keywords: str
    group: str | None


class Value(BaseModel):
    """A choice of an attribute. Our attributes have none."""

    key: str
    name: str


class Attribute(BaseModel):
    """A question of a category; an answer is optional."""

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
    """A request that was filed, now or before."""

    service_request_id: str
    service_notice: str | None
    account_id: str | None = None


class Token(BaseModel):
    """The number of the request filed under a token."""

    service_request_id: str
    token: str


class Note(BaseModel):
    """A step of a request's history."""

    datetime: str
    type: str
    summary: str


class Extended(BaseModel):
    """Our own fields: our name of the state, the district, and the promised times."""

    detailed_status: str
    district: int | None
    answer_by: str | None
    answered_at: str | None
    duplicate_of: str | None
    urgent: bool


class ServiceRequest(BaseModel):
    """A request. Only the program that filed it sees the citizen's own words."""

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
    """A request with our own fields, for `extensions=true`."""

    extended_attributes: Extended
    notes: list[Note]


class Endpoint(BaseModel):
    """The address of an API."""

    specification: str
    url: str
    changeset: str
    type: Literal["production"] = "production"
    formats: list[str]


class Discovery(BaseModel):
    """The APIs of this city."""

    changeset: str
    contact: str
    key_service: str
    endpoints: list[Endpoint]
