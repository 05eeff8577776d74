"""Heartbeats of the processes and the phones' presence: what the status page and the desks ask."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import Row, bindparam, delete, select, update
from sqlalchemy.orm import Session

from db import events
from db.engine import core, now
from db.models import Desk, Heartbeat

FRESH = timedelta(seconds=6)
BEAT_SECONDS = 2.0
CLERK, API = "clerk", "api"
_JOB = f"{CLERK}/"

_LAST = select(Heartbeat.at, Heartbeat.fresh_s).where(Heartbeat.process == bindparam("process"))
_JOBS = select(Heartbeat).where(Heartbeat.process.startswith(_JOB)).order_by(Heartbeat.at)


def beat(session: Session, process: str) -> None:
    """Say that `process` works. Say it every BEAT_SECONDS."""
    session.merge(Heartbeat(process=process, at=now(session), fresh_s=int(FRESH.total_seconds())))


def alive(session: Session, process: str) -> bool:
    """Whether `process` said lately that it works."""
    heartbeat = session.get(Heartbeat, process)
    return heartbeat is not None and _fresh(heartbeat, now(session))


def silent_since(session: Session, process: str) -> datetime | None:
    """When a `process` last said that it works that has fallen silent; None: it has not, or never spoke."""
    heartbeat = core(session).execute(_LAST, {"process": process}).first()
    return heartbeat.at if heartbeat and not _fresh(heartbeat, now(session)) else None


def _fresh(heartbeat: Heartbeat | Row[datetime, int], at: datetime) -> bool:
    # One of the future was said before the clock was set back.
    return abs((at - heartbeat.at).total_seconds()) < heartbeat.fresh_s


def jobs_done(session: Session, ago_s: Mapping[str, float], fresh_s: Mapping[str, float]) -> None:
    """The clerk's jobs came to their ends so long ago; within `fresh_s` each should do so again.

    Those of another version, which nobody does any more, are forgotten.
    """
    at, known = now(session), session.scalars(_JOBS).all()  # each `merge` finds its own among them
    for job, seconds in ago_s.items():
        done_at = at - timedelta(seconds=seconds)
        session.merge(Heartbeat(process=f"{_JOB}{job}", at=done_at, fresh_s=int(fresh_s[job])))
    gone = {row.process for row in known} - {f"{_JOB}{job}" for job in fresh_s}
    if gone:
        session.execute(delete(Heartbeat).where(Heartbeat.process.in_(gone)))


def stuck_job(session: Session) -> tuple[str, timedelta] | None:
    """The clerk's job that has been late for longest, and the time since it was last done."""
    at = now(session)
    rows = session.scalars(_JOBS)
    return next(((row.process.removeprefix(_JOB), at - row.at) for row in rows if not _fresh(row, at)), None)


def phone_connected(session: Session, desk_id: int, channel: str | None) -> str | None:
    """Record that the desk's phone is in its room by this channel of Asterisk's; None: that it is not.

    Returns the channel that it was there by before.
    """
    connected = channel is not None
    before = session.scalar(select(Desk.channel).where(Desk.id == desk_id))
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
    return before
