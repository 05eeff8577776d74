"""Retention of citizens' voice messages: finds the files to delete."""

from collections.abc import Collection
from datetime import timedelta
from math import ceil
from pathlib import Path

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from db.engine import now
from db.models import Registration, Request
from db.states import HOLDS_PLACE, OPEN_REQUESTS
from db.trusted_time import trusted_now
from hotline.recordings.disk import list_files

_BYTES_PER_SECOND = 16_000
"""Asterisk's WAV: 8000 samples of 16 bits a second."""


def measure_seconds(wav: Path) -> int:
    """Return the length of a message in seconds, rounded up."""
    return max(1, ceil((wav.stat().st_size - 44) / _BYTES_PER_SECOND))


def list_expired(session: Session, folder: Path, days: int) -> list[Path]:
    """Return files older than `days` days that no place in a line and no open request needs.

    These include files without a row, from a call that broke off or an interrupted deletion.
    """
    before = (trusted_now(session) - timedelta(days=days)).timestamp()
    old = [path for path, status in list_files(folder) if status.st_mtime < before]
    needed = _needed(session) if old else set()
    return [path for path in old if path.name not in needed]


def _needed(session: Session) -> set[str | None]:
    of_places = select(Registration.voice_message).where(Registration.state.in_(HOLDS_PLACE))
    of_requests = select(Request.voice_message).where(Request.state.in_(OPEN_REQUESTS))
    return {*session.scalars(of_places), *session.scalars(of_requests)}


def forget(session: Session, names: Collection[str]) -> None:
    """Clear the rows' links to these files; a request records when.

    The caller deletes the files afterwards.
    """
    session.execute(
        update(Registration).where(Registration.voice_message.in_(names)).values(voice_message=None)
    )
    session.execute(
        update(Request)
        .where(Request.voice_message.in_(names))
        .values(voice_message=None, voice_deleted_at=now(session))
    )
