"""Telephones of all kinds: their sound, how they press keys, what they do with a call meanwhile."""

import io
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import soundfile

from tests.kit.listener import Frame, Listener, Plan
from tests.kit.rtp_sender import FRAME

HOLD, RESUME, MOVE = "hold", "resume", "move"
"""Other steps of a plan: hold the call, take it back, or move it to another port."""

EVENTS, INFO, TONES = "RFC 4733", "SIP INFO", "tones"
"""How a key is told. Who sends INFO or tones offers no events."""

_RATE = 8000
_GRID = {697: "123A", 770: "456B", 852: "789C", 941: "*0#D"}
_COLUMNS = (1209, 1336, 1477, 1633)


class Codec(NamedTuple):
    """A codec by its name in RTP and SDP, the ending of its clips, and 20 ms of silence."""

    payload: int
    name: str
    suffix: str
    silence: bytes


A_LAW = Codec(8, "PCMA", "alaw", b"\xd5" * FRAME)
MU_LAW = Codec(0, "PCMU", "ulaw", b"\xff" * FRAME)
G722 = Codec(9, "G722", "g722", b"\xfa" * FRAME)


TEXT = ("m=text 11000 RTP/AVP 98", "a=rtpmap:98 t140/1000")
"""The SDP of a text telephone."""
FAX = ("m=image 11000 udptl t38", "a=T38FaxVersion:0", "a=T38FaxRateManagement:transferredTCF")
"""Some gateways and trunks offer it in each call."""


class Telephone(Listener):
    """A Listener with another codec or other keys, whose plan may also HOLD, RESUME and MOVE.

    `beside`: what it offers beside the sound. `dialled`: 137 as its network writes it. Tones are for A_LAW.
    """

    def __init__(
        self,
        sip: tuple[str, int],
        number: str,
        known: Mapping[bytes, str],
        plan: Plan,
        *,
        codec: Codec = A_LAW,
        keys: str = EVENTS,
        beside: Sequence[str] = (),
        dialled: str = "137",
    ) -> None:
        super().__init__(sip, number, known, plan)
        self.silence = Frame(codec.payload, False, 0, codec.silence)
        self._codec, self._keys, self._beside, self._direction = codec, keys, beside, "sendrecv"
        self.dialled = dialled

    def offer(self) -> str:
        """Return its SDP offer."""
        number, events = self._codec.payload, self._keys == EVENTS
        lines = [
            "v=0\r\no=- 1 {version} IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0",
            f"m=audio {{port}} RTP/AVP {number}{' 101' * events}",
            f"a=rtpmap:{number} {self._codec.name}/8000",
            *(["a=rtpmap:101 telephone-event/8000", "a=fmtp:101 0-15"] if events else []),
            f"a={self._direction}",
            *self._beside,
        ]
        return "\r\n".join([*lines, ""])

    def does(self, deed: str) -> None:
        """Hold, resume, move, or press keys in the way of this telephone."""
        if deed in (HOLD, RESUME):
            self._direction = "sendonly" if deed == HOLD else "sendrecv"
            self.invite()
        elif deed == MOVE:
            self.move()
        elif self._keys == INFO:
            for key in deed:
                self._send("INFO", f"Signal={key}\r\nDuration=160\r\n", kind="application/dtmf-relay")
        elif self._keys == TONES:
            self._frames += [Frame(A_LAW.payload, False, 0, body) for body in tones(deed)]
        else:
            super().does(deed)


def tones(keys: str) -> Iterator[bytes]:
    """The keys as a-law sound in packets of 20 ms: 120 ms of two tones each, and as much silence."""
    at = np.arange(_RATE * 12 // 100) / _RATE
    for key in keys:
        low = next(low for low, row in _GRID.items() if key in row)
        high = _COLUMNS[_GRID[low].index(key)]
        pair = 0.25 * (np.sin(2 * np.pi * low * at) + np.sin(2 * np.pi * high * at))
        sound = io.BytesIO()
        soundfile.write(
            sound, np.concatenate([pair, np.zeros_like(pair)]), _RATE, format="RAW", subtype="ALAW"
        )
        whole = sound.getvalue()
        yield from (whole[start : start + FRAME] for start in range(0, len(whole), FRAME))
