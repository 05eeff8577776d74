"""Why somebody does something, as it goes over the wire."""

from typing import Annotated

from pydantic import BaseModel, Field

from api.schemas import Name

Why = Annotated[Name, Field(max_length=400)]


class Because(BaseModel):
    """Why somebody does something, for the audit log alone."""

    reason: Why


class Reason(BaseModel):
    """Why somebody does something; citizens may read it."""

    reason: Name = Field("", max_length=500)
