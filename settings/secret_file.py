"""Secrets of the state folder, each of 32 bytes. All accounts' passwords are derived from one."""

import os
import re
import secrets
import tempfile
from contextlib import suppress
from pathlib import Path

_RIGHT = re.compile(r"[0-9a-f]{64}\n?")


_IF_LOST = (
    "put it back from a backup. Without one, delete it: then every phone account "
    "is new, and everybody sets up a new second factor"
)


def read(path: Path, if_lost: str = _IF_LOST) -> bytes:
    """Return the secret; make it if there is none.

    Raises ValueError, with the remedy, if the file is broken.
    """
    if not path.exists():
        _make(path)
    try:
        text = path.read_text()
    except UnicodeDecodeError:
        text = "?"
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror}") from None
    if not _RIGHT.fullmatch(text):
        wrong = "not 64 hexadecimal digits" if text else "empty"
        raise ValueError(f"{path} is {wrong}: {if_lost}")
    return bytes.fromhex(text)


def _make(path: Path) -> None:
    """Make the secret atomically: the first of several processes wins, and a power cut leaves all or
    nothing.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # mkstemp lets only the owner read it
    handle, fresh = tempfile.mkstemp(prefix=f"{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "w") as file:
            file.write(secrets.token_hex(32))
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(fresh, path)
    finally:
        Path(fresh).unlink()
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
