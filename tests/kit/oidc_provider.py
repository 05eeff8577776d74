"""A small OpenID Connect provider on this machine: the city's sign-in, which can be made to lie."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

from tests.kit.ports import free_port

CLIENT, SECRET = "hotline", "secret-137"


class OidcProvider:
    """Signs everybody in at once, as `claims` says; its tokens are signed with a key made on the fly.

    `claims` are put over those of a right token. `asked` is what came last to each of its addresses.
    """

    def __init__(self) -> None:
        self.key = self.shown_key = RSAKey.generate_key(2048, auto_kid=True)
        self.claims: dict[str, Any] = {}
        self.asked: dict[str, dict[str, str]] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", free_port()), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})

    @property
    def issuer(self) -> str:
        """Its address and name."""
        return f"http://127.0.0.1:{self._server.server_port}/city"

    def answer(self, path: str, query: dict[str, str]) -> tuple[int, dict[str, Any] | str]:
        """Status and body, or the address to go to."""
        self.asked[path] = query
        if path == "/city/.well-known/openid-configuration":
            return 200, {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/keys",
                "id_token_signing_alg_values_supported": ["RS256"],
                "code_challenge_methods_supported": ["S256"],
            }
        if path == "/city/authorize":
            back = {"code": "a code", "state": query["state"]}
            return 302, f"{query['redirect_uri']}?{urlencode(back)}"
        if path == "/city/token":
            return 200, {"access_token": "x", "token_type": "Bearer", "id_token": self._token()}
        if path == "/city/keys":
            return 200, {"keys": [self.shown_key.as_dict(private=False)]}
        return 404, {}

    def _token(self) -> str:
        at = int(time.time())
        right = {"iss": self.issuer, "aud": CLIENT, "sub": "1", "iat": at, "exp": at + 300}
        nonce = {"nonce": self.asked["/city/authorize"]["nonce"]}
        header = {"alg": "RS256", "kid": self.shown_key.kid}
        return jwt.encode(header, {**right, **nonce, **self.claims}, self.key)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        city = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._answer(urlsplit(self.path).query)

            def do_POST(self) -> None:
                self._answer(self.rfile.read(int(self.headers["Content-Length"])).decode())

            def _answer(self, query: str) -> None:
                asked = {name: values[0] for name, values in parse_qs(query).items()}
                status, body = city.answer(urlsplit(self.path).path, asked)
                self.send_response(status)
                if isinstance(body, str):
                    self.send_header("Location", body)
                    body = {}
                content = json.dumps(body).encode()
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                pass

        return Handler

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
