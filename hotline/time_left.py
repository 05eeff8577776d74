"""The agreed minutes of a conversation: shortly before they are over the official hears a soft tone, once."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from db.engine import now
from db.models import Callback, Desk, Round
from db.states import CallbackState

BEFORE_END = timedelta(seconds=30)


def nearly_over(session: Session) -> Sequence[Callback]:
    """Conversations whose agreed minutes are nearly over, and whose official has not heard so."""
    at = now(session)
    rows = session.execute(
        select(Callback, Round.minutes)
        .join(Round, Round.id == Callback.round_id)
        .join(Desk, Desk.id == Callback.desk_id)
        .where(
            Callback.state == CallbackState.TALKING,
            Callback.talking_at.is_not(None),
            Callback.toned_at.is_(None),
            Desk.phone_connected,
        )
    ).all()
    return [
        callback
        for callback, minutes in rows
        if callback.talking_at and at - callback.talking_at >= timedelta(minutes=minutes) - BEFORE_END
    ]


def take_up(session: Session, token: str) -> str | None:
    """Note that the official is about to hear the tone; their phone's channel, None if they have heard it."""
    desk_id = session.scalar(
        update(Callback)
        .where(Callback.token == token, Callback.state == CallbackState.TALKING, Callback.toned_at.is_(None))
        .values(toned_at=now(session))
        .returning(Callback.desk_id)
        .execution_options(synchronize_session=False)
    )
    return session.scalar(select(Desk.channel).where(Desk.id == desk_id)) if desk_id else None
