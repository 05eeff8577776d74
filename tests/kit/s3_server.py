"""An S3-compatible store over HTTP: three verbs, as MinIO and moto answer them, with signatures checked.

`moto[server]` would be that, too, and bring 200 MB. What it answers was compared with this one's.
"""

import hashlib
import hmac
import re
import threading
from functools import reduce
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qsl, quote, urlsplit

BUCKET, KEY, SECRET, REGION = "city", "a-key-of-the-city", "a-secret-of-the-city", "ir-isfahan-1"


class S3Server:
    """At `address`, `host:port`; `objects` is what it holds."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.refuses: tuple[int, str] | None = None
        """The answer to every request."""
        self.keeps = False
        """It says to a deletion that it is not allowed."""
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (_Handler,), {"s3": self}))
        self._server.daemon_threads = True
        self._server.handle_error = lambda *_: None  # type: ignore[method-assign]  # who asked has hung up
        self.address = f"127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    s3: S3Server

    def log_message(self, *_: Any) -> None:
        """It says nothing."""

    def _asked(self) -> tuple[bytes, str] | None:
        """The body, and the object's name; None: it is answered already."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.s3.refuses:
            self._error(*self.s3.refuses)
        elif not self._signed(body):
            self._error(403, "SignatureDoesNotMatch", f"<AWSAccessKeyId>{KEY}</AWSAccessKeyId>")
        else:
            bucket, _, name = urlsplit(self.path).path.lstrip("/").partition("/")
            if bucket == BUCKET:
                return body, name
            self._error(404, "NoSuchBucket")
        return None

    def do_PUT(self) -> None:
        if asked := self._asked():
            self.s3.objects[asked[1]] = asked[0]
            self._answer(200, {"ETag": f'"{hashlib.md5(asked[0]).hexdigest()}"'})

    def do_GET(self) -> None:
        if asked := self._asked():
            found = self.s3.objects.get(asked[1])
            if found is None:
                return self._error(404, "NoSuchKey")
            when = {"Last-Modified": "Sun, 29 Nov 2026 00:00:00 GMT", "ETag": '"e"'}
            self._answer(200, when, found)

    def do_POST(self) -> None:
        if asked := self._asked():
            names = re.findall(r"<Key>([^<]+)</Key>", asked[0].decode())
            said = []
            for name in names:
                if self.s3.keeps:
                    said.append(
                        f"<Error><Key>{name}</Key><Code>AccessDenied</Code><Message>no</Message></Error>"
                    )
                else:
                    self.s3.objects.pop(name, None)
                    said.append(f"<Deleted><Key>{name}</Key></Deleted>")
            self._answer(200, {}, f"<DeleteResult>{''.join(said)}</DeleteResult>".encode())

    def _error(self, status: int, code: str, more: str = "") -> None:
        self._answer(status, {}, f"<Error><Code>{code}</Code><Message>no</Message>{more}</Error>".encode())

    def _answer(self, status: int, headers: dict[str, str], body: bytes = b"") -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _signed(self, body: bytes) -> bool:
        """AWS Signature Version 4."""
        said = self.headers.get("Authorization", "")
        of = re.fullmatch(
            r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/s3/aws4_request, ?"
            r"SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})",
            said,
        )
        if of is None:
            return False
        key, day, region, names, signature = of.groups()
        hashed = self.headers["x-amz-content-sha256"]
        if (key, region) != (KEY, REGION) or hashed not in (
            "UNSIGNED-PAYLOAD",
            hashlib.sha256(body).hexdigest(),
        ):
            return False
        url = urlsplit(self.path)
        query = sorted(
            f"{quote(k, '-_.~')}={quote(v, '-_.~')}" for k, v in parse_qsl(url.query, keep_blank_values=True)
        )
        headers = [f"{name}:{' '.join(self.headers[name].split())}" for name in names.split(";")]
        request = "\n".join([self.command, url.path, "&".join(query), *headers, "", names, hashed])
        scope = f"{day}/{region}/s3/aws4_request"
        to_sign = "\n".join(
            (
                "AWS4-HMAC-SHA256",
                self.headers["x-amz-date"],
                scope,
                hashlib.sha256(request.encode()).hexdigest(),
            )
        )
        parts = (day, region, "s3", "aws4_request", to_sign)
        made = reduce(
            lambda k, part: hmac.digest(k, part.encode(), "sha256"), parts, f"AWS4{SECRET}".encode()
        )
        return hmac.compare_digest(made.hex(), signature)


def stored_in(address: str) -> dict[str, str]:
    """The settings by which pictures go there."""
    return {
        "pictures_store": f"s3://{BUCKET}/pictures/137",
        "pictures_store_endpoint": f"http://{address}",
        "pictures_store_region": REGION,
        "pictures_store_key": KEY,
        "pictures_store_secret": SECRET,
    }
