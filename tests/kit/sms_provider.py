"""A provider of text messages on loopback: answers as Kavenegar does, remembers names, fails on command.

It also takes posts of JSON, by the headers Idempotency-Key and webhook-id or Bale's request_id, as others do.
"""

import base64
import itertools
import json
import threading
from collections import deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple, Self
from urllib.parse import parse_qs

from tests.kit.ports import free_port

PATIENCE_S = 30.0
KEY = "4B657931323334353637383930"
SECRET = "whsec_" + base64.b64encode(b"0123456789abcdef" * 2).decode()

DROP = "drop"
"""Take the message, then close the connection without an answer."""
HANG = "hang"
"""Take the message and answer nothing until the test is over."""
DRIP = "drip"
"""Take the message and answer a byte now and then until the test is over."""
HUGE = "huge"
"""Take the message and answer without end."""
GARBAGE = "garbage"
"""Take the message and answer something that is not JSON."""


class Request(NamedTuple):
    """One post as it came."""

    path: str
    name: str
    headers: dict[str, str]
    body: str
    fields: dict[str, str]


class SmsProvider:
    """Listens while entered; `plan` says what comes of the next requests; after them it accepts.

    A code refuses, with headers or without; bytes are the answer to a request that is not done.
    """

    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.plan: deque[str | int | bytes | tuple[int, dict[str, str]]] = deque()
        self.requests: list[Request] = []
        self.delivered: dict[str, Request] = {}
        """The messages that reached a citizen, once each, by name."""
        self.ids: dict[str, int] = {}
        self.over = threading.Event()
        self._serial = itertools.count(85463238)
        self._changed = threading.Condition()

    def __enter__(self) -> Self:
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                provider.answer(self)

            def log_message(self, *_: object) -> None:
                """Keep still."""

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

        self.over.clear()
        self._server = Server(("127.0.0.1", self.port), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(PATIENCE_S)

    def wait_for(self, count: int) -> None:
        """Wait until so many requests have come."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.requests) >= count, PATIENCE_S)

    def answer(self, wire: BaseHTTPRequestHandler) -> None:
        """Take one request, and do with it what the plan says."""
        request = _read(wire)
        with self._changed:
            step = self.plan.popleft() if self.plan else "accept"
            if isinstance(step, str):
                self.delivered.setdefault(request.name, request)
                self.ids.setdefault(request.name, next(self._serial))
            self.requests.append(request)
            self._changed.notify_all()
        if step == DROP:
            wire.close_connection = True
        elif step == HANG:
            self.over.wait(PATIENCE_S)
        elif step == DRIP:
            self._endless(wire, b"x", 0.05)
        elif step == HUGE:
            self._endless(wire, b"x" * 65536, 0)
        elif isinstance(step, bytes):
            _reply(wire, 200, {}, step)
        elif step == GARBAGE:
            _reply(wire, 200, {}, b"\xff<html>")
        elif isinstance(step, str):
            _reply(wire, 200, {}, _kavenegar(200, self.ids[request.name]))
        else:
            status, headers = step if isinstance(step, tuple) else (step, {})
            _reply(wire, status, headers, _kavenegar(status, None))

    def _endless(self, wire: BaseHTTPRequestHandler, piece: bytes, pause: float) -> None:
        wire.wfile.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
        try:
            while not self.over.wait(pause):
                wire.wfile.write(piece)
        except OSError:
            pass
        wire.close_connection = True


def _read(wire: BaseHTTPRequestHandler) -> Request:
    body = wire.rfile.read(int(wire.headers["Content-Length"])).decode()
    headers = {name.lower(): value for name, value in wire.headers.items()}
    if headers["content-type"].startswith("application/x-www-form-urlencoded"):
        fields = {name: values[0] for name, values in parse_qs(body).items()}
    else:
        fields = json.loads(body)
    ours = fields.get("localid") or fields.get("request_id")
    name = ours or headers.get("idempotency-key") or headers["webhook-id"]
    return Request(wire.path, name, headers, body, fields)


def _kavenegar(status: int, number: int | None) -> bytes:
    entries = None if number is None else [{"messageid": number, "status": 1, "statustext": "در صف ارسال"}]
    answer = {"return": {"status": status, "message": "پاسخ"}, "entries": entries, "id": number}
    return json.dumps(answer).encode()


def _reply(wire: BaseHTTPRequestHandler, status: int, headers: dict[str, str], body: bytes) -> None:
    wire.send_response(status)
    for name, value in {"Content-Length": str(len(body)), **headers}.items():
        wire.send_header(name, value)
    wire.end_headers()
    wire.wfile.write(body)
