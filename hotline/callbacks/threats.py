"""Threats in a conversation: the desk marks it, its recording is kept, and supervisors are told at once."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from db import events
from db.engine import now
from db.models import Callback
from hotline import audit

_NEWS = timedelta(minutes=30)
"""How long a threat is shown in the supervisors' room."""


def mark(session: Session, callback: Callback, *, who: str) -> Callback:
    """Mark the conversation; a repeated mark changes nothing.

    The caller checks rights (notes.check_writes).
    """
    session.refresh(callback, ["threat_at"], with_for_update={"key_share": True})
    if callback.threat_at is None:
        callback.threat_at = now(session)
        audit.record(session, who, "threat-marked", f"callback {callback.id}")
        events.append_callback(session, callback)
    return callback


def list_open(session: Session) -> Sequence[Callback]:
    """Return the marked conversations that supervisors must see to, the earliest first."""
    news = select(Callback).where(Callback.threat_at >= now(session) - _NEWS)
    return session.scalars(news.order_by(Callback.threat_at)).all()
