"""The disk on which recordings, messages and the database grow."""

import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from hotline.errors import Refused

SPARE = 256 << 20
"""So many bytes of the disk are left to the database and to conversations: no citizen's file takes them."""
_LEAST_SHARE, _LEAST_BYTES = 0.05, 1 << 30


class Disk(NamedTuple):
    """The disk of the state folder, in bytes."""

    total: int
    free: int

    @property
    def nearly_full(self) -> bool:
        """Less than a gigabyte is free, or less than a twentieth: recordings and the database soon stop."""
        return self.free < _LEAST_BYTES or self.free < self.total * _LEAST_SHARE


def of(folder: Path) -> Disk:
    """The disk on which the folder is, or will be. Raises OSError."""
    there = next(path for path in (folder, *folder.parents) if path.exists())
    usage = shutil.disk_usage(there)
    return Disk(usage.total, usage.free)


@contextmanager
def room(folder: Path) -> Iterator[None]:
    """Within it a citizen's file, or a piece of one, is written to the folder, which is made.

    Raises Refused("disk-full"): no more than SPARE is left, or the disk takes nothing.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if of(folder).free < SPARE:
            raise full()
        yield
    except OSError:
        raise full() from None


def full() -> Refused:
    """The disk takes no more of what citizens send."""
    return Refused("disk-full", "there is no room for files; report without", after_s=600)


def write(part: Path, path: Path, data: bytes) -> None:
    """Write `path`, whole or not at all, by way of `part`, for nobody to change. Raises OSError."""
    try:
        with part.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.chmod(0o400)
        part.rename(path)
    except OSError:
        part.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def files(folder: Path) -> Iterator[tuple[Path, os.stat_result]]:
    """Every plain file of the folder, by name; never what a link leads to."""
    for entry in sorted(os.scandir(folder), key=lambda e: e.name) if folder.is_dir() else []:
        try:
            status = entry.stat(follow_symlinks=False)
        except FileNotFoundError:  # deleted or renamed meanwhile
            continue
        if stat.S_ISREG(status.st_mode):
            yield Path(entry.path), status
