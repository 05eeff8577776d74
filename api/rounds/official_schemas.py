"""JSON of offices."""

from pydantic import BaseModel, Field

from api.schemas import HasTelephone, Name, National, Official
from db.models import OfficialKind
from settings.city_file import MOST_DISTRICTS


class OfficialWithNumber(Official):
    """An office with its telephone, for signed-in people."""

    number: National


class OfficialIn(HasTelephone):
    """A new office. `clip` is the prompt of its name."""

    kind: OfficialKind
    district: int | None = Field(None, ge=1, le=MOST_DISTRICTS)
    office_fa: Name = Field(min_length=1, max_length=200)
    office_en: Name = Field(min_length=1, max_length=200)
    clip: Name = Field(max_length=100)


class OfficialChange(HasTelephone):
    """Changes of an office. An omitted field stays; an empty number deletes the number."""

    office_fa: Name | None = Field(None, min_length=1, max_length=200)
    office_en: Name | None = Field(None, min_length=1, max_length=200)
    clip: Name | None = Field(None, max_length=100)
    active: bool | None = None


class Clip(BaseModel):
    """An office's prompt, and its words by language."""

    id: str
    spoken: dict[str, str]
