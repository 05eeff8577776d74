"""The call that speaks a code, from 137 to the number that signs in: one call a code, after a 1.

`token` is committed before the call is placed, so that it is never placed twice.
"""

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Integer, and_, bindparam, exists, func, select, update
from sqlalchemy.orm import Session, aliased

from db.engine import core, now
from db.models import BlockedNumber, CitizenCode, CodeWay, UtcDateTime, word
from hotline.citizens import codes
from hotline.line import engaged
from settings import Settings

_PREFIX = "code-"
ENOUGH = timedelta(seconds=90)
"""So much of a code's time is needed to ring, to listen and to type; who asked too late is not called."""

_declined = aliased(CitizenCode)

_DUE = and_(
    CitizenCode.way == word(CodeWay.CALL),
    CitizenCode.placed_at.is_(None),
    CitizenCode.ended_at.is_(None),
    CitizenCode.expires_at > bindparam("enough_at", type_=UtcDateTime),
    ~exists().where(BlockedNumber.number == CitizenCode.number),
    ~exists().where(_declined.number == CitizenCode.number, _declined.declined_at.is_not(None)),
    ~engaged.phone(CitizenCode.number),
)
"""To be called now; its parameters are `_asked`."""

# Asked with every look of the dialer: built once.
_ALL_DUE = (
    select(CitizenCode.id)
    .where(_DUE)
    .order_by(CitizenCode.known.desc(), CitizenCode.asked_at, CitizenCode.id)
    .limit(bindparam("limit", type_=Integer))
)


def _asked(at: datetime) -> dict[str, Any]:
    return {"enough_at": at + ENOUGH, **engaged.asked(at)}


def is_token(channel_id: str) -> bool:
    """Whether a channel's id can be the token of such a call."""
    return channel_id.startswith(_PREFIX)


def due(session: Session, limit: int) -> Sequence[int]:
    """The codes that are to be spoken now, at most `limit`."""
    return core(session).execute(_ALL_DUE, {"limit": limit, **_asked(now(session))}).scalars().all()


def take_up(session: Session, code_id: int) -> CitizenCode | None:
    """Give the call its token: from here on it is placed once. None if it is not due."""
    at = now(session)
    taken = session.scalar(
        update(CitizenCode)
        .where(CitizenCode.id == code_id, _DUE)
        .values(token=f"{_PREFIX}{uuid.uuid4().hex}", placed_at=at)
        .returning(CitizenCode.id)
        .execution_options(synchronize_session=False),
        _asked(at),
    )
    return session.get(CitizenCode, taken, populate_existing=True) if taken else None


def put_off(code: CitizenCode) -> None:
    """It was taken up and may not be placed now: due again, as if never taken up."""
    code.token = code.placed_at = None


def by_token(session: Session, token: str) -> CitizenCode | None:
    """The code whose call's channel is `token`."""
    query = select(CitizenCode).where(CitizenCode.token == token)
    return session.scalar(query.execution_options(populate_existing=True))


def on_the_phone(session: Session) -> dict[str, datetime]:
    """The tokens of calls on their way, and when each was placed."""
    query = select(CitizenCode.token, CitizenCode.placed_at).where(CitizenCode.token.is_not(None))
    return {token: at for token, at in session.execute(query) if token and at}


def hear(session: Session, token: str, settings: Settings) -> str | None:
    """The digits, for whoever has pressed 1; None if they would let nobody in any more."""
    this = select(CitizenCode).where(CitizenCode.token == token, codes.is_open(now(session)))
    code = session.scalar(this)
    return codes.digits(code, settings) if code else None


def decline(session: Session, token: str) -> None:
    """The person at the number did not ask for it: it lets nobody in, and for a day no code calls there."""
    at = now(session)
    this = update(CitizenCode).where(CitizenCode.token == token)
    said = this.values(declined_at=at, ended_at=func.coalesce(CitizenCode.ended_at, at))
    session.execute(said.execution_options(synchronize_session=False))


def ended(session: Session, token: str) -> None:
    """The call is over, or was never placed: there is no second one."""
    this = update(CitizenCode).where(CitizenCode.token == token).values(token=None)
    session.execute(this.execution_options(synchronize_session=False))
