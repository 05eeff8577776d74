"""The call that says that a request is solved, and asks whether it is: to who reported it from a land line.

No text message comes there. It is asked for where the request is answered (hotline.requests.work), and where
a caller has answered in its number's name (hotline.requests.closing): a caller ID is easily forged.
"""

from datetime import timedelta

from sqlalchemy import Integer, and_, bindparam, delete, exists, func, or_, select, update
from sqlalchemy.orm import Session

from db.engine import now
from db.models import BlockedNumber, Request, SolvedCall, UtcDateTime, words
from db.states import RequestState
from hotline.line import engaged
from hotline.line.tries import Tries

_AGAIN = timedelta(hours=3)
"""After a call that nobody took, so that a day has several; an hour in which nobody is at home passes."""

STATES = (RequestState.REPLIED, RequestState.REOPENED)
"""The states of a request about which its land line is called; `REOPENED` after a caller's objection."""

_still_asked = (
    select(Request.id)
    .where(
        Request.id == SolvedCall.request_id,
        Request.state.in_(words(STATES)),
        Request.replied_at == SolvedCall.replied_at,
        Request.number.is_not(None),
        ~exists().where(BlockedNumber.number == Request.number),
        ~engaged.phone(Request.number),
    )
    .correlate(SolvedCall)
)
_DUE = and_(
    SolvedCall.token.is_(None),
    SolvedCall.ended_at.is_(None),
    SolvedCall.due_at <= bindparam("at", type_=UtcDateTime),
    _still_asked.exists(),
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


def told(session: Session, token: str) -> None:
    """Somebody has heard it: whatever they answer, nobody calls again for it."""
    this = update(SolvedCall).where(SolvedCall.token == token)
    told = this.values(told_at=func.coalesce(SolvedCall.told_at, now(session)))
    session.execute(told.execution_options(synchronize_session=False))


def forget(session: Session) -> None:
    """Delete those of which nothing comes any more: told, given up, or of an answer nobody is asked about."""
    asked = (
        select(Request.id)
        .where(
            Request.id == SolvedCall.request_id,
            Request.state.in_(words(STATES)),
            Request.replied_at == SolvedCall.replied_at,
            Request.number.is_not(None),
        )
        .correlate(SolvedCall)
    )
    over = SolvedCall.token.is_(None), or_(SolvedCall.ended_at.is_not(None), ~asked.exists())
    session.execute(delete(SolvedCall).where(*over).execution_options(synchronize_session=False))
