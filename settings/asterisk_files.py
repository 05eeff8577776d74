"""Files that our processes share with an Asterisk that runs as a user of its own.

The package and the containers run Asterisk as its own user, because Asterisk parses what strangers send.
Asterisk may use only the folders named here. Access is given by GROUP, of which our user is a member, too.
Where GROUP does not exist (`make run`), Asterisk runs as our user and nothing is shared.

Asterisk's user may put a link, a folder or a pipe into any folder that it can write. So our processes read
there with `open_plain` and write there with `replace_file`.
"""

import errno
import grp
import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

GROUP = "hotline137-asterisk"
WRITTEN = ("asterisk", "hung-up", "messages", "recordings")
"""Folders in which Asterisk makes files. Asterisk owns these files; our user owns the folder and may delete
them. In `asterisk`, Asterisk writes only ASTERISKS_OWN: its configuration and our processes' control files
lie beside these."""
READ = ("prompts",)
ASTERISKS_OWN = ("lib", "log", "run", "spool")

_FOLDER_READ, _FOLDER_WRITTEN = 0o2050, 0o2070
_FILE_READ, _FILE_WRITTEN = 0o040, 0o060
"""The set-group-ID bit of a folder gives its group to each file that is made in it."""
_OURS = 0o700

READABLE = 0o640
"""The mode of a file that one of our processes writes for Asterisk to read."""


def open_plain(path: Path, flags: int = os.O_RDONLY) -> BinaryIO:
    """Open a plain file. Raises OSError for a link, a folder or a pipe; never waits for a pipe's writer."""
    descriptor = os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "not a plain file", str(path))
    return os.fdopen(descriptor, "rb" if flags == os.O_RDONLY else "r+b")


def replace_file(
    path: Path, content: bytes | BinaryIO, mode: int = READABLE, at: float | None = None
) -> None:
    """Write a file atomically, through a temporary name that nobody can predict. Raises OSError.

    `at` sets the file's modification time (seconds since 1970); without it the time is now.
    """
    descriptor, name = tempfile.mkstemp(prefix=".", suffix=".new", dir=path.parent)  # mkstemp follows no link
    try:
        with os.fdopen(descriptor, "wb") as file:
            for piece in (content,) if isinstance(content, bytes) else content:
                file.write(piece)
            file.flush()
            os.fchmod(descriptor, mode)
            if at is not None:
                os.utime(descriptor, (at, at))
        os.replace(name, path)
    except OSError:
        os.unlink(name)
        raise


def share_folders(state_dir: Path) -> None:
    """Give Asterisk's group access to its folders and to the files already in them.

    Old recordings and messages stay readable by our user alone, since Asterisk only makes new ones. The
    sticky bit keeps Asterisk from replacing a recording that it does not own.
    """
    if (group := _find_group()) is None:
        return
    for name in (*WRITTEN, *READ):
        (state_dir / name).mkdir(mode=0o700, parents=True, exist_ok=True)
    for name in ("hung-up", "messages", "recordings"):
        _give(state_dir / name, None, group, _FOLDER_WRITTEN | stat.S_ISVTX)
    own = state_dir / "asterisk"
    for name in ASTERISKS_OWN:
        for each, folder in _walk(own / name):
            _give(each, folder, group, _FOLDER_WRITTEN, _FILE_WRITTEN)
    for top in (own, state_dir / "prompts"):
        for each, folder in _walk(top, without=ASTERISKS_OWN if top == own else ()):
            _give(each, folder, group, _FOLDER_READ, _FILE_READ)


def _find_group() -> int | None:
    """Return the group's id if it exists and this process may give files to it."""
    try:
        found = grp.getgrnam(GROUP).gr_gid
    except KeyError:
        return None
    return found if found in os.getgroups() else None


def _walk(top: Path, without: tuple[str, ...] = ()) -> Iterator[tuple[str, int]]:
    """Yield each folder, as `.`, and each file in it, with the folder's descriptor. Follows no link."""
    for path, folders, files, folder in os.fwalk(top):
        if path == str(top):
            folders[:] = [each for each in folders if each not in without]
        for each in (".", *files):
            yield each, folder


def _give(path: str | Path, parent: int | None, group: int, of_folder: int, of_file: int = 0) -> None:
    """Set group and mode through a descriptor: Asterisk's user may swap the path for a link meanwhile."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=parent)
    except OSError:
        return  # a file that Asterisk owns already, its console, or a link
    try:
        status = os.fstat(descriptor)
        is_folder = stat.S_ISDIR(status.st_mode)
        if status.st_uid != os.geteuid() or not (is_folder or stat.S_ISREG(status.st_mode)):
            return
        if status.st_gid != group:
            os.fchown(descriptor, -1, group)
        os.fchmod(descriptor, status.st_mode & _OURS | (of_folder if is_folder else of_file))
    finally:
        os.close(descriptor)
