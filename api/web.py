"""The built pages of web/ at their addresses; every other address gets the "not found" page."""

import re

from fastapi import FastAPI, Request, Response
from fastapi.responses import FileResponse, PlainTextResponse
from fastapi.staticfiles import StaticFiles

from api import citizens_app, cookies, manual, pages
from api.static_assets import BUILT, Assets
from hotline.errors import Refused

DOCS = "/api/docs"
PLAIN = (
    *(
        "sign-in",
        "setup",
        "phone",
        "desk",
        "official",
        "assist",
        "rounds",
        "requests",
        "departments",
        "timetable",
    ),
    *("officials", "subjects", "holidays", "account", "reports", "wallboard", "recordings", "blocked"),
    *(
        "desks",
        "people",
        "audit",
        "citizens",
        "promises",
        "control",
        "mine",
        "notices",
        "outbox",
        "categories",
        "inbox",
    ),
    "kept",
    "keys",
    "beside",  # redirects to assist, which had this name
)
"""The addresses of web/src/app.tsx and web/src/routes.ts; `/` redirects to one of them."""
OF_ONE = ("rounds", "requests", "inbox", "citizens/registration", "citizens/request")
"""Addresses with a page for each item: /rounds/7."""
_KNOWN = re.compile(rf"({'|'.join(PLAIN)}|({'|'.join(OF_ONE)})/[0-9]+)?/?")

_ROBOTS = """\
User-agent: *
Disallow: /public/ledger/
Disallow: /public/my
Allow: /public
Allow: /my/icon-512.png
Disallow: /
"""
"""Search engines find the public pages, except a citizen's own pages and every single proof."""


def serve(app: FastAPI) -> None:
    """Serve the pages and their files."""
    app.mount("/assets", Assets(directory=BUILT / "assets", check_dir=False), name="assets")
    app.mount("/map/assets", Assets(directory=BUILT / "map", check_dir=False), name="map-assets")
    citizens_app.serve(app)
    manual.serve(app)
    app.mount("/public/static", StaticFiles(directory=pages.FOLDER / "static"), name="public")

    @app.get("/robots.txt", include_in_schema=False)
    def robots() -> Response:
        return PlainTextResponse(_ROBOTS, headers=pages.CACHED)

    @app.get(DOCS, include_in_schema=False)
    def docs() -> FileResponse:
        return FileResponse(pages.FOLDER / "static" / "docs.html")

    @app.get("/{path:path}", include_in_schema=False)
    def page(path: str, request: Request, language: pages.Asked) -> Response:
        if path.startswith("api/"):
            raise Refused("not-found", "nothing is here")
        known = _KNOWN.fullmatch(path)
        # The built page tells a signed-in person that the address is wrong, with a link to their work.
        if (known or cookies.read_cookie(request)) and (BUILT / "index.html").exists():
            # with its head filled in already: web/first-load.ts
            own = BUILT / f"{path.split('/', 1)[0]}.html"
            policy = request.app.state.telephones.policy()
            headers = {"Cache-Control": "no-cache", "Content-Security-Policy": policy}
            file = own if known and own.exists() else BUILT / "index.html"
            return FileResponse(file, status_code=200 if known else 404, headers=headers)
        return pages.render_page(request, "not_found.html", language, status=404, cached=False)
