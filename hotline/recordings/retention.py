"""What is kept of recordings, for how long, on which disk; and deleting one before its time."""

import shutil
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from db.models import Callback, Recording, Registration
from hotline import audit
from hotline.recordings import recordings

_LEAST_SHARE, _LEAST_BYTES = 0.05, 1 << 30


class Disk(NamedTuple):
    """The disk of the state folder, in bytes."""

    total: int
    free: int

    @property
    def nearly_full(self) -> bool:
        """Less than a gigabyte is free, or less than a twentieth: recordings and the database soon stop."""
        return self.free < _LEAST_BYTES or self.free < self.total * _LEAST_SHARE


class Kept(NamedTuple):
    """How many recordings are kept, with how many bytes, since when, and when the next one goes."""

    recordings: int
    size: int
    oldest: datetime | None
    next_deletion: datetime | None


def disk(folder: Path) -> Disk:
    """The disk on which the folder is, or will be. Raises OSError."""
    there = next(path for path in (folder, *folder.parents) if path.exists())
    usage = shutil.disk_usage(there)
    return Disk(usage.total, usage.free)


def kept(session: Session, folder: Path, days: int) -> Kept:
    """The recordings that are still there, in `folder`, each for so many days."""
    count, oldest = session.execute(
        select(func.count(), func.min(Recording.made_at)).where(Recording.deleted_at.is_(None))
    ).one()
    size = sum(file.stat().st_size for file in folder.glob(f"*{recordings.SUFFIX}")) if folder.is_dir() else 0
    return Kept(count, size, oldest, oldest + timedelta(days=days) if oldest else None)


def search(
    session: Session,
    *,
    round_id: int | None = None,
    ticket: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
    before: int | None = None,
    limit: int = 100,
) -> Sequence[Recording]:
    """Recordings of all rounds, the last conversation first: what matches, before callback `before`."""
    query = (
        select(Recording).join(Callback, Callback.id == Recording.callback_id).order_by(Callback.id.desc())
    )
    if round_id is not None:
        query = query.where(Callback.round_id == round_id)
    if ticket:
        query = query.join(Registration, Registration.id == Callback.registration_id)
        query = query.where(Registration.ticket == ticket)
    if since is not None:
        query = query.where(Recording.made_at >= since)
    if until is not None:
        query = query.where(Recording.made_at < until)
    if before is not None:
        query = query.where(Callback.id < before)
    return session.scalars(query.limit(limit)).all()


def delete_early(session: Session, callback_id: int, folder: Path, *, who: str, reason: str) -> Recording:
    """Take a recording's file away for good before its time.

    Raises Refused("not-found" | "reason-missing").
    """
    reason = audit.check_reason(reason)
    recording = recordings.to_hear(session, callback_id)
    audit.record(session, who, "recording-deleted", f"callback {callback_id}", reason)
    recordings.delete(session, recording, folder)
    return recording
