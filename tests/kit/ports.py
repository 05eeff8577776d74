"""Free ports on loopback, never the same in two workers of one machine.

Every process claims whole blocks of ports by binding a socket with an abstract name. The kernel frees the
name when the process dies, so no lock file is ever left behind. The blocks lie below the range from which the
kernel takes outgoing ports.
"""

import socket
from contextlib import ExitStack
from typing import NamedTuple

FIRST, LAST, BLOCK = 12_000, 32_000, 20

_claims: dict[int, socket.socket] = {}
"""The claims by their first ports, each held open until it is returned or the process ends."""
_spare: list[int] = []


class Ports(NamedTuple):
    """An inclusive range of ports; it prints as our settings write it."""

    first: int
    last: int

    def __str__(self) -> str:
        return f"{self.first}-{self.last}"


def free_port() -> int:
    """A port free for TCP and UDP. The port above it is free too and ours: SIP/TLS or RTCP take it."""
    while True:
        if not _spare:
            first = _claim(1)
            _spare.extend(range(first, first + BLOCK, 2))
        port = _spare.pop(0)
        if _bindable(port) and _bindable(port + 1):
            return port


def free_range(count: int) -> Ports:
    """A range of `count` ports that nobody else is given until `give_back`, for RTP."""
    while True:
        first = _claim(-(-count // BLOCK))
        if all(_bindable(port) for port in range(first, first + count)):
            return Ports(first, first + count - 1)


def give_back(ports: Ports) -> None:
    """Let others have this range: whole tests would need more than there are."""
    for start in range(ports.first, ports.last + 1, BLOCK):
        _claims.pop(start).close()


def _claim(blocks: int) -> int:
    """Claim that many blocks in a row and give the first port."""
    for first in range(FIRST, LAST - blocks * BLOCK + 1, BLOCK):
        with ExitStack() as undo:
            names = {}
            for start in range(first, first + blocks * BLOCK, BLOCK):
                name = undo.enter_context(socket.socket(socket.AF_UNIX))
                try:
                    name.bind(f"\0hotline137-ports-{start}")
                except OSError:
                    break
                names[start] = name
            else:
                undo.pop_all()
                _claims.update(names)
                return first
    raise RuntimeError(f"all ports from {FIRST} to {LAST} are claimed by running tests")


def _bindable(port: int) -> bool:
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(socket.AF_INET, kind) as probe:
            if kind == socket.SOCK_STREAM:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                return False
    return True
