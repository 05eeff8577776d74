"""Urgent matters: shown to everybody who answers, until somebody takes them."""

from datetime import datetime

from fastapi import APIRouter
from pydantic import BaseModel
from sqlalchemy.orm import Session

from api import schemas, views
from api.access import InForce, MayAnswer, Reading, Writing
from api.ids import PathId
from db import models
from hotline import numbers
from hotline.desks import urgent_calls
from hotline.errors import Refused
from hotline.requests import urgent

router = APIRouter(prefix="/urgent", tags=["urgent"])


class UrgentMatter(BaseModel):
    """An urgent request, or (without a request) a caller who said that somebody is in danger."""

    id: int
    made_at: datetime
    request_id: int | None
    tracking: str | None
    category: int | None
    district: int | None
    place: str
    number: str | None
    on_the_line: bool
    """The caller is waiting on the line now."""
    quiet: bool
    """It does not ring: earlier matters of the same number are still open."""


@router.get("")
def list_open(_user: MayAnswer, session: Reading) -> list[UrgentMatter]:
    """Open matters, oldest first; quiet ones last."""
    return [
        _view(session, matter, quiet=quiet)
        for quiet in (False, True)
        for matter in urgent.list_open(session, quiet=quiet)
    ]


@router.post("/{matter_id}/take")
def take(matter_id: PathId, user: MayAnswer, session: Writing) -> UrgentMatter:
    """Take a matter: one person does, once. The audit log and the request's history name the person."""
    return _view(session, urgent.take(session, matter_id, who=user.username))


@router.post("/{matter_id}/call", status_code=201)
def call(matter_id: PathId, user: MayAnswer, session: Writing, settings: InForce) -> schemas.Callback:
    """Call the citizen of a matter that I took, for my desk, before all others."""
    if user.desk_id is None:
        raise Refused("no-desk", "this person has no desk")
    matter = urgent.get(session, matter_id)
    return views.describe_callback(session, urgent_calls.call_now(session, matter, user, settings))


def _view(session: Session, matter: models.UrgentMatter, *, quiet: bool = False) -> UrgentMatter:
    request, number = matter.request, urgent.find_number(matter)
    return UrgentMatter(
        id=matter.id,
        made_at=matter.made_at,
        request_id=matter.request_id,
        tracking=request.tracking if request else None,
        category=request.category if request else None,
        district=request.district if request else None,
        place=request.place if request else "",
        number=numbers.format_national(number) if number else None,
        on_the_line=urgent.is_on_the_line(session, matter),
        quiet=quiet,
    )
