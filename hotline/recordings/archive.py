"""Recorded conversations: registered when finished, played to certain roles only, deleted after their time.

Asterisk names each file by its callback's token. A registered file is read-only, and is played only while its
SHA-256 is unchanged. Other files in the folder are deleted after the same time.
"""

import hashlib
import logging
import math
import os
import stat
import struct
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from db import events
from db.engine import now
from db.models import Callback, Erasure, Recording, Registration
from db.states import CallbackState
from db.trusted_time import trusted_now
from hotline import audit
from hotline.errors import Refused
from hotline.recordings import disk
from settings.asterisk_files import open_plain, replace_file

log = logging.getLogger("recordings")

SUFFIX = ".wav"
ERASED_FROM = "recordings"
"""The folder's name in rows of Erasure."""
HEARD = "recording-heard"
VOICE_MESSAGE_HEARD = "voice-message-heard"

_QUIET_S = 3.0
"""A file without writes for this long is finished; Asterisk writes about every two seconds."""
_ONE_HEARING = timedelta(minutes=10)
"""A player requests a recording in pieces; pieces within this time are one hearing."""
_HEADER = 44
_SEALED = 0o400
_CHUNK = 1 << 20
_TICK_NS = 2 * 10**9
"""The coarsest resolution of a file system's change times."""
_all_sealed: dict[Path, int] = {}
"""The change time of each folder in which every file was sealed."""


class Found(NamedTuple):
    """A finished file: name, hash and length."""

    file: str
    sha256: str
    seconds: int


def is_any_known(session: Session) -> bool:
    """Return whether the city has ever recorded a conversation."""
    return session.scalar(select(Recording.callback_id).limit(1)) is not None


def is_any_open(folder: Path) -> bool:
    """Return whether any file is not registered yet."""
    return bool(_open(folder))


def list_new(session: Session, folder: Path) -> list[tuple[Path, int]]:
    """Return the finished files that are not registered, each with its callback's id."""
    at = now(session)
    paths = [path for path, status in _open(folder) if at.timestamp() - status.st_mtime > _QUIET_S]
    by_token = {path.stem: path for path in paths}
    rows = session.execute(
        select(Callback.token, Callback.id).where(
            Callback.token.in_(by_token),
            Callback.state.in_([CallbackState.ENDED, CallbackState.CLOSED]),
            Callback.ended_at.is_not(None),
        )
    )
    return [(by_token[token], callback_id) for token, callback_id in rows]


def _open(folder: Path) -> list[tuple[Path, os.stat_result]]:
    """Return the unsealed files of the folder.

    If all were sealed and the folder has not changed, it is not read again. It may have tens of thousands of
    files.
    """
    try:
        changed_at = folder.stat().st_mtime_ns
    except FileNotFoundError:
        return []
    if _all_sealed.get(folder) == changed_at:
        return []
    found = [
        (p, s)
        for p, s in disk.list_files(folder)
        if stat.S_IMODE(s.st_mode) != _SEALED and p.suffix == SUFFIX
    ]
    # otherwise a file may have come in the same tick
    if not found and time.time_ns() - changed_at > _TICK_NS:
        _all_sealed[folder] = changed_at
    return found


def inspect_file(path: Path) -> Found:
    """Repair the file's header if necessary, and return its hash and length. Raises OSError."""
    seconds = _mend(path)
    return Found(path.name, hash_file(path), seconds)


def _mend(path: Path) -> int:
    """Return the seconds of sound in a file of Asterisk; repair the header if Asterisk did not close the
    file.

    Asterisk writes the length into the header (44 bytes, 16-bit PCM) when it closes the file.
    """
    with open_plain(path, os.O_RDWR) as file:
        header = file.read(_HEADER)
        if len(header) < _HEADER or (header[:4], header[8:16], header[36:40]) != (
            b"RIFF",
            b"WAVEfmt ",
            b"data",
        ):
            return 0
        (bytes_a_second,) = struct.unpack_from("<I", header, 28)
        length = os.fstat(file.fileno()).st_size - _HEADER
        told = struct.unpack_from("<I", header, 40)[0]
        if told not in (length, length - 1):
            length -= length % 2
            file.seek(4)
            file.write(struct.pack("<I", length + _HEADER - 8))
            file.seek(40)
            file.write(struct.pack("<I", length))
            told = length
        return math.ceil(told / bytes_a_second) if bytes_a_second else 0


def hash_file(path: Path) -> str:
    """Return the file's SHA-256. Raises OSError, also if it is not a regular file."""
    sha256 = hashlib.sha256()
    with open_plain(path) as file:
        while chunk := file.read(_CHUNK):
            sha256.update(chunk)
    return sha256.hexdigest()


def seal(path: Path) -> None:
    """Make a registered file read-only, so that it is not checked again. Raises OSError.

    A file owned by Asterisk's user is replaced by a copy of ours, because its owner could still change it.
    """
    with open_plain(path) as file:
        if os.fstat(file.fileno()).st_uid == os.geteuid():
            os.fchmod(file.fileno(), _SEALED)
        else:
            replace_file(path, file, _SEALED)


def register(session: Session, callback_id: int, found: Found) -> None:
    """Register a finished file once; call `seal` afterwards.

    A file with an erasure is registered as deleted.
    """
    if session.get(Recording, callback_id):
        return
    erased = select(Erasure.asked_at).where(Erasure.file == f"{ERASED_FROM}/{found.file}").limit(1)
    deleted_at = session.scalar(erased)
    recording = Recording(
        callback=session.get_one(Callback, callback_id),
        made_at=now(session),
        deleted_at=deleted_at,
        **found._asdict(),
    )
    session.add(recording)
    if not deleted_at:
        events.append_recording(session, recording, "made")


def list_by_round(session: Session, round_id: int) -> Sequence[Recording]:
    """Return the recordings of a round in the order of conversations, including deleted ones."""
    return session.scalars(
        select(Recording)
        .join(Callback, Callback.id == Recording.callback_id)
        .where(Callback.round_id == round_id)
        .order_by(Callback.talking_at, Callback.id)
    ).all()


def get_by_callback(session: Session, callback_id: int) -> Recording:
    """Return the recording of a callback. Raises Refused("not-found"), also if it is deleted."""
    recording = session.get(Recording, callback_id)
    if recording is None or recording.deleted_at:
        raise Refused("not-found", "there is no recording, or not any more")
    return recording


def get_unchanged_file(recording: Recording, folder: Path) -> Path:
    """Return the recording's file if its SHA-256 is unchanged. Raises Refused("recording-changed")."""
    path = folder / Path(recording.file).name
    try:
        same = hash_file(path) == recording.sha256
    except OSError:
        same = False
    if not same:
        raise Refused("recording-changed", "the file is not the one that was recorded")
    return path


def is_from_start(wanted: str) -> bool:
    """Return whether a Range header asks for the beginning of the file."""
    return not wanted or wanted.replace(" ", "").startswith("bytes=0-")


def get_voice_message(session: Session, registration_id: int, folder: Path) -> Path:
    """Return the file of the citizen's voice message. Raises Refused("not-found")."""
    registration = session.get(Registration, registration_id)
    name = registration.voice_message if registration else None
    path = folder / Path(name).name if name else None
    if path is None or path.is_symlink() or not path.is_file():
        raise Refused("not-found", "there is no message, or not any more")
    return path


def record_hearing(session: Session, subject: str, *, who: str, from_begin: bool, what: str = HEARD) -> None:
    """Record in the audit log that somebody hears a file; later pieces belong to the same hearing."""
    if not from_begin and _hears_already(session, who, what, subject):
        return
    audit.record(session, who, what, subject)


def _hears_already(session: Session, who: str, what: str, subject: str) -> bool:
    last = audit.search(session, who=who, action=what, subject=subject, limit=1)
    return bool(last) and now(session) - last[0].at < _ONE_HEARING


def list_expired(session: Session, days: int) -> Sequence[Recording]:
    """Return the recordings older than `days` days, except those with a marked threat."""
    old = Recording.made_at < trusted_now(session) - timedelta(days=days)
    calm = Callback.threat_at.is_(None)
    of_calls = select(Recording).join(Callback, Callback.id == Recording.callback_id)
    return session.scalars(of_calls.where(Recording.deleted_at.is_(None), old, calm)).all()


def delete(session: Session, recording: Recording, folder: Path) -> None:
    """Delete the file and mark the row. Raises OSError, also if the folder is away.

    A missing file is logged: unless a deletion was interrupted, somebody else removed the file.
    """
    try:
        (folder / Path(recording.file).name).unlink()
    except FileNotFoundError:
        if not folder.is_dir():  # the file returns with the folder
            raise
        log.warning("recording of callback %d: its file was gone already", recording.callback_id)
    recording.deleted_at = now(session)
    events.append_recording(session, recording, "deleted")


def list_orphans(session: Session, folder: Path, days: int) -> list[Path]:
    """Return old files that belong to no kept row, such as those of an interrupted deletion."""
    before = (trusted_now(session) - timedelta(days=days)).timestamp()
    old = [path for path, status in disk.list_files(folder) if status.st_mtime < before]
    kept = set(
        session.scalars(
            select(Recording.file).where(
                Recording.deleted_at.is_(None), Recording.file.in_([p.name for p in old])
            )
        )
    )
    return [path for path in old if path.name not in kept]


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
    """Return matching recordings of all rounds, newest conversation first, below callback id `before`."""
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
