"""Watchdog messages to the process's keeper: ops.supervisor or systemd.

The messages are those of sd_notify(3). Only real work may send them, such as an iteration of a main loop or
an answered request. A thread that does nothing else may not. Nothing here needs the database: a process that
waits for the database is not hung.
"""

import contextlib
import os
import socket
import time

_EVERY_S = 1.0
_last = float("-inf")


def record_work() -> None:
    """Report that work was done just now. Cheap: at most one message a second is sent."""
    global _last  # noqa: PLW0603 - there is one process to speak for
    if time.monotonic() - _last >= _EVERY_S:
        _last = time.monotonic()
        _tell("READY=1\nWATCHDOG=1")


def report_status(text: str) -> None:
    """Say in one line what the process waits for; `systemctl status` shows it."""
    _tell(f"STATUS={text}")


def _tell(text: str) -> None:
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    if address.startswith("@"):  # an abstract socket
        address = f"\0{address[1:]}"
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as wire:
        wire.setblocking(False)  # a stopped keeper must not block us
        wire.sendto(text.encode(), address)
