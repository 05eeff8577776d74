"""The answer to a SIP challenge (RFC 8760, MD5 as Asterisk asks), and a phone that gives it."""

import hashlib
import re
import socket
from uuid import uuid4


def authorization(challenge: str, method: str, uri: str, account: str, password: str) -> str:
    """Return the header by which an account answers this 401 of a server."""
    realm, nonce, opaque = (_field(challenge, name) for name in ("realm", "nonce", "opaque"))
    secret = _md5(f"{account}:{realm}:{password}")
    response = _md5(f"{secret}:{nonce}:00000001:c:auth:{_md5(f'{method}:{uri}')}")
    return (
        f'Authorization: Digest username="{account}", realm="{realm}", nonce="{nonce}", uri="{uri}",'
        f' response="{response}", algorithm=MD5, opaque="{opaque}", qop=auth, nc=00000001, cnonce="c"'
    )


def _md5(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()


def _field(answer: str, name: str) -> str:
    found = re.search(rf'{name}="([^"]*)"', answer)
    assert found, answer
    return found[1]


class SilentPhone:
    """A phone of its own making, without sound. It offers nothing, so a browser's account takes it, too."""

    def __init__(self, server: str, account: str, password: str, source: str = "") -> None:
        host, _, port = server.rpartition(":")
        self._server, self._account, self._password = (host, int(port)), account, password
        self._source = source

    def dial(self, extension: str) -> int:
        """Return the final answer to an INVITE with the password; a call is then ended."""
        return self._request("INVITE", extension)

    def is_known(self) -> bool:
        """Whether the server takes the password."""
        return self._request("OPTIONS", "s") not in (401, 403, 500)

    def _request(self, method: str, extension: str) -> int:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire:
            wire.bind((self._source, 0))
            wire.connect(self._server)
            wire.settimeout(20)
            call, uri = uuid4().hex, f"sip:{extension}@{self._server[0]}:{self._server[1]}"
            answer = self._ask(wire, method, uri, call, 1)
            if answer.startswith("SIP/2.0 401"):
                shown = authorization(answer, method, uri, self._account, self._password)
                answer = self._ask(wire, method, uri, call, 2, shown)
            status = int(answer.split()[1])
            if status == 200 and method == "INVITE":
                tag = re.search(r"\r\nTo:.*;tag=(\S+)", answer)
                assert tag
                self._ask(wire, "BYE", uri, call, 3, to=f";tag={tag[1]}")
            return status

    def _ask(
        self,
        wire: socket.socket,
        method: str,
        uri: str,
        call: str,
        number: int,
        shown: str = "",
        to: str = "",
    ) -> str:
        host, port = wire.getsockname()
        lines = [
            f"{method} {uri} SIP/2.0",
            f"Via: SIP/2.0/UDP {host}:{port};rport;branch=z9hG4bK{uuid4().hex}",
            f"From: <sip:{self._account}@{self._server[0]}>;tag=1",
            f"To: <{uri}>{to}",
            f"Call-ID: {call}",
            f"CSeq: {number} {method}",
            f"Contact: <sip:{self._account}@{host}:{port}>",
            "Max-Forwards: 70",
            *([shown] if shown else []),
            "Content-Length: 0",
        ]
        wire.send("\r\n".join([*lines, "", ""]).encode())
        while True:
            answer = wire.recv(8192).decode()
            if answer.startswith("SIP/2.0 ") and f"CSeq: {number} " in answer and answer[8] != "1":
                return answer
