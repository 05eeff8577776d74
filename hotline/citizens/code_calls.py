"""Calls that speak a sign-in code to the number that signs in, after its owner has pressed 1.

There is one call for each code.
"""

from sqlalchemy import exists, func, select, update
from sqlalchemy.orm import Session, aliased

from db.engine import now
from db.models import CitizenCode, OutboundCall, OutboundKind
from hotline.citizens import codes
from hotline.outbound import queue
from settings import Settings

_refused = aliased(OutboundCall)
_is_known = (
    select(CitizenCode.known)
    .where(CitizenCode.id == OutboundCall.code_id)
    .correlate(OutboundCall)
    .scalar_subquery()
)

CALLS = queue.Eligibility(
    OutboundKind.SIGN_IN_CODE,
    queue.IS_FREE,
    exists().where(
        CitizenCode.id == OutboundCall.code_id,
        CitizenCode.ended_at.is_(None),
        CitizenCode.placed_at.is_(None),  # by a dialer of 0.3.0
        CitizenCode.expires_at > queue.AT,
    ),
    ~exists().where(
        _refused.number == OutboundCall.number,
        _refused.kind == OutboundCall.kind,
        _refused.answer == queue.REFUSED,
    ),
    order=(_is_known.desc(),),
)


def hear(session: Session, token: str, settings: Settings) -> str | None:
    """Return the code's digits for the person who pressed 1, or None if the code has ended."""
    called = select(OutboundCall.code_id).where(OutboundCall.token == token).scalar_subquery()
    code = session.scalar(select(CitizenCode).where(CitizenCode.id == called, codes.is_open(now(session))))
    return codes.read_digits(code, settings) if code else None


def decline_calls(session: Session, token: str) -> None:
    """End the code because the person at the number did not ask for it. No code call goes there for a day."""
    call = queue.find_by_token(session, token)
    if call is None:
        return
    queue.answer(session, token, queue.REFUSED)
    this = update(CitizenCode).where(CitizenCode.id == call.code_id)
    ended = this.values(ended_at=func.coalesce(CitizenCode.ended_at, now(session)))
    session.execute(ended.execution_options(synchronize_session=False))
