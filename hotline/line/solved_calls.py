"""The call to a land line about its request: it hears what a mobile reads, and is asked whether it is solved.

No text message comes there. The call is queued (`hotline.requests.work.have_called`) where the office
answers, rejects or closes the request, and where a caller or an employee has answered in the number's name.
"""

from datetime import datetime, timedelta

from sqlalchemy import Integer, and_, bindparam, delete, exists, func, or_, select, update
from sqlalchemy.orm import Session, aliased

from db.engine import now
from db.models import BlockedNumber, Request, SolvedCall, UtcDateTime, words
from db.states import RequestState
from hotline.line import engaged
from hotline.line.tries import Tries

_AGAIN = timedelta(hours=3)
"""After a call that nobody took, so that a day has several; an hour in which nobody is at home passes."""

OBJECTED = (RequestState.REOPENED, RequestState.SPLIT)
"""States after a caller's objection; `SPLIT` if the request has parts."""
ASKED = (RequestState.REPLIED, *OBJECTED)
"""States in which the land line is asked whether it is solved."""
TOLD = (RequestState.CLOSED, RequestState.REJECTED)
"""States that the land line is told, and asked nothing."""

_answer = aliased(Request)
"""The request with the office's answer: the original of a duplicate, else the request itself."""
_STANDS = (
    select(Request.id)
    .join(_answer, _answer.id == func.coalesce(Request.duplicate_of_id, Request.id))
    .where(
        Request.id == SolvedCall.request_id,
        Request.number.is_not(None),
        _answer.state.in_(words((*ASKED, *TOLD))),
        _answer.replied_at == SolvedCall.replied_at,
    )
    .correlate(SolvedCall)
)
"""The request, if what the call tells is still so."""
_may_be_called = _STANDS.where(
    ~exists().where(BlockedNumber.number == Request.number), ~engaged.phone(Request.number)
)
_DUE = and_(
    SolvedCall.token.is_(None),
    SolvedCall.ended_at.is_(None),
    SolvedCall.due_at <= bindparam("at", type_=UtcDateTime),
    _may_be_called.exists(),
)
"""To be called now."""

# Asked with every look of the dialer: built once.
_ALL_DUE = (
    select(SolvedCall.id)
    .where(_DUE)
    .order_by(SolvedCall.due_at, SolvedCall.id)
    .limit(bindparam("limit", type_=Integer))
)


class _Calls(Tries[SolvedCall]):
    def number(self, row: SolvedCall) -> str:
        return row.request.number or ""

    def is_heard(self, row: SolvedCall) -> bool:
        return row.told_at is not None


CALLS = _Calls(SolvedCall, "solved-", due=(_DUE, _ALL_DUE), tries=3, again=_AGAIN, too_often=_AGAIN)
is_token, due, take_up, by_token = CALLS.is_token, CALLS.due, CALLS.take_up, CALLS.by_token
put_off_long, on_the_phone, ended = CALLS.put_off_long, CALLS.on_the_phone, CALLS.ended


def told(session: Session, token: str, due_at: datetime) -> None:
    """Record that somebody has heard it: whatever they answer, nobody calls again for it.

    Unless there is news since the call was due at `due_at` (`hotline.requests.work.have_called`).
    """
    this = update(SolvedCall).where(SolvedCall.token == token, SolvedCall.due_at == due_at)
    told = this.values(told_at=func.coalesce(SolvedCall.told_at, now(session)))
    session.execute(told.execution_options(synchronize_session=False))


def forget(session: Session) -> None:
    """Delete the calls that are over: told, given up, or of an answer that does not stand any more."""
    over = SolvedCall.token.is_(None), or_(SolvedCall.ended_at.is_not(None), ~_STANDS.exists())
    session.execute(delete(SolvedCall).where(*over).execution_options(synchronize_session=False))
