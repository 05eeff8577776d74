"""What goes over the wire between the API and those who keep keys."""

from datetime import datetime

from pydantic import BaseModel, Field

from api.schemas import Name
from hotline.people.api_keys import LONGEST_NAME, MOST_A_MINUTE, Scope


class Key(BaseModel):
    """A program's key; `prefix` is how it begins, and all of it that is known. Used last in that minute."""

    prefix: str
    name: str
    scopes: list[Scope]
    per_minute: int
    made_at: datetime
    made_by: str
    revoked_at: datetime | None
    last_used_at: datetime | None


class KeyIn(BaseModel):
    """Whose key it is, what it may, and how often a minute."""

    name: Name = Field(min_length=1, max_length=LONGEST_NAME)
    scopes: list[Scope] = Field(min_length=1, max_length=len(Scope))
    per_minute: int = Field(60, ge=1, le=MOST_A_MINUTE)


class IssuedKey(BaseModel):
    """A key, shown this once and stored nowhere."""

    key: Key
    secret: str
