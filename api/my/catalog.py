"""The citizens' app before sign-in: categories and announced rounds."""

from fastapi import APIRouter
from sqlalchemy.orm import Session

from api.access import Reading
from api.my import my_schemas as wire
from api.requests.category_schemas import Question, WorkingTime
from db import models
from db.engine import now
from hotline.requests import categories
from hotline.rounds import notices, phases
from hotline.rounds.notice_texts import find_speaker_name

router = APIRouter(prefix="/my", tags=["my"])


@router.get("/categories")
def list_categories(session: Reading) -> list[wire.Offered]:
    """Categories to report in, with their questions."""
    return [_offered(each) for each in categories.list_all(session) if each.active]


@router.get("/rounds")
def list_rounds(session: Reading) -> list[wire.AnnouncedRound]:
    """The announced rounds, soonest first."""
    return [_announced(session, each) for each in notices.list_published(session)]


def _offered(category: models.Category) -> wire.Offered:
    answer, solve = categories.find_promised_times(category)
    return wire.Offered(
        id=category.id,
        name_fa=category.name_fa,
        name_en=category.name_en,
        icon=category.icon,
        urgent=category.urgent,
        questions=[Question(**each) for each in category.questions],
        answer=WorkingTime(amount=answer.amount, unit=answer.unit),
        solve=WorkingTime(amount=solve.amount, unit=solve.unit),
    )


def _announced(session: Session, round_: models.Round) -> wire.AnnouncedRound:
    return wire.AnnouncedRound(
        id=round_.id,
        who_fa=find_speaker_name(round_, "fa"),
        who_en=find_speaker_name(round_, "en"),
        phase=phases.find_phase(round_, now(session)),
        starts_at=round_.starts_at,
        ends_at=round_.ends_at,
        registration_from=round_.registration_from,
        registration_until=round_.registration_until,
    )
