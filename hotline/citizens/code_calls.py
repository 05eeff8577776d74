"""Calls that speak a sign-in code to the number that signs in, after its owner has pressed 1.

There is one call for each code. `token` is committed before the call is placed, so that it is never placed
twice.
"""

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Integer, and_, bindparam, exists, func, select, update
from sqlalchemy.orm import Session, aliased

from db.engine import now
from db.models import BlockedNumber, CitizenCode, CodeWay, UtcDateTime, word
from hotline.citizens import codes
from hotline.line import engaged
from settings import Settings

_PREFIX = "code-"
ENOUGH = timedelta(seconds=90)
"""The time that ringing, listening and typing take. A code that expires sooner is not called."""

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
"""Condition: the call is due now; its parameters are `_asked`."""

# The dialer asks this at each poll: the statement is built once.
_ALL_DUE = (
    select(CitizenCode.id)
    .where(_DUE)
    .order_by(CitizenCode.known.desc(), CitizenCode.asked_at, CitizenCode.id)
    .limit(bindparam("limit", type_=Integer))
)


def _asked(at: datetime) -> dict[str, Any]:
    return {"enough_at": at + ENOUGH, **engaged.asked(at)}


def is_token(channel_id: str) -> bool:
    """Return whether a channel's id can be the token of a code call."""
    return channel_id.startswith(_PREFIX)


def due(session: Session, limit: int) -> Sequence[int]:
    """Return the ids of at most `limit` codes whose calls are due."""
    return session.execute(_ALL_DUE, {"limit": limit, **_asked(now(session))}).scalars().all()


def take_up(session: Session, code_id: int) -> CitizenCode | None:
    """Give the call its token, so that it is placed once. Return None if it is not due."""
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
    """Make a call due again that was taken up but cannot be placed now."""
    code.token = code.placed_at = None


def by_token(session: Session, token: str) -> CitizenCode | None:
    """Return the code whose call has the channel `token`."""
    query = select(CitizenCode).where(CitizenCode.token == token)
    return session.scalar(query.execution_options(populate_existing=True))


def on_the_phone(session: Session) -> dict[str, datetime]:
    """Return the tokens of the calls in progress, with the time when each was placed."""
    query = select(CitizenCode.token, CitizenCode.placed_at).where(CitizenCode.token.is_not(None))
    return {token: at for token, at in session.execute(query) if token and at}


def hear(session: Session, token: str, settings: Settings) -> str | None:
    """Return the code's digits for the person who pressed 1, or None if the code has ended."""
    this = select(CitizenCode).where(CitizenCode.token == token, codes.is_open(now(session)))
    code = session.scalar(this)
    return codes.digits(code, settings) if code else None


def decline(session: Session, token: str) -> None:
    """End the code because the person at the number did not ask for it. No code call goes there for a day."""
    at = now(session)
    this = update(CitizenCode).where(CitizenCode.token == token)
    said = this.values(declined_at=at, ended_at=func.coalesce(CitizenCode.ended_at, at))
    session.execute(said.execution_options(synchronize_session=False))


def ended(session: Session, token: str) -> None:
    """Record that the call has ended or was never placed; it is not retried."""
    this = update(CitizenCode).where(CitizenCode.token == token).values(token=None)
    session.execute(this.execution_options(synchronize_session=False))
