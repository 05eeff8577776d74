"""Citizens who wait with music for one desk whose phone does not come to their node.

After HOTLINE_HOLD_SECONDS the dialer apologises and hangs up. The citizen pays nothing, and is first again.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import and_, bindparam, exists, or_, select
from sqlalchemy.orm import Session

from db import events
from db.engine import now
from db.models import Callback, Desk, UtcDateTime, make_literal
from db.states import CallbackState
from hotline.callbacks import transitions
from settings import Settings

_UNREACHED = and_(
    Callback.state == make_literal(CallbackState.WAITING),
    Callback.hangup_asked_at.is_(None),
    Callback.confirmed_at <= bindparam("since", type_=UtcDateTime),
    exists().where(Desk.id == Callback.desk_id, or_(~Desk.phone_connected, Desk.node != Callback.node)),
)
_ALL_UNREACHED = select(Callback.token).where(_UNREACHED).order_by(Callback.id)


def _asked(session: Session, settings: Settings, at: datetime | None) -> dict[str, object]:
    return {"since": (at or now(session)) - timedelta(seconds=settings.hold_seconds)}


def list_waiting_too_long(session: Session, settings: Settings, at: datetime | None = None) -> Sequence[str]:
    """Return the tokens of citizens who have waited too long for their desk at the moment `at`."""
    return session.execute(_ALL_UNREACHED, _asked(session, settings, at)).scalars().all()


def request_end(session: Session, token: str, settings: Settings, at: datetime | None = None) -> bool:
    """Request the end of this call, unless the desk has just come. Return whether it did.

    The dialer plays an apology and hangs up.
    """
    callback = transitions.find_by_token(session, token)
    if callback is None:
        return False
    session.refresh(callback, with_for_update={"key_share": True})
    still = select(Callback.id).where(Callback.token == token, _UNREACHED)
    if session.scalar(still, _asked(session, settings, at)) is None:
        return False
    callback.hangup_asked_at = callback.again_at = now(session)  # `again_at` tells the dialer to apologise
    session.flush()
    events.append_callback(session, callback)
    return True
