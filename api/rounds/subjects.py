"""The city's nine subjects."""

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field

from api import schemas
from api.access import MayPlan, Reading, SignedIn, Writing
from db import models
from hotline import subjects
from hotline.errors import Refused
from prompts import catalogue

router = APIRouter(prefix="/subjects", tags=["subjects"])


class Subject(BaseModel):
    """A subject; `id` is its key on the phone. `spoken`: its prompt, by language."""

    id: int
    name_fa: str
    name_en: str
    offered: bool
    spoken: dict[str, str]


class SubjectChange(BaseModel):
    """Changes of a subject. An omitted field stays."""

    name_fa: schemas.Name | None = Field(None, min_length=1, max_length=100)
    name_en: schemas.Name | None = Field(None, min_length=1, max_length=100)
    offered: bool | None = None


@router.get("")
def list_subjects(_user: SignedIn, session: Reading) -> list[Subject]:
    """All nine subjects, by key."""
    return [_view(subject) for subject in subjects.list_all(session)]


@router.patch("/{subject_id}")
def change_subject(
    subject_id: Annotated[int, Path(ge=1, le=9)], body: SubjectChange, user: MayPlan, session: Writing
) -> Subject:
    """Change a subject's names, or whether callers hear it. Its prompt must exist in every language."""
    values = body.model_dump(exclude_none=True)
    if values.get("offered") and set(list_spoken(subject_id)) != set(catalogue.list_languages()):
        raise Refused("clip-unknown", f"subject-{subject_id} is no prompt in every language")
    return _view(subjects.change(session, subject_id, who=user.username, **values))


def _view(subject: models.Subject) -> Subject:
    return Subject(
        id=subject.id,
        name_fa=subject.name_fa,
        name_en=subject.name_en,
        offered=subject.offered,
        spoken=list_spoken(subject.id),
    )


def list_spoken(key: int) -> dict[str, str]:
    """Return the prompt of this key, by language."""
    prompt = f"subject-{key}"
    books = {language: catalogue.list_texts(language) for language in catalogue.list_languages()}
    return {language: texts[prompt] for language, texts in books.items() if prompt in texts}
