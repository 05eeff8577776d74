"""Backup: one file, complete or absent, and the record of the last one."""

import errno
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import NamedTuple

from sqlalchemy.exc import SQLAlchemyError

from hotline import backups
from hotline.backups import Status, Why
from hotline.version import VERSION
from ops.backup import contents, database, signing
from ops.backup.archive import Unusable, Writer, encrypt_output, parse_recipient
from settings import Settings

_PLAIN, _AGE = ".tar", ".tar.age"
_PREFIX, _PART, _COPY = "hotline137-", ".part", ".backup-"


class Made(NamedTuple):
    """Finished backup."""

    path: Path
    size: int
    files: int
    rows: int
    seconds: float
    notes: list[str]


def take(
    settings: Settings,
    folder: Path,
    key: str,
    *,
    keep_days: int = 0,
    unless_since: datetime | None = None,
) -> Made | None:
    """Make a backup in the folder, encrypted to the key, if any; delete those older than `keep_days`.

    Return None if one has been made there since `unless_since`. STATE/backup.json records the result
    (hotline.backups). Raises Unusable, with nothing left behind.
    """
    began, at = time.monotonic(), datetime.now(UTC)
    with lock_backups(settings):
        last = backups.read(settings)
        if unless_since and last and backups.has_backup_since(last, folder, unless_since):
            return None
        try:
            if key:
                parse_recipient(key)
            made = _take(settings, folder, key, began, at)
        except (Unusable, OSError, SQLAlchemyError) as error:
            refused = _refused(error)
            if settings.backup_dir in (None, folder):  # a mistyped folder is no failure of the nightly backup
                _say(settings, at, None, refused)
            raise refused from None
        _say(settings, at, made, None)
        try:
            forget(folder, made.path, keep_days, at)
        except OSError as error:
            made.notes.append(f"older ones are still there: {_refused(error)}")
            _say(settings, at, made, None)
        return made


@contextmanager
def lock_backups(settings: Settings) -> Iterator[None]:
    """Allow one backup or restore at a time for this state folder. Raises Unusable if another one runs."""
    with backups.lock(settings) as alone:
        if not alone:
            raise Unusable("another backup is being made, or restored")
        for left in settings.state_dir.glob(f"{_COPY}*"):  # a killed backup's
            shutil.rmtree(left, ignore_errors=True)
        yield


@contextmanager
def make_scratch_folder(settings: Settings) -> Iterator[Path]:
    """Yield a temporary folder on the state folder's disk; after a kill the next backup deletes it."""
    folder = Path(tempfile.mkdtemp(prefix=_COPY, dir=settings.state_dir))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _take(settings: Settings, folder: Path, key: str, began: float, at: datetime) -> Made:
    if not folder.is_dir():
        raise Unusable(f"there is no folder {folder}: is its disk there?", Why.NO_FOLDER)
    for left in folder.glob(f".{_PREFIX}*{_PART}"):  # a killed backup's
        left.unlink(missing_ok=True)
    path = folder / f"{_PREFIX}{at:%Y%m%dT%H%M%SZ}{_AGE if key else _PLAIN}"
    if path.exists():
        raise Unusable(f"{path} is there already")
    part = folder / f".{path.name}{_PART}"
    try:
        files, rows, notes = _write(settings, part, key, at)
        part.rename(path)
        sync(folder)
    except BaseException:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise
    if os.stat(folder).st_dev == os.stat(settings.state_dir).st_dev:
        notes.append(f"{folder} is on the disk that it is to be a backup of")
    return Made(path, path.stat().st_size, files, rows, time.monotonic() - began, notes)


def _write(settings: Settings, part: Path, key: str, at: datetime) -> tuple[int, int, list[str]]:
    signer = signing.read_key(settings)
    with make_scratch_folder(settings) as beside:
        copy = beside / "copy"
        copied = database.copy(settings.database, copy)
        head = {
            "version": VERSION,
            "schema": copied.schema,
            "database": database.get_kind(settings.database),
            "at": at.isoformat(timespec="seconds"),
        }
        with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
            with encrypt_output(out, key) as plain:
                writer = Writer(plain, head, partial(signing.sign, signer))
                writer.add(copied.name, copy)
                notes = contents.put(settings, writer)
                writer.close(copied.counts)
            out.flush()
            os.fsync(out.fileno())
    return len(writer.files), sum(copied.counts.values()), notes


def forget(folder: Path, newest: Path, days: int, at: datetime) -> None:
    """Delete backups older than `days`; 0 deletes none. The newest is always kept."""
    if not days:
        return
    before = f"{_PREFIX}{at - timedelta(days=days):%Y%m%dT%H%M%SZ}"
    for old in folder.glob(f"{_PREFIX}*"):
        named = old.name.removesuffix(_AGE).removesuffix(_PLAIN)
        if old != newest and len(named) == len(before) and named != old.name and named < before:
            old.unlink(missing_ok=True)


def _refused(error: Exception) -> Unusable:
    if isinstance(error, OSError):
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            return Unusable(f"there is no room left: {os.strerror(error.errno)}", Why.NO_ROOM)
        denied = error.errno in (errno.EACCES, errno.EPERM, errno.EROFS)
        said = f"{error.filename or 'the backup'}: {error.strerror or error}"
        return Unusable(said, Why.NOT_ALLOWED if denied else Why.OTHER)
    if isinstance(error, SQLAlchemyError):
        return Unusable("the database does not answer", Why.DATABASE)
    return error if isinstance(error, Unusable) else Unusable(str(error))


def _say(settings: Settings, at: datetime, made: Made | None, refused: Unusable | None) -> None:
    """Record the result for the pages and the doctor."""
    when, last = at.isoformat(timespec="seconds"), backups.read(settings)
    if made:
        path, seconds = str(made.path), round(made.seconds, 1)
        said = Status(when, True, path, None, made.size, seconds, when, path, notes=made.notes)
    else:
        good = (last.good_at, last.good_path) if last else (None, None)
        said = Status(when, False, None, str(refused), None, None, *good, refused.why if refused else None)
    backups.write(settings, said)


def sync(folder: Path) -> None:
    """Make renames in the folder survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
