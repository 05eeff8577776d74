"""Files that our processes share with an Asterisk that runs as a user of its own.

The package and the containers run it so: it parses what strangers send. Of the state folder it is given the
folders named here and nothing else, by GROUP, of which our user is a member, too. Where the group does not
exist (`make run`), Asterisk runs as our user and nothing is shared.
"""

import grp
import os
import stat
from pathlib import Path

GROUP = "hotline137-asterisk"
WRITTEN = ("asterisk", "hung-up", "messages", "recordings")
"""Folders in which Asterisk makes files. It owns these files; the folder is ours, so we may delete them."""
READ = ("prompts",)

_FOLDER_READ, _FOLDER_WRITTEN = 0o2050, 0o2070
_FILE_READ, _FILE_WRITTEN = 0o040, 0o060
"""The set-group-ID bit of a folder gives its group to each file that is made in it."""

READABLE = 0o640
"""The mode of a file that Asterisk reads and that another process than the preparing one has made."""


def share_folders(state_dir: Path) -> None:
    """Let Asterisk's group into its folders, and into what is in them already.

    A recording or message of before stays ours alone: Asterisk only makes new ones. It may not replace a
    recording that is in the books either: the sticky bit keeps from it what it does not own.
    """
    if (group := _find_group()) is None:
        return
    for name in (*WRITTEN, *READ):
        (state_dir / name).mkdir(mode=0o700, parents=True, exist_ok=True)
    for name in ("hung-up", "messages", "recordings"):
        _give(state_dir / name, group, _FOLDER_WRITTEN | stat.S_ISVTX)
    own = state_dir / "asterisk"
    for path in (own, *own.rglob("*")):
        is_read = path.is_relative_to(own / "etc")
        _give(path, group, *((_FOLDER_READ, _FILE_READ) if is_read else (_FOLDER_WRITTEN, _FILE_WRITTEN)))
    for path in (state_dir / "prompts", *(state_dir / "prompts").rglob("*")):
        _give(path, group, _FOLDER_READ, _FILE_READ)


def _find_group() -> int | None:
    """Return the group's id if it exists and this process may give files to it."""
    try:
        found = grp.getgrnam(GROUP).gr_gid
    except KeyError:
        return None
    return found if found in os.getgroups() else None


def _give(path: Path, group: int, of_folder: int, of_file: int = 0) -> None:
    status = path.lstat()
    is_folder = stat.S_ISDIR(status.st_mode)
    if status.st_uid != os.geteuid() or not (is_folder or stat.S_ISREG(status.st_mode)):
        return  # Asterisk's own already, its console, or a link
    if status.st_gid != group:
        os.chown(path, -1, group, follow_symlinks=False)
    path.chmod(stat.S_IMODE(status.st_mode) | (of_folder if is_folder else of_file))
