"""Providers of text messages on loopback: each answers as its published documents say, and fails on command.

Nobody had an account at any of them: docs/text-messages.md says where each shape comes from.
"""

import itertools
import json
import threading
from collections import deque
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple, Self
from urllib.parse import parse_qs, urlsplit

from tests.kit.ports import free_port

PATIENCE_S = 30.0
KEY = "c0ffee137"
HANG, DROP, HTML, HALF = "hang", "drop", "html", "half"
"""Take it and say nothing; close the connection; answer a page; answer half of the JSON."""


class Asked(NamedTuple):
    """A request as it came."""

    method: str
    path: str
    headers: Mapping[str, str]
    fields: Mapping[str, Any]


class Gateway:
    """Listens while entered. `plan` says what comes of the next requests; after them it does as it should.

    A number is an HTTP status without a body; a pair is a status and a JSON body; HANG, DROP, HTML and HALF
    take the message first, so that whoever sends it again sends it twice.
    """

    def __init__(self, answers: "Callable[[Gateway, Asked], tuple[int, Any]]") -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.plan: deque[int | str | tuple[int, Any]] = deque()
        self.asked: list[Asked] = []
        self.sent: dict[str, Asked] = {}
        """What it took, by its own ids."""
        self.names: dict[str, str] = {}
        """Its ids by our names, where it knows names."""
        self.states: dict[str, int] = {}
        """What it says became of a message, by its id."""
        self.credit = 500_000.0
        self.key = KEY
        self._answers, self._serial, self._over = answers, itertools.count(8792343), threading.Event()

    def __enter__(self) -> Self:
        gateway = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                gateway._serve(self)

            do_POST = do_GET

            def log_message(self, *_: object) -> None:
                """Keep still."""

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

        self._server = Server(("127.0.0.1", self.port), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(PATIENCE_S)

    def take(self, asked: Asked, name: str | None = None) -> int:
        """Take a message; its id here. One whose name is known is not taken a second time."""
        if name in self.names:
            return int(self.names[name])
        number = next(self._serial)
        self.sent[str(number)] = asked
        if name:
            self.names[name] = str(number)
        return number

    def _serve(self, wire: BaseHTTPRequestHandler) -> None:
        asked = _read(wire)
        self.asked.append(asked)
        step = self.plan.popleft() if self.plan else None
        if isinstance(step, int):
            return _reply(wire, step, b"")
        if isinstance(step, tuple):
            return _reply(wire, step[0], json.dumps(step[1]).encode())
        status, answer = self._answers(self, asked)
        body = json.dumps(answer).encode()
        if step == HANG:
            self._over.wait(PATIENCE_S)
        elif step == DROP:
            wire.close_connection = True
        elif step == HTML:
            _reply(wire, 200, "<html>درگاه</html>".encode())
        else:
            _reply(wire, status, body[: len(body) // 2] if step == HALF else body)


def _read(wire: BaseHTTPRequestHandler) -> Asked:
    body = wire.rfile.read(int(wire.headers.get("Content-Length") or 0)).decode()
    headers = {name.lower(): value for name, value in wire.headers.items()}
    path = urlsplit(wire.path)
    if headers.get("content-type", "").startswith("application/json"):
        fields = json.loads(body)
    else:
        fields = {name: values[0] for name, values in parse_qs(body or path.query).items()}
    return Asked(wire.command, path.path, headers, fields)


def _reply(wire: BaseHTTPRequestHandler, status: int, body: bytes) -> None:
    wire.send_response(status)
    wire.send_header("Content-Length", str(len(body)))
    wire.end_headers()
    wire.wfile.write(body)


def kavenegar(gateway: Gateway, asked: Asked) -> tuple[int, Any]:
    """kavenegar.com/rest.html: the key stands in the path, the status in `return`."""

    def said(status: int, entries: Any = None) -> tuple[int, Any]:
        return status, {"return": {"status": status, "message": "پاسخ"}, "entries": entries}

    _, _, key, *method = asked.path.removesuffix(".json").split("/")
    if key != gateway.key:
        return said(403)
    match method:
        case ["account", "info"]:
            return said(200, {"remaincredit": gateway.credit, "expiredate": 13548889, "type": "Master"})
        case ["sms", "status"]:
            ids = asked.fields["messageid"].split(",")
            return said(200, [{"messageid": int(id_), "status": gateway.states.get(id_, 4)} for id_ in ids])
        case ["verify", "lookup"] if asked.fields["template"] == "unknown":
            return said(424)
        case ["verify", "lookup"] if any(" " in asked.fields.get(f"token{n}", "") for n in ("", 2, 3)):
            return said(431)
    if not gateway.credit:
        return said(418)
    number = gateway.take(asked, asked.fields.get("localid"))
    return said(200, [{"messageid": number, "status": 5, "statustext": "ارسال به مخابرات", "cost": 120}])
