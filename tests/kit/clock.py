"""A clock that is off, and jumps while processes run: those that are started with `faked`, and only they.

What is measured by the clock that never jumps (time.monotonic, timeouts, sleeps) is as it is.
"""

import os
from collections.abc import Mapping
from pathlib import Path

from tests.kit.process import ProgramError


class Clock:
    """How far it is off stands in a file; each process reads it whenever it asks for the time."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "clock"
        self.is_off(0)

    def is_off(self, seconds: int) -> None:
        """From now on it is so many seconds ahead of the true time; behind it, if negative."""
        fresh = self.path.with_suffix(".new")
        fresh.write_text(f"{seconds:+d}\n")
        fresh.replace(self.path)


def faked(clock: Path) -> Mapping[str, str]:
    """The environment in which a process has this clock."""
    library = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)
    if library is None:
        raise ProgramError("libfaketime is not installed: apt-get install faketime")
    before = os.environ.get("LD_PRELOAD", "")
    return {
        "LD_PRELOAD": f"{library} {before}".strip(),
        "FAKETIME_TIMESTAMP_FILE": str(clock),
        "FAKETIME_CACHE_DURATION": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "NO_FAKE_STAT": "1",
    }
