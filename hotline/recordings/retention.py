"""Retention of recordings: an overview, and the deletion of one before its time."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from db.models import Recording
from hotline import audit
from hotline.errors import Refused
from hotline.recordings import archive


class RecordingTotals(NamedTuple):
    """The number of stored recordings, their bytes, the oldest one, and when it will be deleted."""

    recordings: int
    size: int
    oldest: datetime | None
    next_deletion: datetime | None


def find_overview(session: Session, folder: Path, days: int) -> RecordingTotals:
    """Return the overview of the recordings in `folder`, each kept for `days` days."""
    count, oldest = session.execute(
        select(func.count(), func.min(Recording.made_at)).where(Recording.deleted_at.is_(None))
    ).one()
    size = sum(file.stat().st_size for file in folder.glob(f"*{archive.SUFFIX}")) if folder.is_dir() else 0
    return RecordingTotals(count, size, oldest, oldest + timedelta(days=days) if oldest else None)


def delete_early(session: Session, callback_id: int, folder: Path, *, who: str, reason: str) -> Recording:
    """Delete a recording's file before its time.

    Raises Refused("not-found" | "reason-missing"), and Refused("recording-changed") if the file's disk is
    away.
    """
    reason = audit.check_reason(reason)
    recording = archive.get_by_callback(session, callback_id)
    audit.record(session, who, "recording-deleted", f"callback {callback_id}", reason)
    try:
        archive.delete(session, recording, folder)
    except OSError as error:
        raise Refused("recording-changed", f"the file cannot be deleted: {error.strerror}") from None
    return recording
