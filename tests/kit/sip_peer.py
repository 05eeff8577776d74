"""Both ends of a SIP proxy, as small as can be: a node that takes calls, or a carrier.

They keep every message as it came in, so that a test sees the proxy's changes.
"""

import re
import socket
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from queue import Empty, Queue
from typing import Self
from uuid import uuid4

from tests.kit.sip import SDP, Address, Request, Response

_T1_S = 0.5


def headers(message: Request | Response, name: str) -> list[str]:
    """The values of all headers of this name, in order."""
    return re.findall(rf"^{name}:[ \t]*(.*?)[ \t]*$", message.text, re.I | re.M)


class Peer:
    """A UDP socket that speaks SIP. Use it in a `with`."""

    def __init__(self, host: str, port: int) -> None:
        self.host, self.port = host, port
        self.requests: list[tuple[float, Request]] = []
        """Incoming requests with their moments, ACK and health checks included."""
        self.answers: dict[str, Queue[Response]] = {}
        """The answers by the branch of the request, in order."""
        self.answers_calls = False

    def __enter__(self) -> Self:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((self.host, self.port))
        self._socket.settimeout(0.1)
        self._open = True
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._open = False
        self._thread.join()
        self._socket.close()

    def of(self, method: str) -> list[Request]:
        """The requests of this method that came in."""
        return [request for _, request in list(self.requests) if request.method == method]

    def send(self, text: str, to: Address) -> None:
        """Put it on the wire."""
        self._socket.sendto(text.replace("\n", "\r\n").encode(), to)

    def asked(self, request: Request, sender: Address) -> None:
        """A request came in."""
        if request.method != "ACK" and (request.method != "INVITE" or self.answers_calls):
            self.take(request, sender)

    def take(self, request: Request, sender: Address) -> None:
        """Say yes to it."""
        if request.method == "INVITE":
            described = ["Content-Type: application/sdp"]
            self.answer(request, "200 OK", sender, described, SDP.format(port=self.port + 1))
        else:
            self.answer(request, "200 OK", sender)

    def hang_up(self, call_id: str) -> Response | None:
        """End a call that came in, and give the answer."""
        invite = next(each for each in self.of("INVITE") if each.call_id == call_id)
        return Call.called(self, invite).ask("BYE")

    def answer(
        self, request: Request, status: str, sender: Address, more: Sequence[str] = (), body: str = ""
    ) -> None:
        """Answer it, as the called side of its dialog."""
        to = request.header("To")
        lines = [f"SIP/2.0 {status}"]
        lines += [f"Via: {via}" for via in headers(request, "Via")]
        lines += [f"Record-Route: {route}" for route in headers(request, "Record-Route")]
        lines += [f"{name}: {request.header(name)}" for name in ("From", "Call-ID", "CSeq")]
        lines += [f"To: {to if ';tag=' in to else f'{to};tag={self.port}'}"]
        lines += [f"Contact: <sip:137@{self.host}:{self.port}>", *more]
        self.send(_whole(lines, body), sender)

    def _listen(self) -> None:
        while self._open:
            with suppress(TimeoutError, ConnectionError):
                data, sender = self._socket.recvfrom(65536)
                text = data.decode("utf-8", "replace").replace("\r", "")
                if text.startswith("SIP/2.0"):
                    response = Response(text)
                    branch = re.search(r"branch=([^;\s,]+)", response.header("Via"))
                    self.answers.setdefault(branch[1] if branch else "", Queue()).put(response)
                elif text.strip():
                    request = Request(text)
                    self.requests.append((time.monotonic(), request))
                    self.asked(request, sender)


class Node(Peer):
    """Takes every call, unless it is full or says nothing."""

    def __init__(self, port: int) -> None:
        super().__init__("127.0.0.1", port)
        self.full = self.silent = self.drains = self.no_line = self.rings = self.sick = False
        self.lost = 0
        """How many health checks are lost on their way here."""
        self._ringing: dict[str, Request] = {}
        self._unheard: list[tuple[Request, Address]] = []
        self.said_full: list[str] = []
        """The calls whose caller it told that the lines are full."""

    def asked(self, request: Request, sender: Address) -> None:
        """Answer as our Asterisk does (dialplan/templates/extensions.conf)."""
        if self.silent:
            self._unheard.append((request, sender))
            return
        match request.method:
            case "ACK":
                pass
            case "INVITE" if self.rings:
                self.answer(request, "180 Ringing", sender)
                self._ringing[request.call_id] = request
            case "CANCEL" if request.call_id in self._ringing:
                self.answer(request, "200 OK", sender)
                self.answer(self._ringing.pop(request.call_id), "487 Request Terminated", sender)
            case "OPTIONS" if self.lost > 0:
                self.lost -= 1
            case "OPTIONS" | "INVITE" if self.drains and ";tag=" not in request.header("To"):
                self.answer(request, "503 Service Unavailable", sender)
            case "INVITE" if self.sick and request.header("X-Hotline-Next"):
                self.answer(request, "502 Bad Gateway", sender)
            case "INVITE" if self.full and (self.no_line or request.header("X-Hotline-Next")):
                self.answer(request, "503 Service Unavailable", sender)
            case _:
                if self.full and request.method == "INVITE":
                    self.said_full.append(request.call_id)
                self.take(request, sender)

    def well(self) -> None:
        """Be as at first; what was not answered and may still be waited for is answered now."""
        self.full = self.silent = self.drains = self.no_line = self.rings = self.sick = False
        self.lost = 0
        for request, sender in self._unheard:
            if request.method == "OPTIONS":
                self.asked(request, sender)
        self._unheard.clear()

    def callers(self) -> list[str]:
        """The calls that it was asked to take, once each, in order."""
        return list(dict.fromkeys(request.call_id for request in self.of("INVITE")))


class Call:
    """A call by the proxy: one that a peer makes, or has taken."""

    def __init__(
        self, peer: Peer, proxy: Address, target: str, more: Sequence[str] = (), number: str = "+989131234567"
    ) -> None:
        self._peer, self._proxy, self.call_id = peer, proxy, uuid4().hex
        self._from, self._to = f"<sip:{number}@{peer.host}>;tag={uuid4().hex[:8]}", f"<{target}>"
        self._target, self._more, self._routes = target, [*more], list[str]()
        self._sent = 0
        self.first: Response | None = None
        """The final answer to the INVITE."""
        self.took = 0.0
        """How many seconds the answer took."""
        self.over = False

    @classmethod
    def called(cls, peer: Peer, invite: Request) -> Self:
        """The side that was called, of a call that `peer` has taken."""
        routes = headers(invite, "Record-Route")
        found = re.search(r"sip:([^:;>]+):(\d+)", routes[0])
        contact = re.search(r"<([^>]+)>", invite.header("Contact"))
        assert found and contact, invite.text
        call = cls(peer, (found[1], int(found[2])), contact[1])
        call._from, call._to = f"{invite.header('To')};tag={peer.port}", invite.header("From")
        call.call_id, call._routes = invite.call_id, [f"Route: {each}" for each in routes]
        return call

    def cancel(self) -> None:
        """Hang up before it was answered; `finish` gives the INVITE's answer."""
        self._peer.send(self._request("CANCEL", self._branch), self._proxy)

    def within(self, routes: Sequence[str]) -> None:
        """Say that it stands, though perhaps nobody has answered it, and that this is its way."""
        self._routes, self._to = [*routes], self._to if ";tag=" in self._to else f"{self._to};tag=1"

    @property
    def status(self) -> str:
        """Return the status of the INVITE: `200`, `503`, or nothing."""
        return self.first.text.split()[1] if self.first else ""

    def ask(self, method: str, timeout: float = 8.0) -> Response | None:
        """Ask, again and again as SIP wants it, and give the final answer; None: there came none."""
        self.begin(method)
        return self.finish(timeout)

    def begin(self, method: str = "INVITE") -> None:
        """Only ask."""
        self._method, self._branch = method, f"z9hG4bK{uuid4().hex}"
        self._sent += 1
        self.over = method == "BYE"
        self._peer.answers[self._branch] = Queue()
        self._text = self._request(method, self._branch)
        self._began = time.monotonic()
        self._peer.send(self._text, self._proxy)

    def finish(self, timeout: float = 8.0) -> Response | None:
        """Wait for the final answer to what was asked."""
        ours, again, heard = self._peer.answers[self._branch], _T1_S, False
        while (left := self._began + timeout - time.monotonic()) > 0:
            try:
                response = ours.get(timeout=min(left, again))
            except Empty:
                if not heard:
                    self._peer.send(self._text, self._proxy)
                again *= 2
                continue
            heard = True
            if not response.text.startswith("SIP/2.0 1") and response.header("CSeq").endswith(self._method):
                if self._method == "INVITE":
                    self._answered(response)
                return response
        return None

    def _answered(self, response: Response) -> None:
        taken = response.text.startswith("SIP/2.0 2")
        if self.first is None:
            self.first, self.took = response, time.monotonic() - self._began
        branch = self._branch
        if taken:
            found = re.search(r"<([^>]+)>", response.header("Contact"))
            assert found, response.text
            self._target, self._more, branch = found[1], [], f"z9hG4bK{uuid4().hex}"
            self._routes = [f"Route: {each}" for each in reversed(headers(response, "Record-Route"))]
            if not self._routes:  # asked again within the call
                self._routes = [f"Route: {each}" for each in reversed(headers(self.first, "Record-Route"))]
        self._to = response.header("To")
        self._peer.send(self._request("ACK", branch), self._proxy)

    def _request(self, method: str, branch: str) -> str:
        body = SDP.format(port=self._peer.port + 1) if method == "INVITE" else ""
        lines = [
            f"{method} {self._target} SIP/2.0",
            f"Via: SIP/2.0/UDP {self._peer.host}:{self._peer.port};rport;branch={branch}",
            *self._routes,
            f"From: {self._from}",
            f"To: {self._to}",
            f"Call-ID: {self.call_id}",
            f"CSeq: {self._sent} {method}",
            f"Contact: <sip:{self._peer.host}:{self._peer.port}>",
            "Max-Forwards: 70",
            *(["Content-Type: application/sdp"] if body else []),
            *self._more,
        ]
        return _whole(lines, body)


def _whole(lines: Sequence[str], body: str) -> str:
    return "\n".join([*lines, f"Content-Length: {len(body.replace(chr(10), chr(13) + chr(10)))}", "", body])
