"""A citizen who dials 137 and registers, whatever breaks: calls again until their ticket was spoken.

A citizen whom the official has spoken with does not call again either.

Each takes one thread and two sockets, so that many can call at once. Clips are recognised byte by byte:
Asterisk sends them as they lie on the disk (A-law). No ear is needed, and clips may be as short as 0.2 s.
"""

import re
import socket
import threading
import time
from functools import cache
from pathlib import Path
from typing import Self
from uuid import uuid4

from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from db.engine import reading
from db.models import Registration
from db.states import RegistrationState
from tests.kit.sip import Request, Response, parse, sdp
from tests.kit.system import System

KEYS = {
    "greeting": "1",
    "main-menu": "1",
    "main-menu-slow": "1",
    "choose-round": "1",
    "confirm-number.1": "1",
    "confirm-number-slow.1": "1",
}
"""The key for each clip until the ticket number is spoken; a late caller hears the slow ones."""
TICKETS = ("registered.1", "registered-brief.2", "already-registered.1")
"""The clips before the ticket number: the brief one after early keys, the last one in a second call."""
_FRAME, _HEADER = 160, 12
_MARK = slice(2 * _FRAME, 6 * _FRAME)
"""The part of a clip that tells it from all others, also of one shortened to 0.2 s."""
_LOOK_S = 0.02
_KNOWN_S = 0.4
"""A key that comes sooner after a question begins may not count: nobody can know it yet."""
_AGAIN_S = 0.5
_CALL_S = 30.0


class Registrant:
    """Use it in a `with`; `number` is the caller's, in national form, who first dials `after_s` later."""

    def __init__(self, system: System, number: str, after_s: float = 0.0) -> None:
        self.number = number
        self.heard: list[str] = []
        """Every clip of KEYS and TICKETS that was heard, over all calls."""
        self.spoken_at: float | None = None
        """When the ticket number began to be spoken, as time.time() tells it."""
        self.calls = 0
        self.dialled_at: float | None = None
        self.heard_at: float | None = None
        """When they first dialled, and first heard anything."""
        self._system, self._after_s = system, after_s
        folder = system.settings.prompts_dir / "fa"
        self._marks = {mark(folder / f"{clip}.alaw"): clip for clip in (*KEYS, *TICKETS)}
        self._stopped = threading.Event()

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join(10)

    def wait(self, timeout: float) -> bool:
        """Wait until they call no more, which is when they have what they wanted; whether that is so."""
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _work(self) -> None:
        self._stopped.wait(self._after_s)
        while not self._stopped.is_set() and self.spoken_at is None:
            self.calls += 1
            self.dialled_at = self.dialled_at or time.time()
            with Line(self._system, self.number) as line:
                self._listen(line)
            self._stopped.wait(_AGAIN_S)
            if self._spoken_with():
                return

    def _spoken_with(self) -> bool:
        mine = select(Registration.state).where(Registration.number == "+98" + self.number[1:])
        try:
            with reading(self._system.engine) as session:
                return RegistrationState.REACHED in session.scalars(mine).all()
        except DBAPIError:  # the database is what is broken
            return False

    def _listen(self, line: "Line") -> None:
        sound, ends = b"", time.monotonic() + _CALL_S
        while line.open and not self._stopped.is_set() and time.monotonic() < ends:
            sound = (sound + line.hear())[-(1 << 16) :]
            if sound and not self.heard_at:
                self.heard_at = time.time()
            for found, clip in self._marks.items():
                if found in sound:
                    sound = sound.partition(found)[2]
                    self._hears(line, clip)

    def _hears(self, line: "Line", clip: str) -> None:
        self.heard.append(clip)
        if clip in TICKETS:
            self.spoken_at = time.time()
            self._stopped.wait(_AGAIN_S)  # the number itself
            line.hang_up()
        else:
            self._stopped.wait(_KNOWN_S)
            line.press(KEYS[clip])


@cache
def mark(clip: Path) -> bytes:
    """The bytes by which a clip is known."""
    return clip.read_bytes()[_MARK]


class Line:
    """One call to 137, from dialling (`with`) to its end."""

    def __init__(self, system: System, number: str) -> None:
        self._target = tuple(system.settings.sip)
        self._host = system.phones_at
        self._me = f"<sip:{number}@{self._host}>;tag={uuid4().hex}"
        self._them = f"<sip:137@{system.settings.sip}>"
        self._peer = f"sip:137@{system.settings.sip}"
        self._call_id, self._sent = uuid4().hex, 0
        self._routes: list[str] = []
        self.open = True
        self._answered = False

    def __enter__(self) -> Self:
        self._wire = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._wire.bind((self._host, 0))
        self._sound = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._sound.bind((self._host, 0))
        self._sound.settimeout(_LOOK_S)
        self._wire.setblocking(False)
        self._invite = self._request("INVITE", sdp(self._sound.getsockname()), "application/sdp")
        self._invited_at = time.monotonic()
        return self

    def __exit__(self, *_: object) -> None:
        self.hang_up()
        self._wire.close()
        self._sound.close()

    def hear(self) -> bytes:
        """The sound that has come in; looks after the signalling, too."""
        self.look()
        heard = b""
        try:
            while True:
                heard += self._sound.recv(2048)[_HEADER:]
                self.look()
        except TimeoutError:
            return heard

    def press(self, key: str) -> None:
        """Press a key."""
        self._request("INFO", f"Signal={key}\nDuration=80\n", "application/dtmf-relay")

    def hang_up(self) -> None:
        """End it, if it is not over."""
        if self.open:
            self.open = False
            self._request("BYE" if self._answered else "CANCEL")

    def look(self) -> None:
        """See to the signalling that has come in."""
        try:
            while True:
                message = parse(self._wire.recv(1 << 16))
                if isinstance(message, Request):
                    self._asked(message)
                elif message:
                    self._told(message)
        except BlockingIOError:
            if not self._answered and time.monotonic() - self._invited_at > _AGAIN_S:
                self._invited_at = time.monotonic()
                self._send(self._invite)

    def _asked(self, request: Request) -> None:
        if request.method != "ACK":
            lines = ["SIP/2.0 200 OK"]
            lines += [f"Via: {via}" for via in request.headers("Via")]
            lines += [f"{name}: {request.header(name)}" for name in ("From", "To", "Call-ID", "CSeq")]
            self._send("\n".join([*lines, "Content-Length: 0", "", ""]))
        if request.method == "BYE":
            self.open = False

    def _told(self, response: Response) -> None:
        if not response.header("CSeq").endswith("INVITE"):
            return
        accepted = response.text.startswith("SIP/2.0 200")
        if accepted and not self._answered:
            self._answered = True
            self._them = response.header("To")
            contact = re.search(r"<([^>]+)>", response.header("Contact"))
            self._peer = contact[1] if contact else self._peer
            self._routes = response.headers("Record-Route")[::-1]
            if where := response.sound_to(self._host):  # one packet shows where we are
                self._sound.sendto(b"\x80\x08" + bytes(10) + b"\xd5" * _FRAME, where)
        elif not accepted:
            self.open = False
        self._request("ACK", number=response.number)

    def _request(self, method: str, body: str = "", kind: str = "", number: int = 0) -> str:
        if method not in ("ACK", "CANCEL"):
            self._sent += 1
        branch = "z9hG4bK" + (self._call_id if method in ("INVITE", "CANCEL") else uuid4().hex)
        lines = [
            f"{method} {self._peer} SIP/2.0",
            f"Via: SIP/2.0/UDP {self._host}:{self._wire.getsockname()[1]};rport;branch={branch}",
            *(f"Route: {route}" for route in self._routes),
            f"From: {self._me}",
            f"To: {self._them}",
            f"Call-ID: {self._call_id}",
            f"CSeq: {number or self._sent} {method}",
            f"Contact: <sip:caller@{self._host}:{self._wire.getsockname()[1]}>",
            "Max-Forwards: 70",
            *([f"Content-Type: {kind}"] if body else []),
        ]
        text = "\n".join(
            [*lines, f"Content-Length: {len(body.replace(chr(10), chr(13) + chr(10)))}", "", body]
        )
        self._send(text)
        return text

    def _send(self, text: str) -> None:
        self._wire.sendto(text.replace("\n", "\r\n").encode(), self._target)
