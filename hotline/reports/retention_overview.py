"""Retention overview: how much of each kind of data is stored, for how many days, and since when.

Tables that only grow at one end are measured by their ids: counting a million rows would take seconds.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import func, or_, select, text
from sqlalchemy.orm import Session

from db.models import (
    AuditEntry,
    Event,
    LedgerEntry,
    OutboundCall,
    OutboundKind,
    OutboxMessage,
    Picture,
    PlacedCall,
    Recording,
    Registration,
    Request,
)
from hotline.outbound import overflow
from hotline.recordings import disk
from hotline.requests import spoken_replies
from hotline.trunk import call_caps
from hotline.uploads import pending_uploads
from settings import Settings


class Kind(StrEnum):
    """A kind of stored data."""

    RECORDINGS = "recordings"
    VOICE_MESSAGES = "voice_messages"
    PICTURES = "pictures"
    UPLOADS = "uploads"
    REPLIES = "replies"
    REQUESTS = "requests"
    REGISTRATIONS = "registrations"
    MESSAGES = "messages"
    CALLS = "calls"
    LEFT_NUMBERS = "left_numbers"
    EVENTS = "events"
    AUDIT = "audit"
    LEDGER = "ledger"
    DATABASE = "database"
    BACKUPS = "backups"


class RetentionRow(NamedTuple):
    """The retention of one kind of data: `days` (None: no limit), its count, and its size in bytes.

    A size of None means that the data are rows of the database.
    """

    kind: Kind
    setting: str
    days: int | None
    number: int | None
    size: int | None = None
    oldest: datetime | None = None


def list_retentions(session: Session, settings: Settings) -> list[RetentionRow]:
    """Return the retention of everything that is deleted by age, and of what is never deleted."""
    return [*_files(session, settings), *_rows(session, settings), _database(session), *_backups(settings)]


def _files(session: Session, settings: Settings) -> Iterator[RetentionRow]:
    there = Recording.deleted_at.is_(None)
    count, oldest = session.execute(select(func.count(), func.min(Recording.made_at)).where(there)).one()
    recordings = _measured(settings.recordings_dir)
    yield RetentionRow(
        Kind.RECORDINGS, "recordings_days", settings.recordings_days, count, recordings.size, oldest
    )
    messages = _measured(settings.messages_dir)
    yield RetentionRow(Kind.VOICE_MESSAGES, "voice_messages_days", settings.voice_messages_days, *messages)
    pictures = select(func.count(), func.coalesce(func.sum(Picture.size), 0), func.min(Picture.made_at))
    of_pictures = session.execute(pictures.where(Picture.deleted_at.is_(None))).one()
    yield RetentionRow(Kind.PICTURES, "pictures_days", settings.pictures_days, *of_pictures)
    yield RetentionRow(Kind.UPLOADS, "", pending_uploads.LASTS.days, *_measured(settings.uploads_dir))
    yield RetentionRow(Kind.REPLIES, "", spoken_replies.KEPT.days, *_measured(settings.replies_dir))


def _rows(session: Session, settings: Settings) -> Iterator[RetentionRow]:
    of_a_person = or_(Request.number.is_not(None), Request.written != "", Request.voice_message.is_not(None))
    requests = select(func.count(), func.min(Request.made_at)).where(of_a_person)
    count, oldest = session.execute(requests).one()
    yield RetentionRow(Kind.REQUESTS, "requests_days", settings.requests_days, count, None, oldest)
    yield RetentionRow(
        Kind.REGISTRATIONS, "", None, *_grown(session, Registration.id, Registration.registered_at)
    )
    yield RetentionRow(
        Kind.MESSAGES,
        "messages_days",
        settings.messages_days,
        *_grown(session, OutboxMessage.id, OutboxMessage.made_at),
    )
    calls = session.execute(select(func.count(), func.min(PlacedCall.at))).one()
    yield RetentionRow(Kind.CALLS, "", call_caps.KEPT.days, calls[0], None, calls[1])
    named = select(func.count(), func.min(OutboundCall.asked_at)).where(
        OutboundCall.kind == OutboundKind.OVERFLOW, OutboundCall.number.is_not(None)
    )
    left = session.execute(named).one()
    yield RetentionRow(Kind.LEFT_NUMBERS, "", overflow.KEPT.days, left[0], None, left[1])
    yield RetentionRow(Kind.EVENTS, "events_days", settings.events_days, *_grown(session, Event.id, Event.at))
    yield RetentionRow(Kind.AUDIT, "", None, *_grown(session, AuditEntry.id, AuditEntry.at))
    yield RetentionRow(Kind.LEDGER, "", None, *_grown(session, LedgerEntry.id, LedgerEntry.at))


def _grown(session: Session, id_: Any, at: Any) -> tuple[int, None, datetime | None]:
    first = session.execute(select(id_, at).order_by(id_).limit(1)).first()
    last = session.scalar(select(id_).order_by(id_.desc()).limit(1))
    return (last - first[0] + 1, None, first[1]) if first and last else (0, None, None)


def _database(session: Session) -> RetentionRow:
    if session.get_bind().dialect.name == "postgresql":
        size = session.scalar(text("SELECT pg_database_size(current_database())"))
    else:
        size = session.scalar(
            text("SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()")
        )
    return RetentionRow(Kind.DATABASE, "", None, None, size)


def _backups(settings: Settings) -> Iterator[RetentionRow]:
    """Yield the backups in the folder, if this process may read it; in containers only the scheduler may."""
    if settings.backup_dir is None:
        return
    there = settings.backup_dir.is_dir()
    measured = _measured(settings.backup_dir, "hotline137-") if there else (None, None, None)
    yield RetentionRow(Kind.BACKUPS, "backup_keep", settings.backup_keep or None, *measured)


class _Measured(NamedTuple):
    number: int
    size: int
    oldest: datetime | None


def _measured(folder: Path, begin: str = "") -> _Measured:
    found = [status for path, status in disk.list_files(folder) if path.name.startswith(begin)]
    oldest = min((status.st_mtime for status in found), default=None)
    size = sum(status.st_size for status in found)
    return _Measured(len(found), size, datetime.fromtimestamp(oldest, UTC) if oldest else None)
