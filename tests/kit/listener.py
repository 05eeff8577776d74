"""A caller who hears every word: dials 137, knows each clip by its samples, and follows a plan.

On an A-law line the packets of a clip are its file: its first ones identify it within 20 ms. A line without
packets is a system that waits for a key. Nothing here knows the call scripts.
"""

import re
import socket
import struct
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

from prompts.spoken import PAUSE
from tests.kit.ports import free_port
from tests.kit.rtp_sender import A_LAW, FRAME, SILENCE, TELEPHONE_EVENT, key_frames

_QUIET_S = 0.3
"""The silence after which the question is over. A clip follows another within a tenth of it."""
_PACKET_S = 0.02
_LONGEST_S = 400.0

_SDP = (
    "v=0\r\no=- 1 {version} IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    "m=audio {port} RTP/AVP 8 101\r\na=rtpmap:8 PCMA/8000\r\n"
    "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\n"
)


@dataclass(frozen=True)
class Moment:
    """A moment at `at` seconds: a `clip` that has just begun, or `quiet` after the last one."""

    at: float
    clip: str
    quiet: float


Plan = Callable[[Moment], str | None]
"""Asked as each clip begins and every 20 ms (`clip` is empty while one is said): keys, HANG_UP, or None."""
HANG_UP = "hang up"


@dataclass
class Heard:
    """A call; all times are seconds since it was answered."""

    answered_at: float = 0.0
    """The moment of the answer by time.time()."""
    clips: list[tuple[float, str]] = field(default_factory=list)
    """When each clip began."""
    pressed: list[tuple[float, str]] = field(default_factory=list)
    ended_at: float | None = None
    hung_up: bool = False
    """Whether the caller ended it."""

    def begins(self, clip: str) -> float | None:
        """When this clip first began."""
        return next((at for at, name in self.clips if name == clip), None)

    def digits_end(self, since: float) -> float | None:
        """When the first row of digits that began since then had been said."""
        row: list[float] = []
        for at, name in self.clips:
            if name.startswith(("digit-", "number-")) and at >= since:
                row.append(at)
            elif len(row) >= _A_ROW:
                break
            else:
                row = []
        return row[-1] + _DIGIT_S if len(row) >= _A_ROW else None


_A_ROW, _DIGIT_S = 5, 0.5
"""A row of this many digits is no count or hour; the last digit lasts about this long."""
_OPENING = 6
"""Packets by which a clip is known; the first two may be quiet."""


class Frame(NamedTuple):
    """A packet to send; of a key it is the first, or so many packets old."""

    kind: int
    first: bool
    age: int
    body: bytes


def openings(folder: Path, codec: str = "alaw") -> dict[bytes, str]:
    """Return the first packets of each clip of a language's folder; of equal ones the longest clip.

    A clip that begins like the pause is left out: every silence begins so, also within a word.
    """
    clips = sorted(folder.glob(f"*.{codec}"), key=lambda path: (path.stat().st_size, path))
    found = {_opening(path): path.stem for path in clips}
    found.pop(_opening(folder / f"{PAUSE}.{codec}"), None)
    return found


def _opening(clip: Path) -> bytes:
    return clip.read_bytes()[: _OPENING * FRAME]


class Listener(threading.Thread):
    """One call from `number` (national form) to 137 at `sip`, in a thread of its own."""

    silence = Frame(A_LAW, False, 0, SILENCE * FRAME)
    dialled = "137"

    def __init__(self, sip: tuple[str, int], number: str, known: Mapping[bytes, str], plan: Plan) -> None:
        super().__init__(daemon=True)
        self.heard = Heard()
        self.answered = ""
        """The last SDP that came."""
        self._to, self._number, self._known, self._plan = sip, number, known, plan
        self._call = uuid4().hex
        self._signalling = _bound()
        self._sound = _bound()
        self._remote = ""
        self._requests = 0
        self._frames: list[Frame | None] = []

    def run(self) -> None:
        """Call, listen and press until either side hangs up."""
        try:
            peer = self._dial()
            self._listen(peer)
        finally:
            self._signalling.close()
            self._sound.close()

    # --- the call ---

    def _dial(self) -> tuple[str, int]:
        self.invite()
        self._signalling.settimeout(30)
        while True:
            text = self._signalling.recv(8192).decode()
            if text.startswith("SIP/2.0 1"):
                continue
            assert text.startswith("SIP/2.0 200"), text.split("\r\n")[0]
            self._remote = _header(text, "To")
            media = re.search(r"^m=audio (\d+)", text, re.M)
            assert media
            self._agreed(text)
            self.heard.answered_at = time.time()
            return "127.0.0.1", int(media[1])

    def invite(self) -> None:
        """Ask for the call, or anew in the middle of it."""
        self._send(
            "INVITE", self.offer().format(port=self._sound.getsockname()[1], version=self._requests + 1)
        )

    def offer(self) -> str:
        """The SDP of this phone, with places for `port` and `version`."""
        return _SDP

    def move(self) -> None:
        """Go on at another port."""
        self._sound.close()
        self._sound = _bound()
        self.invite()

    def _agreed(self, text: str) -> None:
        self.answered = text.partition("\r\n\r\n")[2]
        self._send("ACK", number=int(_header(text, "CSeq").split()[0]))

    def _send(self, method: str, body: str = "", *, number: int = 0, kind: str = "application/sdp") -> None:
        self._requests += not number
        number = number or self._requests
        host, port = self._signalling.getsockname()
        lines = [
            f"{method} sip:{self.dialled}@{self._to[0]}:{self._to[1]} SIP/2.0",
            f"Via: SIP/2.0/UDP {host}:{port};rport;branch=z9hG4bK{uuid4().hex}",
            f"From: <sip:{self._number}@{host}>;tag={self._call[:8]}",
            f"To: {self._remote or f'<sip:137@{self._to[0]}>'}",
            f"Call-ID: {self._call}",
            f"CSeq: {number} {method}",
            f"Contact: <sip:{self._number}@{host}:{port}>",
            "Max-Forwards: 70",
            *([f"Content-Type: {kind}"] if body else []),
            f"Content-Length: {len(body)}",
        ]
        self._signalling.sendto("\r\n".join([*lines, "", body]).encode(), self._to)

    def _hung_up_by_them(self) -> bool:
        self._signalling.settimeout(0)
        try:
            text = self._signalling.recv(8192).decode()
        except BlockingIOError:
            return False
        if text.startswith("SIP/2.0 200") and "INVITE" in _header(text, "CSeq"):
            self._agreed(text)
        if not text.startswith("BYE"):
            return False
        names = ("Via", "From", "To", "Call-ID", "CSeq")
        head = "".join(f"{name}: {_header(text, name)}\r\n" for name in names)
        self._signalling.sendto(f"SIP/2.0 200 OK\r\n{head}Content-Length: 0\r\n\r\n".encode(), self._to)
        return True

    # --- the sound ---

    def _listen(self, peer: tuple[str, int]) -> None:
        began = time.monotonic()
        last_sound, clip, opening, sent = began, "", b"", 0
        while (at := time.monotonic() - began) < _LONGEST_S:
            if self._hung_up_by_them():
                self.heard.ended_at = at
                return
            self._speak(peer, sent)
            sent += 1
            deed = None
            while (packet := self._packet(began + sent * _PACKET_S)) is not None:
                last_sound = time.monotonic()
                opening = (opening + packet)[-_OPENING * FRAME :]
                if name := self._known.get(opening):
                    clip = name
                    self.heard.clips.append((last_sound - began, name))
                    deed = deed or self._plan(Moment(at, name, 0.0))
            quiet = time.monotonic() - last_sound
            deed = deed or self._plan(Moment(at, clip if quiet > _QUIET_S else "", quiet))
            if deed == HANG_UP:
                self._send("BYE")
                self.heard.ended_at, self.heard.hung_up = time.monotonic() - began, True
                return
            if deed:
                self.heard.pressed.append((time.monotonic() - began, deed))
                self.does(deed)

    def does(self, deed: str) -> None:
        """Do a step of the plan: here, press keys."""
        self._frames += [key and Frame(TELEPHONE_EVENT, *key) for key in key_frames(deed)]

    def _packet(self, until: float) -> bytes | None:
        left = until - time.monotonic()
        if left <= 0:
            return None
        self._sound.settimeout(left)
        try:
            return self._sound.recv(2048)[12:]
        except (TimeoutError, ConnectionRefusedError):
            return None

    def _speak(self, peer: tuple[str, int], sent: int) -> None:
        frame = (self._frames.pop(0) if self._frames else None) or self.silence
        mark, stamp = frame.first or sent == 0, (sent - frame.age) * FRAME
        head = struct.pack("!BBHII", 0x80, mark << 7 | frame.kind, sent & 0xFFFF, stamp, 137)
        self._sound.sendto(head + frame.body, peer)


def _bound() -> socket.socket:
    wire = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    wire.bind(("127.0.0.1", free_port()))
    return wire


def _header(text: str, name: str) -> str:
    found = re.search(rf"^{name}:[ \t]*(.*?)\r?$", text, re.I | re.M)
    return found[1] if found else ""
