"""Time until which Asterisk's parent lets calls continue if this process ends or hangs."""

import contextlib
import logging
from pathlib import Path

from hotline import call_deadlines
from settings import Settings
from settings.asterisk_files import replace_file

log = logging.getLogger("dialer")


class DeadlineFile:
    """Writer of the file that Asterisk's parent reads (ops.console)."""

    def __init__(self, settings: Settings) -> None:
        self._folder = settings.state_dir / "asterisk"
        self._is_told = True
        """The last write succeeded."""

    def known_fence(self) -> float | None:
        """Return the last dialer's fence, by `call_deadlines.read_clock`; None if no file is there."""
        said = call_deadlines.read(self._folder)
        return None if said is None else said - call_deadlines.LATER_S

    def tell(self, fence_at: float) -> None:
        """Write the time at which the dialer itself ends calls; `inf` means never."""
        if fence_at == float("inf"):
            forget(self._folder)
            return
        try:
            write(self._folder, fence_at + call_deadlines.LATER_S)
        except OSError as error:
            if self._is_told:
                log.error("the file with the end of the lease cannot be written: %s", error)
            self._is_told = False
        else:
            self._is_told = True


def write(folder: Path, until: float) -> None:
    """Write the time until which calls may continue, by `call_deadlines.read_clock`.

    Raises OSError after a failure.
    """
    try:
        replace_file(folder / call_deadlines.FILE, f"{until:.3f}\n".encode())
    except OSError:
        forget(folder)  # the old time would end calls although the lease is renewed
        raise


def forget(folder: Path) -> None:
    """Delete the file: without other nodes calls may continue without a dialer."""
    with contextlib.suppress(OSError):
        (folder / call_deadlines.FILE).unlink()
