"""What is written down of the last backup, in the state folder, and when the next one is due.

By this machine's own clock, as the file is this machine's: nobody needs the database to read it.
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
"""Names of backups that are not encrypted; encrypted ones end in .tar.age."""
_LATER = ("why", "notes")
"""Fields that the file of an older version has not."""
_AGAIN = timedelta(hours=1)
"""One that failed is tried again after so long."""
_FORGOTTEN = timedelta(days=1)


class Why(StrEnum):
    """Why one was not made, as far as we have words for it; the rest is what a system said."""

    NO_FOLDER = "no_folder"
    NO_ROOM = "no_room"
    NOT_ALLOWED = "not_allowed"
    DATABASE = "database"
    KEY = "key"
    COMMAND = "command"
    OTHER = "other"


class Status(NamedTuple):
    """The last one, and the last that went well. `at` and `good_at` are ISO times, UTC."""

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
    """Warnings of a backup that went well."""


def read(settings: Settings) -> Status | None:
    """None: there was none yet, or what is written is not ours."""
    try:
        said = json.loads((settings.state_dir / STATUS).read_text())
        status = Status(**{name: said[name] for name in Status._fields if name in said or name not in _LATER})
        for at in (status.at, status.good_at or status.at):
            datetime.fromisoformat(at).astimezone(UTC)
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return status


def write(settings: Settings, status: Status) -> None:
    """Whole, or not at all; a disk that is full keeps what was there."""
    path = settings.state_dir / STATUS
    part = path.with_suffix(".part")
    with suppress(OSError):
        part.write_text(json.dumps(status._asdict(), ensure_ascii=False) + "\n")
        part.rename(path)


@contextmanager
def alone(settings: Settings) -> Iterator[bool]:
    """Whether nobody else makes or restores one for this state folder; within it nobody begins to."""
    settings.state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (settings.state_dir / _LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True


def ask(settings: Settings) -> None:
    """Have the clerk make one now; whoever asks again while it is not made has asked once."""
    if asked_at(settings) is None:
        (settings.state_dir / _ASKED).write_text(datetime.now(UTC).isoformat() + "\n")


def asked_at(settings: Settings) -> datetime | None:
    """Since when one is asked for that is not made yet, nor failed; after a day it is forgotten."""
    try:
        asked = datetime.fromisoformat((settings.state_dir / _ASKED).read_text().strip()).astimezone(UTC)
    except (OSError, ValueError):
        return None
    last = read(settings)
    over = last is not None and datetime.fromisoformat(last.at) >= asked
    return None if over or not timedelta(0) <= datetime.now(UTC) - asked < _FORGOTTEN else asked


def due_since(settings: Settings, at: datetime) -> datetime | None:
    """Since when tonight's is due; None: it is made, or failed just now, or none is wanted."""
    if settings.backup_dir is None:
        return None
    if asked := asked_at(settings):
        return asked
    local = at.astimezone(CITY)
    since = local.replace(hour=settings.backup_hour, minute=0, second=0, microsecond=0)
    if since > local:
        since -= timedelta(days=1)
    last = read(settings)
    if last is None:
        return since
    failed = not last.ok and timedelta(0) <= at - datetime.fromisoformat(last.at) < _AGAIN
    return None if failed or made_since(last, settings.backup_dir, since) else since


def why(last: Status | None) -> Why | None:
    """Why the last one was not made; None: it was, or there is none."""
    if last is None or last.ok:
        return None
    return next((each for each in Why if each == last.why), Why.OTHER)


def made_since(last: Status, folder: Path, since: datetime) -> bool:
    """Whether one that went well lies in that folder."""
    there = bool(last.good_path) and Path(str(last.good_path)).parent == folder.absolute()
    return there and last.good_at is not None and datetime.fromisoformat(last.good_at) >= since
