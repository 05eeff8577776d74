"""JSON of categories."""

from typing import Annotated

from pydantic import BaseModel, Field

from api.ids import BodyId
from api.schemas import Name, Said
from db.models import Evidence, TimeUnit
from hotline.requests.category_files import CODE
from settings.city_file import MOST_DISTRICTS


class WorkingTime(BaseModel):
    """An amount of the city's working time."""

    amount: int = Field(ge=1, le=1000)
    unit: TimeUnit


class Question(BaseModel):
    """A question to a citizen who reports a problem of the category."""

    fa: Said = Field(min_length=1, max_length=200)
    en: Said = Field(min_length=1, max_length=200)


class Responsible(BaseModel):
    """The department responsible in a district; `district` 0 means all others."""

    district: int = Field(ge=0, le=MOST_DISTRICTS)
    department_id: BodyId


class CategoryValues(BaseModel):
    """All values of a category except its code. `key`: the telephone's key that its prompt `subject-KEY`
    offers.
    """

    name_fa: Name = Field(min_length=1, max_length=100)
    name_en: Name = Field(min_length=1, max_length=100)
    icon: Name = Field(max_length=20)
    key: int | None = Field(None, ge=1, le=9)
    urgent: bool = False
    answer: WorkingTime
    solve: WorkingTime
    evidence: Evidence = Evidence.TEXT
    questions: list[Question] = Field([], max_length=5)
    departments: list[Responsible] = Field([], max_length=16)
    active: bool = True


class CategoryIn(CategoryValues):
    """A new category; its `code`, which files refer to, never changes."""

    code: Annotated[str, Field(pattern=CODE)]


class Category(CategoryIn):
    """A category of requests. `spoken`: the prompt at its key, by language."""

    id: int
    spoken: dict[str, str]
