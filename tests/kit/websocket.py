"""SIP over WebSocket (RFC 7118), as anybody can speak it who reaches Asterisk's HTTP port."""

import base64
import os
import re
import socket
import struct
import uuid
from collections.abc import Sequence
from contextlib import suppress
from typing import Self

from settings.addresses import Address
from tests.kit.sip_digest import authorization


class WebSocketSip:
    """A connection to /ws. It says what it likes about who it is; it has no password.

    Raises ConnectionRefusedError if the server does not take it.
    """

    def __init__(self, server: Address, *, source: str = "127.0.0.1", headers: Sequence[str] = ()) -> None:
        self._server = server
        self._source = source
        self._headers = headers

    def __enter__(self) -> Self:
        self._socket = socket.create_connection(self._server, timeout=30, source_address=(self._source, 0))
        key = base64.b64encode(os.urandom(16)).decode()
        lines = [
            "GET /ws HTTP/1.1",
            f"Host: {self._server}",
            "Upgrade: websocket",
            "Connection: Upgrade",
            f"Sec-WebSocket-Key: {key}",
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Protocol: sip",
            *self._headers,
        ]
        self._socket.sendall("\r\n".join([*lines, "", ""]).encode())
        self._stream = self._socket.makefile("rb")
        if b"101" not in (answer := self._stream.readline()):
            self._stream.close()
            self._socket.close()
            raise ConnectionRefusedError(answer.decode())
        while self._stream.readline().strip():
            pass
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._socket.close()

    def request(
        self, method: str, *, user: str, caller: str, via: str = "WS", contact: str = "", body: str = ""
    ) -> int:
        """Ask for `user`, as `caller`; gives the final answer's status, 0 if there is none in 30 s.

        Into `via` and `contact` anything may be written, as into all that a caller says.
        """
        answer = self._ask(method, user=user, caller=caller, via=via, contact=contact, body=body)
        return int(answer[8:11] or 0)

    def request_as(self, account: str, password: str, method: str, user: str) -> int:
        """Ask for `user` with the account's password; gives the final answer's status. A call is ended."""
        challenge = self._ask(method, user=user, caller=account)
        header = authorization(challenge, method, f"sip:{user}@{self._server}", account, password)
        answer = self._ask(method, user=user, caller=account, header=header)
        if method == "INVITE" and answer.startswith("SIP/2.0 200"):
            call, tag = (re.search(rf"\r\n{name}(\S+)", answer) for name in ("Call-ID: ", "To:.*;tag="))
            assert call and tag
            self._ask("BYE", user=user, caller=account, call=call[1], number=2, to=f";tag={tag[1]}")
        return int(answer[8:11] or 0)

    def _ask(
        self,
        method: str,
        *,
        user: str,
        caller: str,
        via: str = "WS",
        contact: str = "",
        body: str = "",
        header: str = "",
        call: str = "",
        number: int = 1,
        to: str = "",
    ) -> str:
        here, call = f"{uuid.uuid4().hex[:8]}.invalid", call or uuid.uuid4().hex
        lines = [
            f"{method} sip:{user}@{self._server} SIP/2.0",
            f"Via: SIP/2.0/{via} {here};branch=z9hG4bK{uuid.uuid4().hex[:16]}",
            f"From: <sip:{caller}@{self._server.host}>;tag={call[:8]}",
            f"To: <sip:{user}@{self._server.host}>{to}",
            f"Contact: {contact or f'<sip:{caller}@{here};transport=ws>'}",
            f"Call-ID: {call}",
            f"CSeq: {number} {method}",
            "Max-Forwards: 70",
            "Event: presence",
            *([header] if header else []),
            *(["Content-Type: application/sdp"] if body else []),
            f"Content-Length: {len(body)}",
        ]
        self._send("\r\n".join([*lines, "", body]).encode())
        self._socket.settimeout(30)
        with suppress(TimeoutError):
            while answer := self._receive():
                told = answer.decode(errors="replace")
                if re.match(r"SIP/2\.0 [2-6]", told) and call in told and f"CSeq: {number} {method}" in told:
                    return told
        return ""

    def send_packet(self, packet: bytes) -> None:
        """Send this SIP message as it is."""
        self._send(packet)

    def _send(self, message: bytes) -> None:
        mask = os.urandom(4)
        length = bytes([0x80 | 126]) + struct.pack("!H", len(message))
        masked = bytes(byte ^ mask[at % 4] for at, byte in enumerate(message))
        self._socket.sendall(b"\x81" + length + mask + masked)

    def _receive(self) -> bytes:
        head = self._stream.read(2)
        if len(head) < 2:
            return b""
        length = head[1] & 0x7F
        if length == 126:
            length = struct.unpack("!H", self._stream.read(2))[0]
        return self._stream.read(length)
