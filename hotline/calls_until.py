"""Until when a node's placed calls may go on without a word of its dialer.

With each renewal of its lease the dialer writes that down beside Asterisk's console, if another node could
take its work over. Asterisk's parent (ops.console) ends the calls when the time is over: a dialer that has
ended or hangs cannot do so itself. Nothing but Python is needed here.
"""

import contextlib
import os
import re
import time
from pathlib import Path

_FILE = "calls-until"

PLACED = re.compile(r"(?!rescue-)[a-z]+(-\d+)?-[0-9a-f]{32}")
"""The ids of all calls that are ended with the lease: not of those to the emergency service."""


def clock() -> float:
    """Seconds that go on while the process is stopped, and while the machine sleeps; all processes' alike."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def token_of(channel_id: str) -> str:
    """The token to whose call a channel belongs: its Local channel's halves are TOKEN and TOKEN;2."""
    return channel_id.removesuffix(";2")


def write(folder: Path, until: float) -> None:
    """By `clock`. Raises OSError: then nothing is written at all, and only the dialer itself ends calls."""
    new = folder / f"{_FILE}.new"
    try:
        new.write_text(f"{until:.3f}\n")
        new.replace(folder / _FILE)
    except OSError:
        forget(folder)  # what is there would be over soon, with the lease renewed
        raise


def forget(folder: Path) -> None:
    """There is no other node: calls go on without a dialer."""
    with contextlib.suppress(OSError):
        os.unlink(folder / _FILE)


def read(folder: Path) -> float | None:
    """None: nothing is written."""
    try:
        return float((folder / _FILE).read_text())
    except (OSError, ValueError):
        return None
