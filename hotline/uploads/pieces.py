"""The pieces of an upload in one file; the file's length is the progress.

Each piece names its offset. Of two processes that add at the same time, one succeeds: the other's offset is
no longer the end. No lock is held while anything waits on a network.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from hotline.errors import Refused
from hotline.recordings import disk

_OPEN = os.O_RDWR | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC


def find_length(folder: Path, name: str) -> int:
    """Return how many bytes have arrived. Raises Refused("upload-unknown")."""
    try:
        return (folder / name).lstat().st_size
    except FileNotFoundError:
        raise refuse_unknown() from None


def refuse_unknown() -> Refused:
    """Return the refusal of an upload that does not exist, is another's, or is gone."""
    return Refused("upload-unknown", "no such file is on its way; send it anew")


def make(folder: Path, name: str) -> None:
    """Create the empty file. Nothing else creates it, so it never outlives its row.

    Raises Refused("disk-full").
    """
    with disk.allow_writing(folder):
        os.close(os.open(folder / name, _OPEN | os.O_CREAT | os.O_EXCL, 0o600))


class Pieces:
    """An open file to which pieces are added."""

    def __init__(self, folder: Path, descriptor: int) -> None:
        self._folder, self._file = folder, descriptor

    def add(self, at: int, data: bytes) -> None:
        """Add a piece after the first `at` bytes. Raises Refused("upload-offset" | "disk-full")."""
        fcntl.flock(self._file, fcntl.LOCK_EX)
        try:
            if os.fstat(self._file).st_size != at:
                raise Refused("upload-offset", "it ends elsewhere: ask how far it is")
            while data:
                with disk.allow_writing(self._folder):
                    data = data[os.write(self._file, data) :]
        finally:
            fcntl.flock(self._file, fcntl.LOCK_UN)

    def sync(self) -> None:
        """Write the file's data to the disk, so that a power failure loses nothing.

        Raises Refused("disk-full").
        """
        try:
            os.fsync(self._file)
        except OSError:
            raise disk.refuse_full() from None


@contextmanager
def open_for_pieces(folder: Path, name: str) -> Iterator[Pieces]:
    """Open the file for pieces. Raises Refused("upload-unknown")."""
    try:
        descriptor = os.open(folder / name, _OPEN)
    except OSError:
        raise refuse_unknown() from None
    try:
        yield Pieces(folder, descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def open_whole(folder: Path, name: str, size: int) -> Iterator[BinaryIO]:
    """Open the finished file for reading. Raises Refused("upload-unfinished") unless all `size` bytes are
    there.

    Raises Refused("upload-unknown") if there is no file.
    """
    if find_length(folder, name) != size:
        raise Refused("upload-unfinished", "not all of it is there")
    try:
        file = (folder / name).open("rb")
    except OSError:
        raise Refused("upload-unfinished", "not all of it is there") from None
    with file:
        yield file


def discard(folder: Path, name: str) -> None:
    """Delete the file; the scheduler deletes it later if that fails."""
    with suppress(OSError):
        (folder / name).unlink(missing_ok=True)
