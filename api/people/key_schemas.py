"""JSON of programs' keys."""

from datetime import datetime

from pydantic import BaseModel, Field

from api.schemas import Name
from hotline.people.api_keys import LONGEST_NAME, MOST_A_MINUTE, Scope


class Key(BaseModel):
    """A program's key. Only its `prefix` is stored in the clear; `last_used_at` is exact to the minute."""

    prefix: str
    name: str
    scopes: list[Scope]
    per_minute: int
    made_at: datetime
    made_by: str
    revoked_at: datetime | None
    last_used_at: datetime | None


class KeyIn(BaseModel):
    """A key's owner, its scopes, and its requests per minute."""

    name: Name = Field(min_length=1, max_length=LONGEST_NAME)
    scopes: list[Scope] = Field(min_length=1, max_length=len(Scope))
    per_minute: int = Field(60, ge=1, le=MOST_A_MINUTE)


class IssuedKey(BaseModel):
    """A key, shown this once and never stored."""

    key: Key
    secret: str
