"""The manual: the pages of docs/, for whoever is signed in.

A page has the address of its file, so links between the pages work here and in the repository alike.
"""

import itertools
import posixpath
import re
from collections.abc import Sequence
from pathlib import Path

from fastapi import FastAPI, Request, Response
from fastapi.responses import FileResponse, RedirectResponse
from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

from api import access, pages
from hotline.errors import Refused

ROOT = Path(__file__).parent.parent / "docs"
_FIRST = "README.md"
_PICTURES = (".png", ".webp")
_MARKDOWN = MarkdownIt("commonmark").enable("table")
_ELSEWHERE = re.compile(r"[a-z]+:|#")
"""Beginning of a link that names no file of ours."""


def serve(app: FastAPI) -> None:
    """Serve docs/ at /docs."""

    @app.get("/docs", include_in_schema=False)
    @app.get("/docs/{path:path}", include_in_schema=False)
    def manual(
        request: Request,
        engine: access.Database,
        settings: access.InForce,
        language: pages.Asked,
        path: str = "",
    ) -> Response:
        try:
            access.find_person(access.find_session(request, engine, settings), settings)
        except Refused:
            return RedirectResponse("/sign-in", 303)
        file = _find(path)
        if file and (file / _FIRST).exists():
            return RedirectResponse(f"/docs/{(file / _FIRST).relative_to(ROOT)}", 303)
        if file and file.suffix in _PICTURES:
            return FileResponse(file)
        if file is None or file.suffix != ".md":
            return pages.render_page(request, "not_found.html", language, status=404, cached=False)
        body = render_body(file.read_text(), posixpath.dirname(path))
        title = re.search(r"^# (.+)$", file.read_text(), re.MULTILINE)
        return pages.render_page(
            request,
            "manual.html",
            language,
            cached=False,
            name=title[1] if title else path,
            body=Markup(body),  # noqa: S704 - our own pages
            written_in="fa" if path.startswith("fa/") else "en",
        )


def render_body(text: str, folder: str) -> str:
    """Return a page as HTML; `folder` is the page's folder below docs/, where its links begin.

    A link to a file outside docs/ becomes plain text, because this server does not serve that file.
    """
    tokens = _MARKDOWN.parse(text)
    for token, inline in itertools.pairwise(tokens):
        if token.type == "heading_open":
            token.attrSet("id", _anchor(inline.content))
    for token in tokens:
        _drop_outer_links(token.children or (), folder)
    return str(_MARKDOWN.renderer.render(tokens, _MARKDOWN.options, {}))


def _find(path: str) -> Path | None:
    """Return the file or folder of docs/ at this path, if there is one."""
    try:
        file = (ROOT / path).resolve()
        return file if file.is_relative_to(ROOT.resolve()) and file.exists() else None
    except (OSError, ValueError):  # no file can have such a name
        return None


def _anchor(heading: str) -> str:
    """Return the name by which links know a heading, as GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def _drop_outer_links(tokens: Sequence[Token], folder: str) -> None:
    outer = False
    for token in tokens:
        if token.type == "link_open":
            target = str(token.attrGet("href"))
            inner = posixpath.normpath(posixpath.join(folder, target))
            outer = not _ELSEWHERE.match(target) and inner.startswith("..")
        if outer and token.type in ("link_open", "link_close"):
            token.tag, token.attrs = "span", {}
