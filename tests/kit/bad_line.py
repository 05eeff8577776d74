"""A line to a telephone with poor reception: slow, and cut in the midst of a transfer."""

import random
import socket
import struct
import threading
import time
from contextlib import suppress
from typing import Self

_PIECE = 512
_RESET = struct.pack("ii", 1, 0)
"""Linger for no time: whoever closes resets."""


class BadLine:
    """Passes on what comes in at `url`; once it is `slow`, with so many bytes a second each way.

    A connection is cut then after a random number of bytes between `cuts`, and of some the answer is lost.
    """

    def __init__(
        self,
        target: tuple[str, int],
        *,
        bytes_a_second: int = 8_000,
        cuts: tuple[int, int] | None = None,
        lost: float = 0.3,
        seed: int = 137,
    ) -> None:
        self._target, self._rate, self._cuts, self._lost = target, bytes_a_second, cuts, lost
        self._random = random.Random(seed)
        self.slow = False
        self.up = 0
        """Bytes that have left the telephone since it is slow, heads of requests counted."""
        self.cut = 0
        """How many connections were cut."""

    def __enter__(self) -> Self:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _accept(self) -> None:
        while True:
            try:
                telephone, _ = self._listening.accept()
                server = socket.create_connection(self._target)
            except OSError:
                return
            for end in (telephone, server):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            telephone.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            for way in ((telephone, server, True), (server, telephone, False)):
                threading.Thread(target=self._pass_on, args=way, daemon=True).start()

    def _pass_on(self, here: socket.socket, there: socket.socket, up: bool) -> None:
        left = 0
        with suppress(OSError):
            while data := here.recv(_PIECE):
                if self.slow:
                    time.sleep(len(data) / self._rate)
                    left = left or self._endures(up)
                    self.up += len(data) if up else 0
                    if self._cuts and len(data) >= left:
                        self.cut += 1
                        there.sendall(data[: left // 2] if up else b"")
                        break
                    left -= len(data)
                there.sendall(data)
        for end in (here, there):
            with suppress(OSError):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def _endures(self, up: bool) -> int:
        """After so many bytes it is cut."""
        if up:
            return self._random.randint(*self._cuts) if self._cuts else 1 << 40
        return 1 if self._random.random() < self._lost else 1 << 40
