"""Ratings (1 to 5) of a request's outcome, given after the citizen's yes or no, which is stored before.

Each yes or no has at most one rating, which may be changed for a day.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from db.engine import now
from db.models import Rating, Request, RequestEntry
from db.states import RequestStep
from hotline.errors import Refused
from hotline.requests import work

MOST = 5
CHANGEABLE = timedelta(days=1)
_T = RequestStep
_ENDS = (_T.REPLIED, _T.CONFIRMED, _T.DENIED, _T.UNANSWERED)


def rate(session: Session, request_id: int, stars: int, said: int | None = None) -> None:
    """Rate the outcome that the citizen last said yes or no to; `said`: that answer's id, if known.

    Raises Refused("not-found" | "wrong-state" | "answer-over" | "rating-over").
    """
    request = work.get_for_update(session, request_id)
    answer = answer_of(session, request)
    if said and (answer is None or answer.id != said):
        raise Refused("answer-over", "something else was said since")
    if answer is None:
        raise Refused("wrong-state", "first comes whether it is solved")
    rating = rate_answer(session, answer)
    if rating is None:
        replied = _last(session, request, (_T.REPLIED,))
        department_id = replied.department_id if replied else None
        facts = {"request_id": request.id, "entry_id": answer.id, "department_id": department_id}
        session.add(Rating(stars=stars, at=now(session), **facts))
    elif rating.stars != stars:
        if not is_changeable(session, rating):
            raise Refused("rating-over", "it could be changed for a day")
        rating.stars = stars
    session.flush()


def answer_of(session: Session, request: Request) -> RequestEntry | None:
    """Return the citizen's yes or no since the last reply, or None."""
    return _is_answer(_last(session, request, _ENDS))


def answer_in(history: Sequence[RequestEntry]) -> RequestEntry | None:
    """Do what `answer_of` does, with the request's whole history at hand, oldest first."""
    last = next((entry for entry in reversed(history) if entry.step in _ENDS), None)
    return _is_answer(last)


def rate_answer(session: Session, answer: RequestEntry) -> Rating | None:
    """Return the rating of this yes or no."""
    return session.scalar(select(Rating).where(Rating.entry_id == answer.id))


def is_changeable(session: Session, rating: Rating) -> bool:
    """Return whether the citizen may still change the rating."""
    return now(session) - rating.at < CHANGEABLE


def list_by_request(session: Session, request: Request) -> Mapping[int, Rating]:
    """Return the request's ratings, by the id of the rated step."""
    mine = select(Rating).where(Rating.request_id == request.id)
    return {rating.entry_id: rating for rating in session.scalars(mine)}


def forget(session: Session, requests: Sequence[int]) -> None:
    """Delete the ratings of these requests."""
    gone = delete(Rating).where(Rating.request_id.in_(requests))
    session.execute(gone.execution_options(synchronize_session=False))


def forget_answer(session: Session, answer: RequestEntry) -> None:
    """Delete the rating of this yes or no, because the number has answered anew."""
    gone = delete(Rating).where(Rating.entry_id == answer.id)
    session.execute(gone.execution_options(synchronize_session=False))


def _is_answer(last: RequestEntry | None) -> RequestEntry | None:
    return last if last and last.step in (_T.CONFIRMED, _T.DENIED) else None


def _last(session: Session, request: Request, steps: Sequence[RequestStep]) -> RequestEntry | None:
    mine = select(RequestEntry).where(RequestEntry.request_id == request.id, RequestEntry.step.in_(steps))
    return session.scalars(mine.order_by(RequestEntry.id.desc()).limit(1)).first()
