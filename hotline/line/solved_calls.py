"""The call that says that a request is solved, and asks whether it is: to who reported it from a land line.

No text message comes there. It is asked for where the request is answered (hotline.requests.work). `token` is
committed before the call is placed, so that it is never placed twice.
"""

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Integer, and_, bindparam, delete, exists, func, or_, select, update
from sqlalchemy.orm import Session

from db.engine import core, now
from db.models import BlockedNumber, Request, SolvedCall, UtcDateTime, word
from db.states import RequestState
from hotline.line import engaged

_PREFIX = "solved-"
_TRIES = 3
_AGAIN = timedelta(hours=3)
"""After a call that nobody took, so that a day has several; an hour in which nobody is at home passes."""
_AFTER_OUR_FAULT = timedelta(minutes=1)

_still_asked = (
    select(Request.id)
    .where(
        Request.id == SolvedCall.request_id,
        Request.state == word(RequestState.REPLIED),
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
"""To be called now; its parameters are `_asked`."""

# Asked with every look of the dialer: built once.
_ALL_DUE = (
    select(SolvedCall.id)
    .where(_DUE)
    .order_by(SolvedCall.due_at, SolvedCall.id)
    .limit(bindparam("limit", type_=Integer))
)


def _asked(at: datetime) -> dict[str, Any]:
    return {"at": at, **engaged.asked(at)}


def is_token(channel_id: str) -> bool:
    """Whether a channel's id can be the token of such a call."""
    return channel_id.startswith(_PREFIX)


def due(session: Session, limit: int) -> Sequence[int]:
    """The calls that are to be placed now, at most `limit`."""
    return core(session).execute(_ALL_DUE, {"limit": limit, **_asked(now(session))}).scalars().all()


def take_up(session: Session, call_id: int) -> SolvedCall | None:
    """Give the call its token: from here on it is placed once. None if it is not due."""
    at = now(session)
    taken = session.scalar(
        update(SolvedCall)
        .where(SolvedCall.id == call_id, _DUE)
        .values(token=f"{_PREFIX}{uuid.uuid4().hex}", placed_at=at, tries=SolvedCall.tries + 1)
        .returning(SolvedCall.id)
        .execution_options(synchronize_session=False),
        _asked(at),
    )
    return session.get(SolvedCall, taken, populate_existing=True) if taken else None


def put_off(call: SolvedCall, at: datetime | None = None) -> None:
    """It was taken up and may not be placed now: due again, as if never taken up, `at` a later moment."""
    call.token = call.placed_at = None
    call.tries -= 1
    call.due_at = at or call.due_at


def put_off_long(session: Session, call: SolvedCall) -> None:
    """The number has been called so often that its turn is later."""
    put_off(call, now(session) + _AGAIN)


def by_token(session: Session, token: str) -> SolvedCall | None:
    """The call whose channel is `token`."""
    query = select(SolvedCall).where(SolvedCall.token == token)
    return session.scalar(query.execution_options(populate_existing=True))


def on_the_phone(session: Session) -> dict[str, datetime]:
    """The tokens of calls on their way, and when each was placed."""
    query = select(SolvedCall.token, SolvedCall.placed_at).where(SolvedCall.token.is_not(None))
    return {token: at for token, at in session.execute(query) if token and at}


def told(session: Session, token: str) -> None:
    """Somebody has heard it: whatever they answer, nobody calls again for it."""
    this = update(SolvedCall).where(SolvedCall.token == token)
    told = this.values(told_at=func.coalesce(SolvedCall.told_at, now(session)))
    session.execute(told.execution_options(synchronize_session=False))


def ended(session: Session, token: str, *, ours: bool = False) -> None:
    """The call is over, or was never placed. Whom it did not reach is called again, three times in all.

    What came to nothing by our own fault counts as no try.
    """
    call = by_token(session, token)
    if call is None:
        return
    at = now(session)
    if call.told_at:
        call.token, call.ended_at = None, at
    elif ours:
        put_off(call, at + _AFTER_OUR_FAULT)
    elif call.tries >= _TRIES:
        call.token, call.ended_at = None, at
    else:
        call.token, call.placed_at, call.due_at = None, None, at + _AGAIN


def never(session: Session, token: str) -> None:
    """This number may not be called at all."""
    this = update(SolvedCall).where(SolvedCall.token == token)
    over = this.values(token=None, ended_at=now(session))
    session.execute(over.execution_options(synchronize_session=False))


def forget(session: Session) -> None:
    """Delete those of which nothing comes any more: told, given up, or of an answer nobody is asked about."""
    asked = (
        select(Request.id)
        .where(
            Request.id == SolvedCall.request_id,
            Request.state == RequestState.REPLIED,
            Request.replied_at == SolvedCall.replied_at,
            Request.number.is_not(None),
        )
        .correlate(SolvedCall)
    )
    over = SolvedCall.token.is_(None), or_(SolvedCall.ended_at.is_not(None), ~asked.exists())
    session.execute(delete(SolvedCall).where(*over).execution_options(synchronize_session=False))
