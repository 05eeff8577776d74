"""Heartbeats of the processes and the phones' presence: what the status page and the desks ask."""

from datetime import timedelta

from sqlalchemy import update
from sqlalchemy.orm import Session

from db import events
from db.engine import now
from db.models import Desk, Heartbeat

FRESH = timedelta(seconds=6)
BEAT_SECONDS = 2.0


def beat(session: Session, process: str) -> None:
    """Say that `process` works. Say it every BEAT_SECONDS."""
    session.merge(Heartbeat(process=process, at=now(session)))


def alive(session: Session, process: str) -> bool:
    """Whether `process` said within the last FRESH that it works."""
    heartbeat = session.get(Heartbeat, process)
    return heartbeat is not None and now(session) - heartbeat.at < FRESH


def phone_connected(session: Session, desk_id: int, channel: str | None) -> None:
    """Record that the desk's phone is in its room by this channel of Asterisk's; None: that it is not."""
    connected = channel is not None
    session.execute(update(Desk).where(Desk.id == desk_id).values(channel=channel))
    changed = session.scalar(
        update(Desk)
        .where(Desk.id == desk_id, Desk.phone_connected.is_not(connected))
        .values(phone_connected=connected)
        .returning(Desk.id)
        .execution_options(synchronize_session=False)
    )
    if changed is not None:
        events.desk_changed(session, desk_id, "connected" if connected else "disconnected")
