"""Agreed minutes of a conversation: the official hears one soft tone shortly before they are over."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from db.engine import now
from db.models import Callback, Desk, Round, make_literal
from db.states import CallbackState
from hotline.nodes import round_affinity

BEFORE_END = timedelta(seconds=30)

_NOT_TONED = (
    select(Callback, Round.minutes)
    .join(Round, Round.id == Callback.round_id)
    .join(Desk, Desk.id == Callback.desk_id)
    .where(
        Callback.state == make_literal(CallbackState.TALKING),
        Callback.talking_at.is_not(None),
        Callback.toned_at.is_(None),
        Desk.phone_connected,
        round_affinity.where_mine(Callback.node),
    )
)


def list_nearly_over(session: Session, at: datetime, node: str | None = None) -> Sequence[Callback]:
    """Return conversations, of this `node` or of any, that need the tone at this moment."""
    rows = session.execute(_NOT_TONED, {"node": node}).all()
    return [
        callback
        for callback, minutes in rows
        if measure_spoken(callback, at) >= timedelta(minutes=minutes) - BEFORE_END
    ]


def measure_spoken(callback: Callback, at: datetime) -> timedelta:
    """Return how long the two have spoken at `at`, without the time in which our side was gone."""
    if callback.talking_at is None:
        return timedelta(0)
    until = callback.held_at or at
    return until - callback.talking_at - timedelta(seconds=callback.held_s)


def take_up(session: Session, token: str) -> str | None:
    """Commit that the tone is about to play. Return the phone's channel; None if it has played before."""
    desk_id = session.scalar(
        update(Callback)
        .where(Callback.token == token, Callback.state == CallbackState.TALKING, Callback.toned_at.is_(None))
        .values(toned_at=now(session))
        .returning(Callback.desk_id)
        .execution_options(synchronize_session=False)
    )
    return session.scalar(select(Desk.channel).where(Desk.id == desk_id)) if desk_id else None
