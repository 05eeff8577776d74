"""Says that this process's work goes on, to whoever keeps it alive: ops.supervisor, or systemd.

The words are those of sd_notify(3). Only work itself may say them (a turn of a main loop, a request that was
answered), never a thread that does nothing else. Nothing here needs the database: a process that waits for
one is not hung.
"""

import contextlib
import os
import socket
import time

_EVERY_S = 1.0
_last = float("-inf")


def worked() -> None:
    """Say that work was done just now. Cheap: at most one message a second leaves."""
    global _last  # noqa: PLW0603 - there is one process to speak for
    if time.monotonic() - _last >= _EVERY_S:
        _last = time.monotonic()
        _tell("READY=1\nWATCHDOG=1")


def _tell(text: str) -> None:
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    if address.startswith("@"):  # an abstract one
        address = f"\0{address[1:]}"
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as wire:
        wire.setblocking(False)  # a keeper that is stopped must not stop us
        wire.sendto(text.encode(), address)
