"""What goes over the wire between the API and those who keep the offices."""

from pydantic import BaseModel, Field

from api.schemas import HasTelephone, Name, National, Official
from db.models import OfficialKind
from settings.city_file import MOST_DISTRICTS


class OfficialWithNumber(Official):
    """An office with its telephone, for who is signed in."""

    number: National


class OfficialIn(HasTelephone):
    """A new office. `clip` is the prompt that says its name."""

    kind: OfficialKind
    district: int | None = Field(None, ge=1, le=MOST_DISTRICTS)
    office_fa: Name = Field(min_length=1, max_length=200)
    office_en: Name = Field(min_length=1, max_length=200)
    clip: Name = Field(max_length=100)


class OfficialChange(HasTelephone):
    """What is different from now on; what is left out stays. An empty number is none."""

    office_fa: Name | None = Field(None, min_length=1, max_length=200)
    office_en: Name | None = Field(None, min_length=1, max_length=200)
    clip: Name | None = Field(None, max_length=100)
    active: bool | None = None


class Clip(BaseModel):
    """A prompt that says an office's name, and its words by language."""

    id: str
    spoken: dict[str, str]
