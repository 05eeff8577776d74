"""JSON of somebody's reason for an action."""

from typing import Annotated

from pydantic import BaseModel, Field

from api.schemas import Name, Said

Why = Annotated[Name, Field(max_length=400)]


class Because(BaseModel):
    """The reason for an action, for the audit log alone."""

    reason: Why


class Reason(BaseModel):
    """The reason for an action; citizens may read it."""

    reason: Name = Field("", max_length=500)


class SaidToQuestion(BaseModel):
    """The citizen's answer to the department's question."""

    answer: Said = Field(min_length=1, max_length=1000)
