"""Uploads until a report takes them: the row has the owner, the file has the progress."""

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Select, bindparam, or_, select
from sqlalchemy.orm import Session

from db.engine import hold_lock, now
from db.models import Upload, UploadKind
from db.trusted_time import trusted_now
from hotline.errors import Refused
from hotline.pictures import decoding
from hotline.recordings import disk, voice_notes
from hotline.uploads import pieces

LARGEST = {UploadKind.PICTURE: decoding.LARGEST, UploadKind.VOICE: voice_notes.LARGEST}
LOOK = {UploadKind.PICTURE: decoding.check_head, UploadKind.VOICE: voice_notes.detect_container}
"""Checks of a file's first bytes, by kind."""
AT_ONCE = 8
"""Maximum number of a number's unfinished uploads and unclaimed voices. One more deletes the oldest."""
LASTS = timedelta(days=1)
UPLOADS, MESSAGES = "uploads", "messages"
_TOO_MANY = (
    select(Upload)
    .where(Upload.number == bindparam("number"), or_(Upload.kept.is_(None), Upload.kind == UploadKind.VOICE))
    .order_by(Upload.made_at.desc(), Upload.id)
    .offset(AT_ONCE - 1)
    .with_for_update()
)
_OWN = select(Upload).where(
    Upload.id == bindparam("id"),
    Upload.number == bindparam("number"),
    Upload.made_at > bindparam("since"),
)
Files = Sequence[tuple[str, str]]
"""Files to delete after the commit: the folder (UPLOADS, MESSAGES) and the file's name."""


def begin_upload(session: Session, number: str, kind: UploadKind, size: int) -> tuple[Upload, Files]:
    """Begin an upload of `size` bytes from this E.164 number; return it, and the files that make room for it.

    Raises Refused("picture-empty" | "picture-large" | "voice-empty" | "voice-large").
    """
    if size == 0:
        LOOK[kind](b"")
    if size > LARGEST[kind]:
        raise Refused(f"{kind}-large", f"a {kind} has at most {LARGEST[kind]} bytes")
    hold_lock(session, f"uploads-{number}")
    gone = _drop(session, session.scalars(_TOO_MANY, {"number": number}).all())
    row = Upload(id=secrets.token_hex(16), number=number, kind=kind, size=size, made_at=now(session))
    session.add(row)
    session.flush()
    return row, gone


def get(session: Session, number: str, id_: str) -> Upload:
    """Return the number's own upload. Raises Refused("upload-unknown"), also after a day."""
    return _of(session, number, id_, lock=False)


def get_for_update(session: Session, number: str, id_: str) -> Upload:
    """Lock and return the number's own upload. Raises Refused("upload-unknown")."""
    return _of(session, number, id_, lock=True)


def _of(session: Session, number: str, id_: str, *, lock: bool) -> Upload:
    own = {"id": id_, "number": number, "since": now(session) - LASTS}
    found = session.scalar(_OWN.with_for_update() if lock else _OWN, own)
    if found is None:
        raise pieces.refuse_unknown()
    return found


def find_expiry(upload: Upload) -> datetime:
    """Return when the upload expires."""
    return upload.made_at + LASTS


def end(session: Session, number: str, id_: str) -> Files:
    """Delete an upload at its citizen's request. Raises Refused("upload-unknown")."""
    return _drop(session, [get_for_update(session, number, id_)])


def take_voice(session: Session, number: str, id_: str) -> str:
    """Return the file of a finished voice and delete the upload: the file belongs to the report now.

    Call it before anything is logged. Raises Refused("voice-unknown") if the voice is another's, unfinished,
    gone or used.
    """
    try:
        found = get_for_update(session, number, id_)
    except Refused:
        raise _no_voice() from None
    if found.kind is not UploadKind.VOICE or found.kept is None:
        raise _no_voice()
    session.delete(found)
    session.flush()
    return found.kept


def _no_voice() -> Refused:
    return Refused("voice-unknown", "no such voice waits; send it once more", "voice")


def list_by_number(session: Session, number: str) -> Sequence[Upload]:
    """Return all uploads of a number."""
    return session.scalars(_mine(number)).all()


def drop_of_number(session: Session, number: str) -> Files:
    """Delete all uploads of a number; return their files."""
    return _drop(session, session.scalars(_mine(number).with_for_update()).all())


def _mine(number: str) -> Select[Upload]:
    return select(Upload).where(Upload.number == number).order_by(Upload.made_at, Upload.id)


def drop_old(session: Session, limit: int) -> Files:
    """Delete at most `limit` uploads older than a day; return their files."""
    old = (
        select(Upload)
        .where(Upload.made_at < trusted_now(session) - LASTS)
        .order_by(Upload.made_at)
        .limit(limit)
    )
    return _drop(session, session.scalars(old.with_for_update(skip_locked=True)).all())


def _drop(session: Session, rows: Sequence[Upload]) -> Files:
    files: list[tuple[str, str]] = []
    for row in rows:
        files.append((UPLOADS, row.id))
        if row.kind is UploadKind.VOICE and row.kept is not None:
            files.append((MESSAGES, row.kept))
        session.delete(row)
    session.flush()
    return files


def list_orphans(session: Session, folder: Path) -> list[Path]:
    """Return files without a row that are older than a day."""
    before = (trusted_now(session) - LASTS).timestamp()
    old = [path for path, status in disk.list_files(folder) if status.st_mtime < before]
    there = set(session.scalars(select(Upload.id))) if old else set()
    return [path for path in old if path.name not in there]
