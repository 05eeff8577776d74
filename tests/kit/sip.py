"""SIP for a phone that is called over loopback: incoming messages, and its side of a dialog."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from uuid import uuid4

Address = tuple[str, int]

LOOPBACK = "127.0.0.1"

SDP = """v=0
o=- 137 137 IN IP4 127.0.0.1
s=-
c=IN IP4 127.0.0.1
t=0 0
m=audio {port} RTP/AVP 8 101
a=rtpmap:8 PCMA/8000
a=rtpmap:101 telephone-event/8000
a=fmtp:101 0-15
"""


def sdp(here: Address) -> str:
    """The description of a phone that hears there."""
    return SDP.format(port=here[1]).replace(LOOPBACK, here[0])


@dataclass(frozen=True)
class _Message:
    text: str

    def header(self, name: str) -> str:
        """The value of the first header of this name; empty if there is none."""
        found = re.search(rf"^{name}:[ \t]*(.*?)[ \t]*$", self.text, re.I | re.M)
        return found[1] if found else ""

    def headers(self, name: str) -> list[str]:
        """The values of all headers of this name, in order."""
        return re.findall(rf"^{name}:[ \t]*(.*?)[ \t]*$", self.text, re.I | re.M)

    def sound_to(self, here: str) -> Address | None:
        """Return the sender's sound address in its SDP, on loopback there; None without SDP."""
        port = re.search(r"^m=audio (\d+)", self.text, re.M)
        host = re.search(r"^c=IN IP4 (\S+)", self.text, re.M)
        return (here if here == LOOPBACK else host[1], int(port[1])) if host and port else None

    @property
    def call_id(self) -> str:
        """Which call it belongs to."""
        return self.header("Call-ID")

    @property
    def number(self) -> int:
        """The number in CSeq."""
        return int(self.header("CSeq").split()[0])


class Request(_Message):
    """A request that came in."""

    @property
    def method(self) -> str:
        """INVITE, ACK, BYE, …"""
        return self.text.split(" ", 1)[0]

    @property
    def user(self) -> str:
        """Return the called user."""
        found = re.match(r"\S+ sips?:([^@;>\s]+)@", self.text)
        return found[1] if found else ""

    @property
    def is_of_a_dialog(self) -> bool:
        """Whether the sender takes a call for connected: both sides have their tags (RFC 3261 12.2)."""
        return ";tag=" in self.header("To")


class Response(_Message):
    """An answer that came in, provisional ones left out."""


def parse(data: bytes) -> Request | Response | None:
    """Return the message; None for a keep-alive or a provisional answer."""
    text = data.decode("utf-8", "replace").replace("\r", "")
    if not text.strip() or text.startswith("SIP/2.0 1"):
        return None
    return Response(text) if text.startswith("SIP/2.0") else Request(text)


class Dialog:
    """The called phone's side of one call."""

    def __init__(
        self,
        invite: Request,
        here: Address,
        sound_port: int,
        send: Callable[[bytes], None],
    ) -> None:
        self._invite, self._send = invite, send
        user = f"{invite.user}@" if invite.user else ""
        self._host, self._port = here
        self._here = f"<sip:{user}{self._host}:{self._port}>"
        self._sound_port = sound_port
        self._me = f"{invite.header('To')};tag={uuid4().hex}"
        peer = re.search(r"<([^>]+)>", invite.header("Contact"))
        self._peer = peer[1] if peer else ""
        self.sound_to = invite.sound_to(self._host) or (LOOPBACK, 9)
        self._sent = 0
        self._last = ""

    def reply(self, status: str) -> None:
        """Answer the INVITE."""
        body = sdp((self._host, self._sound_port)) if status.startswith("200") else ""
        self._last = self._answer(self._invite, status, self._me, body)
        self.send(self._last)

    def again(self, invite: Request) -> None:
        """Answer a repeated INVITE with the latest answer, and a later one with 200 (RFC 3261 14.2)."""
        if invite.number == self._invite.number:
            self.send(self._last)
            return
        body = sdp((self._host, self._sound_port))
        self.send(self._answer(invite, "200 OK", invite.header("To"), body))

    def accept(self, request: Request) -> None:
        """Answer 200 to any other request."""
        self.send(self._answer(request, "200 OK", request.header("To")))

    def refuse(self, request: Request, status: str) -> None:
        """Answer a request of a dialog that is not there."""
        self.send(self._answer(request, status, request.header("To")))

    def request(self, method: str, body: str = "", kind: str = "") -> tuple[int, str]:
        """A request of ours, not sent yet, and its number."""
        self._sent += 1
        lines = [
            f"{method} {self._peer} SIP/2.0",
            f"Via: SIP/2.0/UDP {self._host}:{self._port};rport;branch=z9hG4bK{uuid4().hex}",
            *(f"Route: {route}" for route in self._invite.headers("Record-Route")),
            f"From: {self._me}",
            f"To: {self._invite.header('From')}",
            f"Call-ID: {self._invite.call_id}",
            f"CSeq: {self._sent} {method}",
            "Max-Forwards: 70",
        ]
        return self._sent, self._whole(lines, body, kind)

    def send(self, text: str) -> None:
        """Put it on the wire."""
        self._send(text.replace("\n", "\r\n").encode())

    def _answer(self, request: Request, status: str, to: str, body: str = "") -> str:
        lines = [f"SIP/2.0 {status}"]
        lines += [f"{name}: {each}" for name in ("Via", "Record-Route") for each in request.headers(name)]
        lines += [f"{name}: {request.header(name)}" for name in ("From", "Call-ID", "CSeq")]
        return self._whole([*lines, f"To: {to}", f"Contact: {self._here}"], body, "application/sdp")

    def _whole(self, lines: list[str], body: str, kind: str) -> str:
        length = len(body.replace("\n", "\r\n"))
        described = [f"Content-Type: {kind}"] if body else []
        return "\n".join([*lines, *described, f"Content-Length: {length}", "", body])
