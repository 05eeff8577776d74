"""Probable duplicates of a request: from the same number, or with similar words."""

from datetime import timedelta
from difflib import SequenceMatcher
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.models import Request
from db.states import RequestState

_ALIKE = 0.5
"""Minimum likeness of two texts' words in probable duplicates (0 to 1)."""
_CANDIDATES, _SHOWN = 200, 8
_SPAN = timedelta(days=14)


class Alike(NamedTuple):
    """A probable duplicate: from the same number, or `likeness` of the words (0 to 1)."""

    request: Request
    same_number: bool
    likeness: float


def list_probable(session: Session, request: Request) -> list[Alike]:
    """Return probable duplicates: same category and district, reported within two weeks of the request.

    Requests from the same number come first, then the most similar in words.
    """
    found = session.scalars(
        select(Request)
        .where(
            Request.id != request.id,
            Request.part_of_id.is_(None),
            Request.id != (request.part_of_id or request.id),
            Request.category == request.category,
            Request.district.is_not_distinct_from(request.district),
            Request.made_at.between(request.made_at - _SPAN, request.made_at + _SPAN),
            Request.state.not_in([RequestState.DUPLICATE, RequestState.REJECTED]),
        )
        .order_by(Request.id.desc())
        .limit(_CANDIDATES)
    )
    seen = [Alike(other, _same(request, other), _likeness(request.written, other.written)) for other in found]
    seen.sort(key=lambda one: (not one.same_number, -one.likeness))
    return [one for one in seen if one.same_number or _may_be(request, one)][:_SHOWN]


def _may_be(request: Request, one: Alike) -> bool:
    """Return whether the other request may be a duplicate. Words are compared only if both were written.

    A spoken request cannot be judged without listening, so it stays in the list.
    """
    return one.likeness >= _ALIKE or not (request.written and one.request.written)


def _same(one: Request, other: Request) -> bool:
    return one.number is not None and one.number == other.number


def _likeness(one: str, other: str) -> float:
    words, others = (sorted(set(text.replace("\u200c", " ").split())) for text in (one, other))
    return SequenceMatcher(None, words, others, autojunk=False).ratio() if words and others else 0.0
