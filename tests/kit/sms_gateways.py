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
    """A gateway that listens while entered. `plan` holds the answers to the next requests; it works as it
    should after them.

    A number is an HTTP status without a body; a pair is a status and a JSON body. HANG, DROP, HTML and HALF
    accept the message first, so a sender that retries sends it twice.
    """

    def __init__(self, answers: "Callable[[Gateway, Asked], tuple[int, Any]]") -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.plan: deque[int | str | tuple[int, Any]] = deque()
        self.asked: list[Asked] = []
        self.sent: dict[str, Asked] = {}
        """The accepted messages, by its own ids."""
        self.names: dict[str, str] = {}
        """Its ids by our names, where it knows names."""
        self.states: dict[str, int] = {}
        """The delivery states that it reports, by id."""
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
        case ["verify", "lookup"] if asked.fields["template"] not in ("137", "sabt"):
            return said(424)
        case ["verify", "lookup"] if any(" " in asked.fields.get(f"token{n}", "") for n in ("", 2, 3)):
            return said(431)
    if not gateway.credit:
        return said(418)
    number = gateway.take(asked, asked.fields.get("localid"))
    return said(200, [{"messageid": number, "status": 5, "statustext": "ارسال به مخابرات", "cost": 120}])


def smsir(gateway: Gateway, asked: Asked) -> tuple[int, Any]:
    """sms.ir/rest-api: `status` 1 is good."""

    def said(status: int, data: Any = None) -> tuple[int, Any]:
        return (200 if status == 1 else 400), {"status": status, "message": "پاسخ", "data": data}

    if asked.headers.get("x-api-key") != gateway.key:
        return 401, {"status": 10, "message": "کلید نامعتبر است", "data": None}
    match asked.method, asked.path.split("/")[2:]:
        case "GET", ["credit"]:
            return said(1, gateway.credit)
        case "GET", ["send", id_]:
            return said(1, {"messageId": int(id_), "deliveryState": gateway.states.get(id_, 5)})
        case "POST", ["send", "verify"]:
            if asked.fields["templateId"] != 137:
                return said(113)
            if any(len(each["value"]) > 25 for each in asked.fields["parameters"]):
                return said(114)
            return said(1, {"messageId": gateway.take(asked), "cost": 1.0}) if gateway.credit else said(102)
    if not isinstance(asked.fields["lineNumber"], int):
        return said(101)
    ids = [gateway.take(asked) for _ in asked.fields["mobiles"]] if gateway.credit else []
    return said(1, {"packId": "2b99", "messageIds": ids, "cost": 1.0}) if ids else said(102)


def melipayamak(gateway: Gateway, asked: Asked) -> tuple[int, Any]:
    """rest.payamak-panel.com: a code or a long number as `Value`."""

    def said(value: Any, status: int) -> tuple[int, Any]:
        return 200, {"Value": str(value), "RetStatus": status, "StrRetStatus": "Ok" if status == 1 else "No"}

    if (asked.fields.get("username"), asked.fields.get("password")) != ("city", gateway.key):
        return said(0, 0)
    match asked.path.rpartition("/")[2]:
        case "GetCredit":
            return said(gateway.credit, 1)
        case "GetDeliveries2":
            return said(gateway.states.get(asked.fields["recId"], 8), 1)
        case "BaseServiceNumber" if asked.fields["bodyId"] != "137":
            return said(-4, 1)
    if not gateway.credit:
        return said(2, 0)
    return said(gateway.take(asked), 1)


def ghasedak(gateway: Gateway, asked: Asked) -> tuple[int, Any]:
    """gateway.ghasedak.me/rest: `isSuccess`, and names of fields large in one answer and small in another."""

    def said(status: int, data: Any = None) -> tuple[int, Any]:
        good = status == 200
        return status, {"isSuccess": good, "statusCode": status, "message": "پاسخ", "data": data}

    if asked.headers.get("apikey") != gateway.key:
        return said(401)
    match asked.path.rpartition("/")[2]:
        case "GetAccountInformation":
            return said(200, {"credit": gateway.credit, "expireDate": "2027-01-01T00:00:00"})
        case "CheckSmsStatus":
            ids = asked.fields["Ids"].split(",")
            data = [{"MessageId": id_, "Status": gateway.states.get(id_, 3), "Price": 940} for id_ in ids]
            return 200, {"Data": data, "IsSuccess": True, "StatusCode": 200, "Message": "با موفقیت انجام شد"}
        case "SendOtpSMS" if asked.fields["templateName"] != "137":
            return said(404)
        case "SendOtpSMS" if gateway.credit:
            return said(200, {"items": [{"messageId": str(gateway.take(asked)), "cost": 940}]})
    return said(200, {"messageId": str(gateway.take(asked)), "cost": 940}) if gateway.credit else said(402)


def ippanel(gateway: Gateway, asked: Asked) -> tuple[int, Any]:
    """ippanelcom.github.io/Edge-Document: what is true stands in `meta`."""

    def said(status: int, data: Any, code: str = "200-1") -> tuple[int, Any]:
        return status, {"data": data, "meta": {"status": status == 200, "message_code": code}}

    if asked.headers.get("authorization") != gateway.key:
        return said(401, None, "400-1")
    match asked.path.removeprefix("/api/"):
        case "payment/credit/mine":
            return said(200, {"credit": gateway.credit, "gift": 0})
        case "report/recipients":
            state = gateway.states.get(asked.fields["bulk_id"], 1)
            return said(200, [{"recipient": "+989120000000", "message_status": str(state)}])
    if asked.fields["sending_type"] == "pattern" and asked.fields["code"] != "137":
        return said(422, None, "400-2")
    if not gateway.credit:
        return said(402, None, "402-1")
    return said(200, {"message_outbox_ids": [gateway.take(asked)]})
