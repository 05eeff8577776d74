"""Why somebody does something, as it goes over the wire."""

from typing import Annotated

from pydantic import BaseModel, Field

from api.schemas import Name, Said

Why = Annotated[Name, Field(max_length=400)]


class Because(BaseModel):
    """Why somebody does something, for the audit log alone."""

    reason: Why


class Reason(BaseModel):
    """Why somebody does something; citizens may read it."""

    reason: Name = Field("", max_length=500)


class SaidToQuestion(BaseModel):
    """What the citizen says to the department's question."""

    answer: Said = Field(min_length=1, max_length=1000)
