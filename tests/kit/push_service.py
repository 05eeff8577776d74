"""A browsers' push service on loopback, by HTTPS: answers as the real ones, and on command as they fail.

And the browser for which it takes notices: only that one has the keys to read them.
"""

import base64
import datetime
import json
import ssl
import threading
from collections import deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple, Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from joserfc import jwt
from joserfc.jwk import ECKey

from tests.kit.ports import free_port

PATIENCE_S = 30.0
HOST = "push.example"
HANG = "hang"
"""Take the notice and answer nothing until the test is over."""


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Post(NamedTuple):
    """One post as it came."""

    path: str
    headers: dict[str, str]
    body: bytes

    def claims(self) -> dict[str, Any]:
        """Return the claims of the token, after checking the signature by the key that it names."""
        scheme, _, rest = self.headers["authorization"].partition(" ")
        parts = dict(part.strip().split("=", 1) for part in rest.split(","))
        point = unb64(parts["k"])
        assert (scheme, len(point)) == ("vapid", 65)
        key = {"kty": "EC", "crv": "P-256", "x": b64(point[1:33]), "y": b64(point[33:])}
        claims: dict[str, Any] = jwt.decode(parts["t"], ECKey.import_key(key), algorithms=["ES256"]).claims
        return claims


class Subscribed:
    """A browser with its address at the service, and the keys that stay in it."""

    def __init__(self, path: str = "/wpush/one", host: str = HOST) -> None:
        self.endpoint = f"https://{host}{path}"
        self._key, self._secret = ec.generate_private_key(ec.SECP256R1()), bytes(range(16))
        self._point = self._key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        self.p256dh, self.auth = b64(self._point), b64(self._secret)

    def read(self, post: Post) -> Any:
        """Return the content of a notice for this browser."""
        assert post.headers["content-encoding"] == "aes128gcm"
        return json.loads(opened(post.body, self._key, self._secret))


def opened(body: bytes, key: ec.EllipticCurvePrivateKey, secret: bytes) -> bytes:
    """RFC 8291, read from the browser's side."""
    salt, size, length = body[:16], int.from_bytes(body[16:20]), body[20]
    sender, sealed = body[21 : 21 + length], body[21 + length :]
    assert len(sealed) <= size
    point = key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    shared = key.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), sender))
    input_key = _hkdf(shared, secret, b"WebPush: info\0" + point + sender, 32)
    content_key = _hkdf(input_key, salt, b"Content-Encoding: aes128gcm\0", 16)
    nonce = _hkdf(input_key, salt, b"Content-Encoding: nonce\0", 12)
    plain = AESGCM(content_key).decrypt(nonce, sealed, None).rstrip(b"\0")
    assert plain[-1:] == b"\2", "the last record"
    return plain[:-1]


def _hkdf(key: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    return HKDF(hashes.SHA256(), length, salt, info).derive(key)


class PushService:
    """A push service that listens while entered. `plan` holds the answers to the next notices: a status, with
    headers or without. It accepts all after them.
    """

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.plan: deque[str | int | tuple[int, dict[str, str]]] = deque()
        self.posts: list[Post] = []
        self.over = threading.Event()
        self._certificate = _certificate(folder)

    def trusted(self) -> ssl.SSLContext:
        """Return a context that trusts this service's certificate, and no other."""
        return ssl.create_default_context(cafile=str(self._certificate))

    def __enter__(self) -> Self:
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                service._answer(self)

            def log_message(self, *_: object) -> None:
                """Keep still."""

        class Server(ThreadingHTTPServer):
            daemon_threads = True

        self._server = Server(("127.0.0.1", self.port), Handler)
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(self._certificate)
        self._server.socket = tls.wrap_socket(
            self._server.socket, server_side=True, do_handshake_on_connect=False
        )
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(PATIENCE_S)

    def _answer(self, wire: BaseHTTPRequestHandler) -> None:
        body = wire.rfile.read(int(wire.headers["Content-Length"]))
        headers = {name.lower(): value for name, value in wire.headers.items()}
        self.posts.append(Post(wire.path, headers, body))
        step = self.plan.popleft() if self.plan else 201
        if isinstance(step, str):
            self.over.wait(PATIENCE_S)
            return
        status, more = step if isinstance(step, tuple) else (step, {})
        wire.send_response(status)
        for name, value in {"Content-Length": "0", **more}.items():
            wire.send_header(name, value)
        wire.end_headers()


def _certificate(folder: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, HOST)])
    at = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(at - datetime.timedelta(days=1))
        .not_valid_after(at + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / "push.pem"
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(made.public_bytes(Encoding.PEM) + secret)
    return file
