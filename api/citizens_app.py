"""The citizens' app (web/my/) at /my, and the file that ties a store's wrapper to it."""

import re

from fastapi import FastAPI, Request, Response
from fastapi.responses import FileResponse, JSONResponse

from api import pages
from api.access import InForce
from api.static_assets import BUILT, Assets
from hotline.errors import Refused

APP = BUILT / "my"
_KNOWN = re.compile(r"(report(/[0-9a-f-]{36})?|requests(/[0-9]{1,9})?|rounds|sign-in|account|index\.html)?/?")
"""The addresses of web/my/src/app.tsx; the service worker keeps index.html for all of them."""
_FILES = {
    "sw.js": "text/javascript",
    "manifest.webmanifest": "application/manifest+json",
    "icon.svg": "image/svg+xml",
    **dict.fromkeys(("icon-192.png", "icon-512.png", "icon-whole.png"), "image/png"),
}
_ASKED_ANEW = {"Cache-Control": "no-cache"}
_MAY_OPEN = "delegate_permission/common.handle_all_urls"


def serve(app: FastAPI) -> None:
    """Serve the app and its files."""
    app.mount("/my/assets", Assets(directory=APP / "assets", check_dir=False), name="my-assets")

    @app.get("/my", include_in_schema=False)
    @app.get("/my/{path:path}", include_in_schema=False)
    def citizens_app(request: Request, language: pages.Asked, path: str = "") -> Response:
        if kind := _FILES.get(path):
            # A worker below /my/ may serve /my as well.
            headers = _ASKED_ANEW | ({"Service-Worker-Allowed": "/my"} if path == "sw.js" else {})
            file = APP / path
            return FileResponse(file, headers=headers, media_type=kind) if file.exists() else _gone()
        if _KNOWN.fullmatch(path) and (APP / "index.html").exists():
            return FileResponse(APP / "index.html", headers=_ASKED_ANEW)
        return pages.render_page(request, "not_found.html", language, status=404, cached=False)

    @app.get("/.well-known/assetlinks.json", include_in_schema=False)
    def assetlinks(settings: InForce) -> Response:
        package, *fingerprints = settings.android_app.split() or [""]
        if not package:
            raise Refused("not-found", "no store has the app")
        target = {
            "namespace": "android_app",
            "package_name": package,
            "sha256_cert_fingerprints": fingerprints,
        }
        return JSONResponse([{"relation": [_MAY_OPEN], "target": target}], headers=pages.CACHED)


def _gone() -> Response:
    raise Refused("not-found", "the app is not built")
