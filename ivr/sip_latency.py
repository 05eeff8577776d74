"""Latency of our own Asterisk's SIP port, measured by OPTIONS as a carrier would.

In a rush calls wait there before any script knows of them. Scripts wait little then, while INVITEs and keys
are a second late. The thread asks only in a rush, so that a quiet night costs nothing. The asking thread
waits for this process's own lock, too, so its figures include our own delays.
"""

import math
import secrets
import socket
import threading
import time
from collections.abc import Callable

from dialplan.accounts import ASKS
from settings import Settings
from settings.addresses import Address

ANSWER_S = 0.8
"""Seconds after which no answer is expected, so that each second has a result."""
_PACKET = 4096
_EVERY_S = 0.1
_QUIET_S = 1.0
_UNKNOWN_S = 60.0
"""Pause before an Asterisk that never answered, with an older configuration, is asked again."""


def keep_asking(
    settings: Settings, is_rush: Callable[[], bool], took: Callable[[float], None], stop: threading.Event
) -> None:
    """Pass the seconds of each answer to `took` while `is_rush`, until `stop`; math.inf for none."""
    known, pause = False, _QUIET_S
    while not stop.wait(pause):
        pause = _QUIET_S
        if known and not is_rush():
            continue
        try:
            with _line(settings) as line:
                while not stop.wait(_EVERY_S):
                    seconds = _ask(line, settings)
                    known = known or seconds < math.inf
                    if not known:
                        pause = _UNKNOWN_S
                    if not known or not is_rush():
                        break
                    took(seconds)
        except OSError:
            continue  # without Asterisk no callers


def _line(settings: Settings) -> socket.socket:
    host = settings.sip.host if settings.sip.host not in ("0.0.0.0", "[::]") else settings.ami.host  # noqa: S104
    found = socket.getaddrinfo(host.strip("[]"), settings.sip.port, type=socket.SOCK_DGRAM)
    family, kind, _, _, where = found[0]
    line = socket.socket(family, kind)
    line.connect(where)
    return line


def _own(line: socket.socket) -> Address:
    host, port = line.getsockname()[:2]
    return Address(f"[{host}]" if ":" in host else host, port)


def _ask(line: socket.socket, settings: Settings) -> float:
    """Return the seconds until Asterisk answers 200, or math.inf."""
    question, here = f"z9hG4bK{secrets.token_hex(8)}", _own(line)
    began = time.monotonic()
    line.send(
        "\r\n".join(
            (
                f"OPTIONS sip:s@{here.host} SIP/2.0",
                f"Via: SIP/2.0/UDP {here};rport;branch={question}",
                f"From: <sip:{settings.secret_for(ASKS)}@{here.host}>;tag={question}",
                f"To: <sip:s@{here.host}>",
                f"Call-ID: {question}",
                "CSeq: 1 OPTIONS",
                "Max-Forwards: 1",
                "Content-Length: 0\r\n\r\n",
            )
        ).encode()
    )
    while (left := began + ANSWER_S - time.monotonic()) > 0:
        line.settimeout(left)
        try:
            answer = line.recv(_PACKET)
        except TimeoutError:
            break
        if question.encode() in answer:  # not an answer to an earlier question
            is_well = answer.startswith(b"SIP/2.0 200 ")
            return time.monotonic() - began if is_well else math.inf
    return math.inf
