"""Streams that pyst2 uses as standard streams: one connection of Asterisk, and no log."""

import os
import select
import socket
import time
from io import BufferedIOBase

from asterisk.agi import AGIError, AGIHangup

_LONGEST = 8192


class Lines:
    """Replacement of stdin: bounded, tolerant of bad UTF-8, and it reports the end."""

    def __init__(self, stream: BufferedIOBase) -> None:
        self._stream = stream
        self.last = ""
        """Last answer; empty once the connection has ended."""
        self._again = False
        self.hung_up = False
        """Asterisk has reported a hang-up."""

    def readline(self) -> str:
        """Return the next line that is not the asynchronous HANGUP notice. Raises AGIHangup, AGIError."""
        if self._again:
            self._again = False
            return self.last
        while True:
            line = self._stream.readline(_LONGEST)
            if not line:
                self.last = ""
                raise AGIHangup("the connection ended")
            if not line.endswith(b"\n"):
                raise AGIError("a line without an end")
            if line.strip() == b"HANGUP":
                self.hung_up = True
                continue
            self.last = line.decode("utf-8", "replace").strip()
            return self.last

    def is_readable(self, until: float) -> bool:
        """Wait for more from Asterisk. Return whether it came until this moment of the monotonic clock."""
        poll = select.poll()
        poll.register(self.fileno(), select.POLLIN)
        return bool(poll.poll(max(0.0, until - time.monotonic()) * 1000))

    def fileno(self) -> int:
        """Return the connection's file descriptor."""
        return self._stream.fileno()

    def read_again(self) -> None:
        """Return the last line once more at the next `readline`."""
        self._again = True


class Commands:
    """Replacement of stdout."""

    def __init__(self, stream: BufferedIOBase) -> None:
        self._stream = stream

    def write(self, command: str) -> None:
        """Send one command at once, as one line."""
        self._stream.write(command.replace("\n", " ").encode("utf-8", "replace") + b"\n")

    def end(self) -> None:
        """Tell Asterisk that no more commands come."""
        with socket.socket(fileno=os.dup(self._stream.fileno())) as wire:
            wire.shutdown(socket.SHUT_WR)


class Silence:
    """Replacement of stderr: pyst2 would log every variable, callers' numbers included."""

    def write(self, _text: str) -> None:
        """Drop the text."""
