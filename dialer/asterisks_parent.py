"""What Asterisk's parent is told: until when calls may go on, should this process end or hang."""

import contextlib
import logging
from pathlib import Path

from hotline import calls_until
from settings import Settings
from settings.asterisk_files import replace_file

log = logging.getLogger("dialer")

_LATER_S = 1.0
"""So long after the fence it ends them, should the dialer not: in the grace, too (hotline.nodes.leases)."""


class AsterisksParent:
    """It is told by a file (ops.console)."""

    def __init__(self, settings: Settings) -> None:
        self._folder = settings.state_dir / "asterisk"
        self._is_told = True
        """Whether it could be the last time."""

    def known_fence(self) -> float | None:
        """When the last dialer's calls were to be ended, by `calls_until.clock`; None: it said nothing."""
        said = calls_until.read(self._folder)
        return None if said is None else said - _LATER_S

    def tell(self, fence_at: float) -> None:
        """When calls are to be ended by the dialer itself; `inf`: never."""
        if fence_at == float("inf"):
            forget(self._folder)
            return
        try:
            write(self._folder, fence_at + _LATER_S)
        except OSError as error:
            if self._is_told:
                log.error("Asterisk's parent is not told until when calls may go on: %s", error)
            self._is_told = False
        else:
            self._is_told = True


def write(folder: Path, until: float) -> None:
    """Write until when calls may go on, by `calls_until.clock`. Raises OSError: then nothing is written."""
    try:
        replace_file(folder / calls_until.FILE, f"{until:.3f}\n".encode())
    except OSError:
        forget(folder)  # what is there would be over soon, with the lease renewed
        raise


def forget(folder: Path) -> None:
    """Let calls go on without a dialer: there is no other node."""
    with contextlib.suppress(OSError):
        (folder / calls_until.FILE).unlink()
