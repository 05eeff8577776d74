"""The built pages of web/, at the addresses that they have; at any other one the page that says so."""

import re
from mimetypes import guess_type
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import FileResponse
from fastapi.staticfiles import StaticFiles
from starlette.datastructures import Headers
from starlette.types import Scope

from api import cookies, pages
from hotline.errors import Refused

BUILT = Path(__file__).parent.parent / "web" / "dist"
DOCS = "/api/docs"
PLAIN = (
    *("sign-in", "phone", "desk", "official", "assist", "rounds", "requests", "departments", "timetable"),
    *("officials", "subjects", "holidays", "account", "reports", "wallboard", "recordings", "blocked"),
    *("desks", "people", "audit", "citizens", "promises", "control", "mine", "notices", "categories"),
    "keys",
    "beside",  # leads on to assist, which had this name
)
"""The addresses of web/src/app.tsx and web/src/routes.ts; `/` leads on to one of them."""
OF_ONE = ("rounds", "requests", "citizens/registration", "citizens/request")
"""Those that have a page for each of their things: /rounds/7."""
_KNOWN = re.compile(rf"({'|'.join(PLAIN)}|({'|'.join(OF_ONE)})/[0-9]+)?/?")

_NAMED_BY_CONTENT = re.compile(r"-[\w-]{8}\.(js|css)$")


class _Assets(StaticFiles):
    """The built files. Vite names them by what is in them, all but what web/public/ holds and the fonts."""

    def file_response(
        self, full_path: Any, stat_result: Any, scope: Scope, status_code: int = 200
    ) -> Response:
        """One of them, kept by the browser for as long as it likes, as small as the browser takes it."""
        if not _NAMED_BY_CONTENT.search(str(full_path)):
            return super().file_response(full_path, stat_result, scope, status_code)
        headers = {"Cache-Control": "public, max-age=31536000, immutable", "Vary": "Accept-Encoding"}
        squeezed = Path(f"{full_path}.br")
        if "br" in Headers(scope=scope).get("accept-encoding", "") and squeezed.exists():
            kind, _ = guess_type(full_path)
            return FileResponse(squeezed, status_code, {**headers, "Content-Encoding": "br"}, kind)
        return FileResponse(full_path, status_code, headers)


def serve(app: FastAPI) -> None:
    """Serve the pages, and the files that they need."""
    app.mount("/assets", _Assets(directory=BUILT / "assets", check_dir=False), name="assets")
    app.mount("/public/static", StaticFiles(directory=pages.FOLDER / "static"), name="public")

    @app.get(DOCS, include_in_schema=False)
    def docs() -> FileResponse:
        return FileResponse(pages.FOLDER / "static" / "docs.html")

    @app.get("/{path:path}", include_in_schema=False)
    def page(path: str, request: Request, language: pages.Asked) -> Response:
        if path.startswith("api/"):
            raise Refused("not-found", "nothing is here")
        known = _KNOWN.fullmatch(path)
        # Who is signed in is told so beside the way to their work.
        if (known or cookies.cookie_of(request)) and (BUILT / "index.html").exists():
            own = BUILT / f"{path.split('/', 1)[0]}.html"  # has its head already: web/first-load.ts
            headers = {"Cache-Control": "no-cache"}
            file = own if known and own.exists() else BUILT / "index.html"
            return FileResponse(file, status_code=200 if known else 404, headers=headers)
        return pages.page(request, "not_found.html", language, status=404, cached=False)
