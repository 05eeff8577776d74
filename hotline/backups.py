"""The record of the last backup in the state folder, and when the next one is due.

It uses this machine's clock, because the file is on this machine and must be readable without the database.
"""

import fcntl
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from settings import CITY, Settings

STATUS, _LOCK, _ASKED = "backup.json", "backup.lock", "backup.asked"
PLAIN = "hotline137-*.tar"
"""Names of unencrypted backups; encrypted ones end in .tar.age."""
_LATER = ("why", "notes")
"""Fields that a file of an older version does not have."""
_AGAIN = timedelta(hours=1)
"""How long after a failure the backup is tried again."""
_FORGOTTEN = timedelta(days=1)


class Why(StrEnum):
    """Known causes of a failed backup; for the others the system's own text is shown."""

    NO_FOLDER = "no_folder"
    NO_ROOM = "no_room"
    NOT_ALLOWED = "not_allowed"
    DATABASE = "database"
    KEY = "key"
    COMMAND = "command"
    OTHER = "other"


class Status(NamedTuple):
    """The last backup, and the last good one. `at` and `good_at` are ISO times in UTC."""

    at: str = ""
    ok: bool = False
    path: str | None = None
    error: str | None = None
    size: int | None = None
    seconds: float | None = None
    good_at: str | None = None
    good_path: str | None = None
    why: str | None = None
    notes: Sequence[str] = ()
    """Warnings of a good backup."""


def read(settings: Settings) -> Status | None:
    """Return the record, or None if there was no backup yet or the file is invalid."""
    try:
        said = json.loads((settings.state_dir / STATUS).read_text())
        status = Status(**{name: said[name] for name in Status._fields if name in said or name not in _LATER})
        for at in (status.at, status.good_at or status.at):
            datetime.fromisoformat(at).astimezone(UTC)
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return status


def write(settings: Settings, status: Status) -> None:
    """Write the record atomically; a full disk keeps the old one."""
    path = settings.state_dir / STATUS
    part = path.with_suffix(".part")
    with suppress(OSError):
        part.write_text(json.dumps(status._asdict(), ensure_ascii=False) + "\n")
        part.rename(path)


@contextmanager
def lock(settings: Settings) -> Iterator[bool]:
    """Take this state folder's backup lock for the block; yield False if somebody else has it."""
    settings.state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (settings.state_dir / _LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True


def ask(settings: Settings) -> None:
    """Ask the scheduler for a backup now; a repeat before it is made does nothing."""
    if find_asked_at(settings) is None:
        (settings.state_dir / _ASKED).write_text(datetime.now(UTC).isoformat() + "\n")


def find_asked_at(settings: Settings) -> datetime | None:
    """Return when a pending backup was asked for, or None. A request older than a day is forgotten."""
    try:
        asked = datetime.fromisoformat((settings.state_dir / _ASKED).read_text().strip()).astimezone(UTC)
    except (OSError, ValueError):
        return None
    last = read(settings)
    over = last is not None and datetime.fromisoformat(last.at) >= asked
    return None if over or not timedelta(0) <= datetime.now(UTC) - asked < _FORGOTTEN else asked


def find_due_since(settings: Settings, at: datetime) -> datetime | None:
    """Return since when a backup is due, or None: it is made, has just failed, or none is wanted."""
    if settings.backup_dir is None:
        return None
    if asked := find_asked_at(settings):
        return asked
    local = at.astimezone(CITY)
    since = local.replace(hour=settings.backup_hour, minute=0, second=0, microsecond=0)
    if since > local:
        since -= timedelta(days=1)
    last = read(settings)
    if last is None:
        return since
    failed = not last.ok and timedelta(0) <= at - datetime.fromisoformat(last.at) < _AGAIN
    return None if failed or has_backup_since(last, settings.backup_dir, since) else since


def explain_failure(last: Status | None) -> Why | None:
    """Return why the last backup failed, or None."""
    if last is None or last.ok:
        return None
    return next((each for each in Why if each == last.why), Why.OTHER)


def has_backup_since(last: Status, folder: Path, since: datetime) -> bool:
    """Return whether a good backup since then is recorded in that folder."""
    there = bool(last.good_path) and Path(str(last.good_path)).parent == folder.absolute()
    return there and last.good_at is not None and datetime.fromisoformat(last.good_at) >= since
