"""The HTTP server: uvicorn with time limits on slow clients."""

import asyncio
import logging
import resource
import socket
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from ipaddress import ip_network
from types import FrameType
from typing import cast

import h11
import uvicorn
from uvicorn._types import ASGI3Application, ASGIReceiveCallable, ASGISendCallable, Scope
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware
from uvicorn.protocols.http.h11_impl import H11Protocol

from api.app import create
from api.concurrency_limit import ConcurrencyLimit
from api.connections import Connections
from api.cookies import PEER
from api.security import takes_files
from hotline import watchdog
from settings import Settings
from settings.addresses import Address

log = logging.getLogger("api")

REQUEST_S = 15.0
"""Seconds for a whole request, from its first byte to its last."""
PICTURE_S = 120.0
"""Seconds for a picture, once the sender is known: 200 kB take half a minute on a slow network. An upload in
pieces continues in another request."""
_UNREAD_S = 20
"""Seconds after which the kernel drops a client that reads nothing of its answer."""
_REST = 16 << 20
"""Bytes that are read and dropped after an early answer. A client that still sends while the connection
closes would not read the answer."""
_CONNECTIONS = 900
"""A request beyond this number of connections gets an error."""
_FILES = 4096
"""Open files of the process: these connections, the database's, and new ones in the backlog."""
_LONGEST_HEAD = 16 << 10
_ASK_S = 2.0
_ANSWER_S = 120.0
"""How long this process's own question may wait behind strangers' requests. Meanwhile each turn of the event
loop counts as work. A question that was given up sooner would lose its place in the queue."""
_SLOW_S = 5.0
"""An answer that took longer is logged."""
_TICK_S = 1.0
_WELL = b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"


class Liveness:
    """Tells the watchdog that this process works: it answers its own question, and its event loop turns.

    An event loop that stands still is silent at once. A slow one is silent once its own question has had no
    answer for `_ANSWER_S`.
    """

    def __init__(self) -> None:
        self._answered_at: float | None = None

    def answered(self) -> None:
        """Report the answer to the process's own question."""
        self._answered_at = time.monotonic()
        watchdog.record_work()

    def turned(self) -> None:
        """Report work of the event loop, unless the own question waits for too long, or had no answer yet."""
        if self._answered_at is not None and time.monotonic() - self._answered_at < _ANSWER_S:
            watchdog.record_work()


class _Transport:
    """A connection with its own `close`."""

    def __init__(self, transport: asyncio.Transport, close: Callable[[], None]) -> None:
        self._transport, self.close = transport, close

    def __getattr__(self, name: str) -> object:
        return getattr(self._transport, name)


class PromptClients(H11Protocol):
    """uvicorn's protocol, with a time limit on each request.

    uvicorn itself waits for ever for a request to begin or to end. It also closes on a client that still
    sends, which then reads no answer.
    """

    open: Connections
    liveness: Liveness
    own_question: bytes
    """The request that this process sends to itself; 204 answers it without the application."""
    _connection: asyncio.Transport
    _late: asyncio.TimerHandle | None = None
    _has_time = False
    _rest: int | None = None
    """Bytes that may still arrive of a request that is already answered."""
    _said = False
    """Whether the last answer is sent."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the time limit of a new connection."""
        super().connection_made(transport)
        self._connection = transport
        self.transport = cast("asyncio.Transport", _Transport(transport, self._close))
        self.open.opened(transport, self.client[0] if self.client else "")
        self._await_request()

    def data_received(self, data: bytes) -> None:
        """Handle the next bytes of a request."""
        self.liveness.turned()
        if data == self.own_question and self.conn.their_state is h11.IDLE:
            self._connection.write(_WELL)
            self._connection.close()
            return
        if self._rest is not None:
            self._rest -= len(data)
            if self._rest < 0:
                self._connection.close()
            if self._rest < 0 or self._said:
                return
        super().data_received(data)
        if self._rest is not None and not self._is_answered_early():
            self._rest = None
            self._forget()
        if self._rest is not None:
            return
        if self.conn.their_state in (h11.IDLE, h11.SEND_BODY):
            self._await_request()
            self._give_time()
        else:
            self._forget()

    def on_response_complete(self) -> None:
        """Wait for the next request after an answer."""
        self.liveness.turned()
        if self._said:
            return
        super().on_response_complete()
        if self._connection.is_closing():
            return
        if self._is_answered_early():
            self._discard()
        elif self.conn.their_state is h11.IDLE:
            self.open.waits(self._connection)

    def _is_answered_early(self) -> bool:
        """Return whether a request was answered before its body was read, as refusals are."""
        answered = self.conn.our_state not in (h11.IDLE, h11.SEND_RESPONSE, h11.SEND_BODY)
        return answered and self.conn.their_state is h11.SEND_BODY

    def _discard(self) -> None:
        """Read and drop the rest, within the time limit."""
        self._forget()
        self._rest = _REST
        self._await_request()
        self.flow.resume_reading()

    def _close(self) -> None:
        if self._said or self._connection.is_closing() or not self._is_answered_early():
            self._connection.close()
            return
        self._said = True
        self._connection.write_eof()
        self._discard()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the time limit of a closed connection."""
        self._forget()
        self.open.closed(self._connection)
        super().connection_lost(exc)

    def _await_request(self) -> None:
        if not self._has_time:
            self.open.waits(self._connection)
        if self._late is None:
            self._late = self.loop.call_later(REQUEST_S, self._connection.abort)

    def _give_time(self) -> None:
        """Extend the time limit once, for a file's body. Waiting connections do not push it out meanwhile."""
        if self._has_time or self.conn.their_state is not h11.SEND_BODY or self._late is None:
            return
        if takes_files(self.scope["path"]):
            self._has_time = True
            self.open.served(self._connection)
            self._late.cancel()
            self._late = self.loop.call_later(PICTURE_S, self._connection.abort)

    def _forget(self) -> None:
        self._has_time = False
        self.open.served(self._connection)
        if self._late is not None:
            self._late.cancel()
            self._late = None


def allow_files() -> None:
    """Raise this process's limit of open files to what its connections may need."""
    now, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if 0 <= now < _FILES:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(_FILES, most) if most >= 0 else _FILES, most))


def _noting_peers(app: ASGI3Application, liveness: Liveness) -> ASGI3Application:
    """Keep the peer's address in the scope: a proxy's header may hold no address."""

    async def noting(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        liveness.turned()
        cast("dict[str, object]", scope)[PEER] = scope.get("client")
        await app(scope, receive, send)

    return noting


class Server(uvicorn.Server):
    """uvicorn's server, adapted to idle and to stop cleanly.

    uvicorn wakes up ten times a second to check for its end. At its end it waits for event streams until it
    cuts them off.
    """

    def __init__(self, config: uvicorn.Config, end_lines: Callable[[], None], liveness: Liveness) -> None:
        super().__init__(config)
        self._end_lines = end_lines
        self.liveness = liveness
        self.loop: asyncio.AbstractEventLoop | None = None
        self._ends = asyncio.Event()

    async def main_loop(self) -> None:
        """Serve until told to stop; once a second, update the Date header's clock."""
        self.loop = asyncio.get_running_loop()
        while not await self.on_tick(0):
            self.liveness.turned()
            with suppress(TimeoutError):
                async with asyncio.timeout(_TICK_S):
                    await self._ends.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the event streams, and answer pending requests."""
        self._end_lines()
        await super().shutdown(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop on a signal."""
        super().handle_exit(sig, frame)
        if self.loop is not None:
            self.loop.call_soon_threadsafe(self._ends.set)


def make_server(settings: Settings) -> tuple[Server, socket.socket]:
    """Return the server, and the socket on which it listens."""
    proxies = [ip_network(each, strict=False) for each in settings.trusted_proxies]
    trusted = [str(each) for each in proxies]
    liveness = Liveness()
    given = {"open": Connections(proxies), "liveness": liveness, "own_question": _question(settings.http)}
    app = create(settings)
    config = uvicorn.Config(
        _noting_peers(
            ProxyHeadersMiddleware(ConcurrencyLimit(cast("ASGI3Application", app)), trusted), liveness
        ),
        host=settings.http.host,
        port=settings.http.port,
        http=type("Clients", (PromptClients,), given),
        log_config=None,
        access_log=False,
        proxy_headers=False,
        timeout_graceful_shutdown=1,
        limit_concurrency=_CONNECTIONS,
        h11_max_incomplete_event_size=_LONGEST_HEAD,
    )
    listening = config.bind_socket()
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _UNREAD_S * 1000)
    return Server(config, app.state.tail.stop, liveness), listening


def _question(address: Address) -> bytes:
    return f"GET /livez HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n".encode()


def _ask_itself(address: Address, answered: Callable[[], None], stop: threading.Event) -> None:
    """Send requests to our own address: any answer shows that requests are accepted and read."""
    wait_s = _ASK_S
    while not stop.wait(wait_s):
        wait_s = _ASK_S / 4  # without an answer, less time is left until the watchdog acts
        began = time.monotonic()
        try:
            with socket.create_connection(address, _ANSWER_S) as wire:
                wire.sendall(_question(address))
                if not wire.recv(1):
                    raise OSError("no answer")
        except OSError as error:
            log.warning("no request is answered: %s", error)
        else:
            answered()
            wait_s = _ASK_S
            if (took_s := time.monotonic() - began) > _SLOW_S:
                log.warning("too much to do: a request waits %d s for its answer", took_s)


def serve(settings: Settings) -> None:
    """Serve until the process is told to stop."""
    allow_files()
    serving, listening = make_server(settings)
    stop = threading.Event()
    asking = (settings.http, serving.liveness.answered, stop)
    threading.Thread(target=_ask_itself, args=asking, daemon=True).start()
    serving.run(sockets=[listening])
    stop.set()
    if not serving.started:
        sys.exit(1)
