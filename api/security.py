"""Checks on every request, and headers of every answer, errors and files included.

A foreign page may change nothing. Browsers never send the session's cookie from another site (SameSite).
Browsers also name the page's origin (Origin, Sec-Fetch-Site) in every request but GET and HEAD; it must be
ours. A request that names no origin comes from a program.
"""

from collections.abc import MutableMapping
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from api.problems import make_problem
from settings import Settings

LONGEST_BODY = 1 << 16
"""Bytes. FastAPI counts what arrives; here a longer Content-Length is refused at once."""
LONGEST_PICTURE = 64 << 20
"""Bytes of an oversized file that are read and dropped: a client that still sends reads no answer."""
PICTURES, UPLOADS = "/pictures", "/api/v1/my/uploads"
"""The end of paths that take pictures, and the beginning of paths that take pieces of files."""
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "microphone=(self), camera=(), geolocation=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_TUS = {"Tus-Resumable": "1.0.0", "Tus-Version": "1.0.0"}
"""Headers of every answer about an upload, refusals included (https://tus.io/protocols/resumable-upload)."""
_FEEDS = "/public/"
"""Public paths, which other sites may embed."""
_OPEN = (_FEEDS, "/open311/")
"""Paths of open data, which scripts of other sites may read without a cookie."""
_MAY_READ = {"Access-Control-Allow-Methods": "GET, HEAD", "Access-Control-Allow-Headers": "*"}
_MY, PASSED = "/public/my", "/public/passed/"
"""Exceptions from _FEEDS and _OPEN: pages of one citizen, or of a link's holder."""
_API = "/api/v1/"
"""Below this path HEAD is a method of its own: an upload's offset (tus), and nothing else."""
_APP = "/my"
"""The citizens' app, which may ask for the phone's location and use its microphone."""
_APP_MAY = {"Permissions-Policy": "microphone=(self), camera=(), geolocation=(self), payment=(), usb=()"}


def takes_files(path: str) -> bool:
    """Return whether a body at this path is a file, which may be larger and slower than others."""
    return path.endswith(PICTURES) or path.startswith(UPLOADS)


class Guard:
    """Refuses forbidden requests, and adds security headers to every answer."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._pages = write_policy_of_pages(settings)
        asked = f"connect-src 'self'{_tiles(settings)}"
        self._public = _policy("style-src 'self'", asked)
        self._app_pages = _policy(
            "style-src 'self'", asked, "media-src 'self' blob:", images="'self' data: blob:"
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_guarded(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                self._add_headers(MutableHeaders(scope=message), scope)
            await send(message)

        headers = Headers(scope=scope)
        if scope["method"] == "HEAD" and not scope["path"].startswith(_API):
            scope = {**scope, "method": "GET"}  # the server removes the body
        answer = _preflight(scope) or _foreign(scope, headers) or _large(scope, headers) or self._app
        await answer(scope, receive, send_guarded)

    def _add_headers(self, headers: MutableHeaders, scope: Scope) -> None:
        path: str = scope["path"]
        is_app = f"{path}/".startswith(f"{_APP}/")
        own = self._app_pages if is_app else self._public if path.startswith("/public") else self._pages
        headers.update(_HEADERS | (_APP_MAY if is_app else {}))
        headers.setdefault("Content-Security-Policy", own)
        if path.startswith(_FEEDS) and not path.startswith((_MY, PASSED)):
            headers["Cross-Origin-Resource-Policy"] = "cross-origin"
        if _is_open(path):
            headers["Access-Control-Allow-Origin"] = "*"
        if scope["scheme"] == "https":
            headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
        if path.startswith(UPLOADS):
            headers.update(_TUS)
        if path.startswith("/api/"):
            headers.setdefault("Cache-Control", "no-store")


def write_policy_of_pages(settings: Settings, *nodes: str) -> str:
    """Return the content security policy of web/'s pages; `nodes`: other addresses where phones sign in."""
    places = {settings.websocket.rsplit("/", 1)[0]: None, **dict.fromkeys(nodes)}
    return _policy(
        # The calendar (react-multi-date-picker) and Mantine add style elements of their own.
        "style-src 'self' 'unsafe-inline'",
        # The ground map's own worker asks for tiles, too: /map/assets/ has the pages' policy.
        f"connect-src 'self' {' '.join(places)}{_tiles(settings)}",
        "media-src 'self' blob:",
    )


def _tiles(settings: Settings) -> str:
    return f" {settings.tile_server_origin}".rstrip()


def _policy(*more: str, images: str = "'self' data:") -> str:
    return "; ".join(
        (
            "default-src 'self'",
            f"img-src {images}",
            *more,
            "frame-ancestors 'none'",
            "base-uri 'none'",
            "form-action 'self'",
            "object-src 'none'",
        )
    )


def _is_open(path: str) -> bool:
    return path.startswith(_OPEN) and not path.startswith((_MY, PASSED))


def _preflight(scope: Scope) -> ASGIApp | None:
    """Let scripts of other sites read open data with headers of their own, such as If-None-Match."""
    if scope["method"] != "OPTIONS" or not _is_open(scope["path"]):
        return None
    return Response(status_code=204, headers=_MAY_READ)


def _foreign(scope: Scope, headers: Headers) -> ASGIApp | None:
    if scope["method"] in ("GET", "HEAD") or scope["path"].startswith(PASSED):
        return None  # no cookie counts there, and a page with no-referrer sends no Origin
    origin = headers.get("origin")
    ours = origin is None or origin.partition("://")[2] == headers.get("host", "")
    if ours and headers.get("sec-fetch-site", "same-origin") in ("same-origin", "none"):
        return None
    return make_problem("foreign-origin", "this page may not do that")


def _large(scope: Scope, headers: Headers) -> ASGIApp | None:
    """Refuse a body that is too long by its Content-Length: FastAPI's own refusal is no problem document."""
    length = headers.get("content-length", "")
    longest = LONGEST_PICTURE if takes_files(scope["path"]) else LONGEST_BODY
    if length.isdecimal() and int(length) > longest:
        return make_problem("too-large", f"a body has at most {longest} bytes", 413)
    return None
