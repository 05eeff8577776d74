"""The city's own words at its desks."""

from fastapi import APIRouter
from pydantic import BaseModel, Field

from api import schemas
from api.access import MayConduct, Reading, SignedIn, Writing
from db.models import BreakReason
from hotline.desks import desk_words

router = APIRouter(prefix="/desk-words", tags=["desks"])


class Both(BaseModel):
    """One text in both languages."""

    fa: schemas.Name = Field(min_length=1, max_length=desk_words.LONGEST)
    en: schemas.Name = Field(min_length=1, max_length=desk_words.LONGEST)


class DeskWords(BaseModel):
    """Ready notes in their order, and the city's names of break reasons; a reason without one uses the pages'
    word.
    """

    ready_notes: list[Both] = Field(max_length=desk_words.MOST)
    breaks: dict[BreakReason, Both]


@router.get("")
def show(_user: SignedIn, session: Reading) -> DeskWords:
    """All ready notes and break reasons."""
    found = desk_words.list_all(session)
    return DeskWords(
        ready_notes=[Both(fa=word.name_fa, en=word.name_en) for word in found if not word.break_reason],
        breaks={
            word.break_reason: Both(fa=word.name_fa, en=word.name_en) for word in found if word.break_reason
        },
    )


@router.put("")
def replace(body: DeskWords, user: MayConduct, session: Writing) -> DeskWords:
    """Replace all ready notes and break reasons."""
    desk_words.replace(
        session,
        [desk_words.Both(both.fa, both.en) for both in body.ready_notes],
        {reason: desk_words.Both(both.fa, both.en) for reason, both in body.breaks.items()},
        who=user.username,
    )
    return show(user, session)
