"""JSON of the office's people."""

from datetime import datetime

from pydantic import BaseModel, Field

from api.ids import BodyId
from api.schemas import DepartmentName, Name, Official
from db.models import Role


class Person(BaseModel):
    """A person who signs in; `sessions`: in how many browsers they are signed in now.

    `from_directory`: the office's directory holds their name and password.
    """

    id: int
    username: str
    name: str
    role: Role
    desk_id: int | None
    official: Official | None
    department: DepartmentName | None
    heads_department: bool
    from_directory: bool
    disabled_at: datetime | None
    locked_until: datetime | None
    has_pin: bool
    has_second_factor: bool
    sessions: int


class PersonIn(BaseModel):
    """A new person; the password is drawn at random."""

    username: Name = Field(min_length=1, max_length=64)
    name: Name = Field(min_length=1, max_length=100)
    role: Role
    desk_id: BodyId | None = None
    official_id: BodyId | None = None
    department_id: BodyId | None = None
    heads_department: bool = False


class PersonChange(BaseModel):
    """Changes of a person. An omitted field stays; null removes a desk, an official or a department."""

    name: Name | None = Field(None, min_length=1, max_length=100)
    role: Role | None = None
    desk_id: BodyId | None = None
    official_id: BodyId | None = None
    department_id: BodyId | None = None
    heads_department: bool | None = None


class Secret(BaseModel):
    """A password or a PIN, shown this once and never stored."""

    person: Person
    secret: str
