"""Probable duplicates of a request: from the same number, or alike in words."""

from datetime import timedelta
from difflib import SequenceMatcher
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.models import Request
from db.states import RequestState

_ALIKE = 0.5
"""So much of two texts' words is the same in probable duplicates."""
_CANDIDATES, _SHOWN = 200, 8


class Alike(NamedTuple):
    """A probable duplicate: from the same number, or `likeness` of the words (0 to 1)."""

    request: Request
    same_number: bool
    likeness: float


def alike(session: Session, request: Request, days: int) -> list[Alike]:
    """Probable duplicates: of the same subject and district, reported within so many days of it; those from
    the same number first, then the most alike in words.
    """
    span = timedelta(days=days)
    found = session.scalars(
        select(Request)
        .where(
            Request.id != request.id,
            Request.part_of_id.is_(None),
            Request.id != (request.part_of_id or request.id),
            Request.category == request.category,
            Request.district.is_not_distinct_from(request.district),
            Request.made_at.between(request.made_at - span, request.made_at + span),
            Request.state.not_in([RequestState.DUPLICATE, RequestState.REJECTED]),
        )
        .order_by(Request.id.desc())
        .limit(_CANDIDATES)
    )
    seen = [Alike(other, _same(request, other), _likeness(request.written, other.written)) for other in found]
    seen.sort(key=lambda one: (not one.same_number, -one.likeness))
    return [one for one in seen if one.same_number or _may_be(request, one)][:_SHOWN]


def _may_be(request: Request, one: Alike) -> bool:
    """Words tell only of two that are written; what was spoken nobody knows without listening."""
    return one.likeness >= _ALIKE or not (request.written and one.request.written)


def _same(one: Request, other: Request) -> bool:
    return one.number is not None and one.number == other.number


def _likeness(one: str, other: str) -> float:
    words, others = (sorted(set(text.replace("\u200c", " ").split())) for text in (one, other))
    return SequenceMatcher(None, words, others, autojunk=False).ratio() if words and others else 0.0
