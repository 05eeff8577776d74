"""The pieces of an upload, in a file: how much of it is there is how far it has come.

Whoever adds says where. Of two who add at one moment, in two processes as well, one has their way at each
piece: the other is where the file no longer ends. Nobody holds a lock while anything waits on a network.
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


def length(folder: Path, name: str) -> int:
    """How many bytes are there. Raises Refused("upload-unknown")."""
    try:
        return (folder / name).lstat().st_size
    except FileNotFoundError:
        raise unknown() from None


def unknown() -> Refused:
    """It is nobody's, another's, or gone."""
    return Refused("upload-unknown", "no such file is on its way; send it anew")


def make(folder: Path, name: str) -> None:
    """The file, in which nothing is yet; nothing else makes it: it never outlives its row. Raises
    Refused("disk-full")."""
    with disk.room(folder):
        os.close(os.open(folder / name, _OPEN | os.O_CREAT | os.O_EXCL, 0o600))


class Pieces:
    """The file, open to be added to."""

    def __init__(self, folder: Path, descriptor: int) -> None:
        self._folder, self._file = folder, descriptor

    def add(self, at: int, data: bytes) -> None:
        """Add a piece behind the first `at` bytes. Raises Refused("upload-offset" | "disk-full")."""
        fcntl.flock(self._file, fcntl.LOCK_EX)
        try:
            if os.fstat(self._file).st_size != at:
                raise Refused("upload-offset", "it ends elsewhere: ask how far it is")
            while data:
                with disk.room(self._folder):
                    data = data[os.write(self._file, data) :]
        finally:
            fcntl.flock(self._file, fcntl.LOCK_UN)

    def sync(self) -> None:
        """What is there outlives the machine. Raises Refused("disk-full")."""
        try:
            os.fsync(self._file)
        except OSError:
            raise disk.full() from None


@contextmanager
def opened(folder: Path, name: str) -> Iterator[Pieces]:
    """The file. Raises Refused("upload-unknown")."""
    try:
        descriptor = os.open(folder / name, _OPEN)
    except OSError:
        raise unknown() from None
    try:
        yield Pieces(folder, descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def whole(folder: Path, name: str, size: int) -> Iterator[BinaryIO]:
    """The file to be read. Raises Refused("upload-unfinished"): not all `size` bytes of it are there."""
    if length(folder, name) != size:
        raise Refused("upload-unfinished", "not all of it is there")
    try:
        file = (folder / name).open("rb")
    except OSError:
        raise Refused("upload-unfinished", "not all of it is there") from None
    with file:
        yield file


def discard(folder: Path, name: str) -> None:
    """Delete it; what cannot be deleted now, the clerk finds."""
    with suppress(OSError):
        (folder / name).unlink(missing_ok=True)
