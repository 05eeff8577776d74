"""The API's side of the decoders' sandbox; `sandbox_server.py` is the other side.

FFmpeg and Pillow read files of strangers. If a file takes over a decoder, the damage ends with that process.
"""

import atexit
import importlib.util
import json
import logging
import os
import socket
import subprocess
import sys
import threading
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import BinaryIO

from hotline.errors import Refused
from hotline.recordings import sandbox_server

log = logging.getLogger("api")

_PATIENCE_S = 30.0
_SERVER = Path(sandbox_server.__file__)
DECODERS = 2
"""Files of one kind (pictures, voices) that a process decodes at the same time."""
DECODER_WAIT_S = 10.0
"""Seconds that an upload waits for one of these decoders."""


def refuse_busy() -> Refused:
    """Return the refusal of a file while too many others are decoded."""
    return Refused("files-busy", "too many pictures and voices come at this moment", after_s=5)


class Sandbox:
    """The servers of one decoder, each for one file at a time. A server starts if none is idle, and stays."""

    def __init__(self, decoder: Path, library: str) -> None:
        self._decoder, self._library = decoder, library
        self._idle: list[_Server] = []
        atexit.register(self.close)

    def decode(self, data: bytes, *arguments: str, most: int) -> tuple[int, bytes]:
        """Return the child's exit code, and the decoder's output for the file.

        A child that hangs or writes more than `most` bytes is killed; its code is UNREADABLE. Raises
        Refused("files-busy") if the server itself fails: the file is not the cause, and the citizen may
        retry.
        """
        server = self._take()
        try:
            code, made = server.decode(data, arguments, most)
        except OSError:
            server.close()
            log.exception("the decoder %s has failed", self._decoder.name)
            raise Refused("files-busy", "the decoder has failed", after_s=5) from None
        if server.killed:
            server.close()
        else:
            self._idle.append(server)
        if code == sandbox_server.UNFILTERED:
            warn_without_filter()
            code = 0
        return code, made

    def close(self) -> None:
        """End the idle servers."""
        while self._idle:
            self._idle.pop().close()

    def _take(self) -> "_Server":
        with suppress(IndexError):
            while True:
                server = self._idle.pop()
                if server.process.poll() is None and not server.killed:
                    return server
                server.close()
        found = importlib.util.find_spec(self._library)
        # an isolated Python does not have the packages in its path
        packages = Path((found and found.origin) or "").parents[1]
        return _Server(self._decoder, packages)


class _Server:
    def __init__(self, decoder: Path, packages: Path) -> None:
        self.killed = False
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        asked = [sys.executable, "-I", str(_SERVER), str(decoder), str(packages)]
        with theirs:
            self.process = subprocess.Popen(asked, stdin=theirs.fileno(), env={})

    def decode(self, data: bytes, arguments: tuple[str, ...], most: int) -> tuple[int, bytes]:
        """Decode one file. Raises OSError if the server ends by itself."""
        late = threading.Timer(_PATIENCE_S, self._kill)
        late.start()
        try:
            with self._send(data, arguments) as output:
                made = output.read(most + 1)
            if len(made) > most:
                self._kill()
            status = self._socket.recv(sandbox_server.STATUS.size)
        except OSError:
            status = b""
        finally:
            late.cancel()
        if self.killed:
            return sandbox_server.UNREADABLE, b""
        if not status:
            raise ConnectionError("the decoder's server has ended")
        return sandbox_server.STATUS.unpack(status)[0], made

    def _send(self, data: bytes, arguments: tuple[str, ...]) -> BinaryIO:
        message = json.dumps(arguments).encode()
        reading, writing = os.pipe()
        output = open(reading, "rb")  # noqa: SIM115  (the caller closes it)
        try:
            with open(os.memfd_create("stranger"), "w+b") as file:
                file.write(data)
                file.seek(0)
                socket.send_fds(self._socket, [message], [file.fileno(), writing])
        except BaseException:
            output.close()
            raise
        finally:
            os.close(writing)
        return output

    def _kill(self) -> None:
        self.killed = True
        self.process.kill()  # its child dies with the server

    def close(self) -> None:
        self._socket.close()
        self.process.kill()
        self.process.wait()


@cache
def warn_without_filter() -> None:
    """Log once that no seccomp filter protects the decoders. Decoding continues."""
    log.warning(
        "pictures and voices are decoded without a seccomp filter: only limits keep a file that takes "
        "the decoder over from files, network and processes. Install libseccomp2, or let the container use "
        "seccomp"
    )
