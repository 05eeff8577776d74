"""A disk of a few megabytes, which can be filled to its last byte. Needs root, as the packet filter does."""

import errno
import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.kit.process import need

_PIECE = b"\0" * 4096


@contextmanager
def small_disk(megabytes: int) -> Iterator[Path]:
    """A folder on a disk of its own, gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="disk-"))
    size = f"size={megabytes}m"
    subprocess.run([need("mount", "mount"), "-t", "tmpfs", "-o", size, "disk", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run([need("umount", "mount"), "--lazy", folder], check=True)
        folder.rmdir()


@contextmanager
def full(folder: Path) -> Iterator[None]:
    """Within it not one byte is left on the folder's disk, unless something is deleted there."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file:
        _fill(file.fileno())
        try:
            yield
        finally:
            filler.unlink()


def _fill(file: int) -> None:
    try:
        while True:
            os.write(file, _PIECE)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
