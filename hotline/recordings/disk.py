"""The disk with recordings, messages and the database."""

import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from hotline.errors import Refused

SPARE = 256 << 20
"""Bytes reserved for the database and conversations: citizens' files are refused below this."""
_LEAST_SHARE, _LEAST_BYTES = 0.05, 1 << 30


class Disk(NamedTuple):
    """The size of the state folder's disk, in bytes."""

    total: int
    free: int

    @property
    def nearly_full(self) -> bool:
        """Return whether less than a gigabyte or less than 5 percent is free."""
        return self.free < _LEAST_BYTES or self.free < self.total * _LEAST_SHARE


def find_disk(folder: Path) -> Disk:
    """Return the disk on which the folder is, or will be. Raises OSError."""
    there = next(path for path in (folder, *folder.parents) if path.exists())
    usage = shutil.disk_usage(there)
    return Disk(usage.total, usage.free)


@contextmanager
def allow_writing(folder: Path) -> Iterator[None]:
    """Create the folder, and allow writing a citizen's file or piece inside the block.

    Raises Refused("disk-full") if less than SPARE is free, or if writing fails.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if find_disk(folder).free < SPARE:
            raise refuse_full()
        yield
    except OSError:
        raise refuse_full() from None


def refuse_full() -> Refused:
    """Return the refusal of a citizen's file because the disk is full."""
    return Refused("disk-full", "there is no room for files; report without", after_s=600)


def write(part: Path, path: Path, data: bytes) -> None:
    """Write `path` atomically through `part`, read-only. Raises OSError."""
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


def list_files(folder: Path) -> Iterator[tuple[Path, os.stat_result]]:
    """Yield every regular file of the folder, by name; symbolic links are skipped."""
    for entry in sorted(os.scandir(folder), key=lambda e: e.name) if folder.is_dir() else []:
        try:
            status = entry.stat(follow_symlinks=False)
        except FileNotFoundError:  # deleted or renamed meanwhile
            continue
        if stat.S_ISREG(status.st_mode):
            yield Path(entry.path), status
