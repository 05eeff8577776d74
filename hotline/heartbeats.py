"""Heartbeats of processes, and presence of desks' phones, for the status page and the desks."""

import zlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from time import monotonic
from typing import Any

from sqlalchemy import (
    Connection,
    Engine,
    Row,
    bindparam,
    delete,
    exists,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from db import events
from db.engine import Answers, ago, now
from db.models import Desk, Heartbeat, Node

FRESH = timedelta(seconds=6)
BEAT_SECONDS = 2.0
SCHEDULER, API = "scheduler", "api"
_ROWS = {SCHEDULER: "clerk"}
"""Processes whose row has another name. Version 0.3.0 calls the scheduler so, and beats beside this version
during an upgrade. The next version renames the rows.
"""
_GAP_S = 3.0
"""After this many seconds without an answer the database was away, and nobody could write a heartbeat."""
_LONG_GAP_S = 600.0
"""After this many seconds without a question, the gap proves nothing about the database."""
JOB = f"{_ROWS[SCHEDULER]}/"
"""Begins the row of each of the scheduler's jobs."""
_HUNG_S = 4
"""How long a process counts as hung after each `record_hang`."""

_LAST = select(Heartbeat.at, Heartbeat.fresh_s).where(Heartbeat.process == bindparam("process"))
_HUNG = select(
    exists().where(
        Heartbeat.process == bindparam("process"),
        Heartbeat.at.between(ago(timedelta(seconds=_HUNG_S)), ago(timedelta())),
    )
)
_KNOWN = select(Heartbeat.process).where(Heartbeat.process.startswith(JOB))
_JOBS = select(Heartbeat).where(Heartbeat.process.startswith(JOB)).order_by(Heartbeat.at)


def _upsert(said: sqlite.Insert | postgresql.Insert) -> Any:
    new = {"at": said.excluded.at, "fresh_s": said.excluded.fresh_s}
    return said.on_conflict_do_update(index_elements=[Heartbeat.process], set_=new)


# Every process runs this each two seconds: it is built once.
_SAID = {"sqlite": _upsert(sqlite.insert(Heartbeat)), "postgresql": _upsert(postgresql.insert(Heartbeat))}


def find_row(process: str) -> str:
    """Return the name of the row that holds the heartbeat of `process`."""
    return _ROWS.get(process, process)


def beat(session: Session, *processes: str) -> None:
    """Record that each of `processes` works. Call it every BEAT_SECONDS."""
    at, fresh_s = now(session), int(FRESH.total_seconds())
    _say(session, [{"process": find_row(process), "at": at, "fresh_s": fresh_s} for process in processes])


def record_hang(session: Session, process: str, node: str) -> None:
    """Mark a process of this node as hung, and its heartbeat as old.

    While another node lives, the heartbeat stays: that node's process has the same one.
    """
    at = now(session)
    mark_hung(session, process, node)
    others = exists().where(Node.name != node, Node.lost_at.is_(None), Node.lease_until > at)
    said_lately = Heartbeat.process == process, Heartbeat.at > at - FRESH
    session.execute(update(Heartbeat).where(*said_lately, ~others).values(at=at - FRESH))


def mark_hung(session: Session, process: str, node: str) -> None:
    """Mark a process of this node as hung for _HUNG_S."""
    _say(session, [{"process": _of(process, node), "at": now(session), "fresh_s": _HUNG_S}])


def is_hung(session: Session, process: str, node: str) -> bool:
    """Return whether this node lately marked its process as hung."""
    return bool(session.scalar(_HUNG, {"process": _of(process, node)}))


def _of(process: str, node: str) -> str:
    return f"{process}/{zlib.crc32(node.encode()):08x}"  # a node's name may be too long for the column


def _say(session: Session, rows: Sequence[Mapping[str, object]]) -> None:
    session.execute(_SAID[session.get_bind().dialect.name], rows)


def record_answer(engine: Engine) -> None:
    """Record that the database has answered. A process that calls this every second can excuse a gap."""
    found, at = _answers(engine), monotonic()
    if found.last is not None and at - found.last > _GAP_S:
        found.gap = found.last, at
    found.last = at


def is_silent(engine: Engine) -> bool:
    """Return whether the database has not answered for so long that it is away."""
    last = _answers(engine).last
    return last is not None and monotonic() - last > _GAP_S


def is_excused(session: Session, age: timedelta, fresh: timedelta) -> bool:
    """Return whether a late heartbeat is excused by a gap of the database.

    It was `fresh` when the database stopped answering, and its writer has had no time to repeat it since.
    """
    found, at = _answers(session.get_bind()), monotonic()
    if found.last is None:
        return False
    began, ended = found.gap
    if _GAP_S < at - found.last < _LONG_GAP_S:  # the database answers again at this moment
        began, ended = found.last, at
    before = age.total_seconds() - (at - began)
    return at - ended < FRESH.total_seconds() and before < fresh.total_seconds()


def _answers(bind: Engine | Connection) -> Answers:
    found: Answers | None = bind.get_execution_options().get("answers")
    return found or Answers()  # nobody watches this engine


def is_alive(session: Session, process: str) -> bool:
    """Return whether `process` has a fresh heartbeat."""
    heartbeat = session.get(Heartbeat, find_row(process))
    return heartbeat is not None and _fresh(session, heartbeat, now(session))


def list_alive(session: Session) -> list[str]:
    """Return the names of all processes with a fresh heartbeat."""
    at, names = now(session), {row: process for process, row in _ROWS.items()}
    rows = session.scalars(select(Heartbeat).where(~Heartbeat.process.startswith(JOB)))
    return sorted(names.get(row.process, row.process) for row in rows if _fresh(session, row, at))


def find_silent_since(session: Session, process: str) -> datetime | None:
    """Return the last heartbeat of a process that has stopped beating, else None."""
    heartbeat = session.execute(_LAST, {"process": find_row(process)}).first()
    return heartbeat.at if heartbeat and not _fresh(session, heartbeat, now(session)) else None


def _fresh(session: Session, heartbeat: Heartbeat | Row[datetime, int], at: datetime) -> bool:
    # A heartbeat in the future was written before the clock was set back.
    age, fresh = at - heartbeat.at, timedelta(seconds=heartbeat.fresh_s)
    return abs(age) < fresh or (age > fresh and is_excused(session, age, fresh))


def record_jobs(session: Session, ago_s: Mapping[str, float], fresh_s: Mapping[str, float]) -> None:
    """Record how many seconds ago the scheduler's jobs ended; within `fresh_s` each must end again.

    Jobs of another version, which nobody runs any more, are deleted.
    """
    at = now(session)
    done = [
        {"process": f"{JOB}{job}", "at": at - timedelta(seconds=seconds), "fresh_s": int(fresh_s[job])}
        for job, seconds in ago_s.items()
    ]
    if done:
        _say(session, done)
    known = session.execute(_KNOWN).scalars()
    gone = set(known) - {f"{JOB}{job}" for job in fresh_s}
    if gone:
        session.execute(delete(Heartbeat).where(Heartbeat.process.in_(gone)))


def find_stuck_job(session: Session) -> tuple[str, timedelta] | None:
    """Return the scheduler's job that has been late longest, and the time since its last end."""
    at = now(session)
    rows = session.scalars(_JOBS)
    late = (row for row in rows if not _fresh(session, row, at))
    return next(((row.process.removeprefix(JOB), at - row.at) for row in late), None)


def is_elsewhere(session: Session, desk_id: int, node: str) -> bool:
    """Return whether the desk's phone is now at the Asterisk of another node.

    The desk is locked until the transaction ends, because that node may be recording the phone just now.
    """
    where = session.scalar(select(Desk.node).where(Desk.id == desk_id).with_for_update(key_share=True))
    return where is not None and where != node


def record_phone(session: Session, desk_id: int, channel: str | None, node: str | None = None) -> str | None:
    """Record the channel by which the desk's phone is in its room, or None; return the channel before.

    `node`: the node whose Asterisk reports it.
    """
    connected = channel is not None
    before = session.scalar(select(Desk.channel).where(Desk.id == desk_id))
    there = {"channel": channel} | ({"node": node} if connected else {})
    session.execute(update(Desk).where(Desk.id == desk_id).values(**there))
    changed = session.scalar(
        update(Desk)
        .where(Desk.id == desk_id, Desk.phone_connected.is_not(connected))
        .values(phone_connected=connected)
        .returning(Desk.id)
        .execution_options(synchronize_session=False)
    )
    if changed is not None:
        events.append_desk(session, desk_id, "connected" if connected else "disconnected")
    return before
