"""Satisfaction, 1 to 5, with what became of a request: said after the yes or no, which is kept already.

Once for each yes or no; it may be changed for a day.
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
    """How satisfied the citizen is with what they have said yes or no to last; `said`: its id, if named.

    Raises Refused("not-found" | "wrong-state" | "answer-over" | "rating-over").
    """
    request = work.get_for_update(session, request_id)
    answer = answer_of(session, request)
    if said and (answer is None or answer.id != said):
        raise Refused("answer-over", "something else was said since")
    if answer is None:
        raise Refused("wrong-state", "first comes whether it is solved")
    rating = of_answer(session, answer)
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
    """The yes or no of the citizen that is rated now, if there is one since the last reply."""
    return _is_answer(_last(session, request, _ENDS))


def answer_in(history: Sequence[RequestEntry]) -> RequestEntry | None:
    """The same, of a request's whole history, oldest first."""
    last = next((entry for entry in reversed(history) if entry.step in _ENDS), None)
    return _is_answer(last)


def of_answer(session: Session, answer: RequestEntry) -> Rating | None:
    """What was said of this yes or no."""
    return session.scalar(select(Rating).where(Rating.entry_id == answer.id))


def is_changeable(session: Session, rating: Rating) -> bool:
    """Whether another one may be said in its place."""
    return now(session) - rating.at < CHANGEABLE


def of_request(session: Session, request: Request) -> Mapping[int, Rating]:
    """All that was said, by the step of its history."""
    mine = select(Rating).where(Rating.request_id == request.id)
    return {rating.entry_id: rating for rating in session.scalars(mine)}


def forget(session: Session, requests: Sequence[int]) -> None:
    """Nobody has said any of it."""
    gone = delete(Rating).where(Rating.request_id.in_(requests))
    session.execute(gone.execution_options(synchronize_session=False))


def forget_answer(session: Session, answer: RequestEntry) -> None:
    """Delete the rating of this yes or no, whose number has answered anew."""
    gone = delete(Rating).where(Rating.entry_id == answer.id)
    session.execute(gone.execution_options(synchronize_session=False))


def _is_answer(last: RequestEntry | None) -> RequestEntry | None:
    return last if last and last.step in (_T.CONFIRMED, _T.DENIED) else None


def _last(session: Session, request: Request, steps: Sequence[RequestStep]) -> RequestEntry | None:
    mine = select(RequestEntry).where(RequestEntry.request_id == request.id, RequestEntry.step.in_(steps))
    return session.scalars(mine.order_by(RequestEntry.id.desc()).limit(1)).first()
