"""The HTTP server: uvicorn, which waits for nobody without end."""

import asyncio
import logging
import socket
import sys

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from api.app import create
from settings import Settings

log = logging.getLogger("api")

REQUEST_S = 15.0
"""A client has so long for a whole request, from its first byte to its last."""
_UNREAD_S = 20
"""A client that reads nothing of its answer for so long is dropped (by the kernel)."""
_CONNECTIONS = 900
"""With the database's, fewer than the 1024 files that a process may have open by default."""
_LONGEST_HEAD = 16 << 10


class PromptClients(H11Protocol):
    """uvicorn's protocol, which by itself waits for ever for a request that has begun, or never begins."""

    _late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client has come."""
        super().connection_made(transport)
        self._await_request()

    def data_received(self, data: bytes) -> None:
        """A part of a request has come."""
        super().data_received(data)
        if self.conn.their_state in (h11.IDLE, h11.SEND_BODY):
            self._await_request()
        else:
            self._forget()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client has gone."""
        self._forget()
        super().connection_lost(exc)

    def _await_request(self) -> None:
        if self._late is None:
            self._late = self.loop.call_later(REQUEST_S, self.transport.abort)

    def _forget(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None


def server(settings: Settings) -> tuple[uvicorn.Server, socket.socket]:
    """The server, and the socket that it is to listen on."""
    config = uvicorn.Config(
        create(settings),
        host=settings.http.host,
        port=settings.http.port,
        http=PromptClients,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=1,
        limit_concurrency=_CONNECTIONS,
        h11_max_incomplete_event_size=_LONGEST_HEAD,
    )
    listening = config.bind_socket()
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _UNREAD_S * 1000)
    return uvicorn.Server(config), listening


def serve(settings: Settings) -> None:
    """Serve until the process is told to stop."""
    serving, listening = server(settings)
    serving.run(sockets=[listening])
    if not serving.started:
        sys.exit(1)
