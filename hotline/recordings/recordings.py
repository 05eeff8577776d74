"""Recorded conversations: taken into the books once they are finished, heard by roles only, deleted for real.

Asterisk writes each file under its callback's token. One that is in the books can only be read, and is
played only as long as it is what they say (its SHA-256). Whatever else lies in the folder goes in its time.
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
"""What stands before a recording's name where it is to be erased."""
HEARD = "recording-heard"
VOICE_MESSAGE_HEARD = "voice-message-heard"

_QUIET_S = 3.0
"""A file that nobody has written to for so long is finished; Asterisk writes about every two seconds."""
_ONE_HEARING = timedelta(minutes=10)
"""A player asks for a recording piece by piece; within this time they are one hearing."""
_HEADER = 44
_SEALED = 0o400
_CHUNK = 1 << 20
_TICK_NS = 2 * 10**9
"""No file system tells the time of a change less exactly."""
_all_sealed: dict[Path, int] = {}
"""When a folder in which nothing was left to do had last been changed."""


class Found(NamedTuple):
    """A finished file, as it is."""

    file: str
    sha256: str
    seconds: int


def is_any_known(session: Session) -> bool:
    """Return whether the city has ever recorded a conversation."""
    return session.scalar(select(Recording.callback_id).limit(1)) is not None


def is_any_open(folder: Path) -> bool:
    """Whether any file is not in the books."""
    return bool(_open(folder))


def new(session: Session, folder: Path) -> list[tuple[Path, int]]:
    """The files that are not in the books and are written to no more, each with its callback's id."""
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
    """Those that are not sealed. A folder of which nothing was, and whose names are the same, is not read
    again: it may have tens of thousands.
    """
    try:
        changed_at = folder.stat().st_mtime_ns
    except FileNotFoundError:
        return []
    if _all_sealed.get(folder) == changed_at:
        return []
    found = [
        (p, s) for p, s in disk.files(folder) if stat.S_IMODE(s.st_mode) != _SEALED and p.suffix == SUFFIX
    ]
    if not found and time.time_ns() - changed_at > _TICK_NS:  # else more may have come at that moment
        _all_sealed[folder] = changed_at
    return found


def look(path: Path) -> Found:
    """Mend the file's header, and say what it holds. Raises OSError."""
    seconds = _mend(path)
    return Found(path.name, digest(path), seconds)


def _mend(path: Path) -> int:
    """Seconds of sound in a file of Asterisk's; one whose end Asterisk did not live to see is made playable.

    Asterisk writes how much there is into the header (44 bytes, PCM of 16 bits) when it closes the file.
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


def digest(path: Path) -> str:
    """The file's SHA-256. Raises OSError, also for what is no plain file."""
    sha256 = hashlib.sha256()
    with open_plain(path) as file:
        while chunk := file.read(_CHUNK):
            sha256.update(chunk)
    return sha256.hexdigest()


def seal(path: Path) -> None:
    """Make a file that is in the books read only; it is not looked at again. Raises OSError.

    One that Asterisk's own user has made becomes ours by a copy: its maker could change it still.
    """
    with open_plain(path) as file:
        if os.fstat(file.fileno()).st_uid == os.geteuid():
            os.fchmod(file.fileno(), _SEALED)
        else:
            replace_file(path, file, _SEALED)


def register(session: Session, callback_id: int, found: Found) -> None:
    """Take a finished file into the books, once; `seal` it afterwards. One to be erased is heard no more."""
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
        events.recording_changed(session, recording, "made")


def of_round(session: Session, round_id: int) -> Sequence[Recording]:
    """The recordings of a round, in the order of the conversations; the deleted ones, too."""
    return session.scalars(
        select(Recording)
        .join(Callback, Callback.id == Recording.callback_id)
        .where(Callback.round_id == round_id)
        .order_by(Callback.talking_at, Callback.id)
    ).all()


def to_hear(session: Session, callback_id: int) -> Recording:
    """The recording of a callback. Raises Refused("not-found"), also for one that is deleted."""
    recording = session.get(Recording, callback_id)
    if recording is None or recording.deleted_at:
        raise Refused("not-found", "there is no recording, or not any more")
    return recording


def unchanged(recording: Recording, folder: Path) -> Path:
    """The recording's file, as it was when it was registered. Raises Refused("recording-changed")."""
    path = folder / Path(recording.file).name
    try:
        same = digest(path) == recording.sha256
    except OSError:
        same = False
    if not same:
        raise Refused("recording-changed", "the file is not the one that was recorded")
    return path


def from_begin(wanted: str) -> bool:
    """Whether a player that sends this Range header begins to play."""
    return not wanted or wanted.replace(" ", "").startswith("bytes=0-")


def voice_message(session: Session, registration_id: int, folder: Path) -> Path:
    """The file of the message that the citizen left when registering. Raises Refused("not-found")."""
    registration = session.get(Registration, registration_id)
    name = registration.voice_message if registration else None
    path = folder / Path(name).name if name else None
    if path is None or path.is_symlink() or not path.is_file():
        raise Refused("not-found", "there is no message, or not any more")
    return path


def heard(session: Session, subject: str, *, who: str, from_begin: bool, what: str = HEARD) -> None:
    """Write into the audit log that somebody hears it, before they do; a later piece is the same hearing."""
    if not from_begin and _hears_already(session, who, what, subject):
        return
    audit.record(session, who, what, subject)


def _hears_already(session: Session, who: str, what: str, subject: str) -> bool:
    last = audit.search(session, who=who, action=what, subject=subject, limit=1)
    return bool(last) and now(session) - last[0].at < _ONE_HEARING


def expired(session: Session, days: int) -> Sequence[Recording]:
    """The recordings that were made so many days ago and are still there; one with a threat stays."""
    old = Recording.made_at < trusted_now(session) - timedelta(days=days)
    calm = Callback.threat_at.is_(None)
    of_calls = select(Recording).join(Callback, Callback.id == Recording.callback_id)
    return session.scalars(of_calls.where(Recording.deleted_at.is_(None), old, calm)).all()


def delete(session: Session, recording: Recording, folder: Path) -> None:
    """Delete the file for good; the row says when. Raises OSError, also where the folder is away.

    A file that is gone already is told in the log: unless a deletion was cut short, somebody else removed it.
    """
    try:
        (folder / Path(recording.file).name).unlink()
    except FileNotFoundError:
        if not folder.is_dir():  # the file comes back with it
            raise
        log.warning("recording of callback %d: its file was gone already", recording.callback_id)
    recording.deleted_at = now(session)
    events.recording_changed(session, recording, "deleted")


def orphans(session: Session, folder: Path, days: int) -> list[Path]:
    """Old files that no row knows of as kept: a deletion cut short, or a file that is nobody's."""
    before = (trusted_now(session) - timedelta(days=days)).timestamp()
    old = [path for path, status in disk.files(folder) if status.st_mtime < before]
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
