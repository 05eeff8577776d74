"""The application: API, live events, and the built pages."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from threading import BoundedSemaphore
from typing import Any

from fastapi import APIRouter, FastAPI, Response
from fastapi.middleware.gzip import GZipMiddleware
from fastapi.responses import FileResponse
from fastapi.staticfiles import StaticFiles
from starlette.types import ASGIApp

from api import (
    account,
    audit,
    blocked,
    calendar,
    callbacks,
    departments,
    desks,
    fairness,
    guard,
    health,
    histories,
    limits,
    live,
    messages,
    officials,
    pages,
    people,
    phones,
    planning,
    problems,
    public,
    recordings,
    registrations,
    reports,
    request_deeds,
    request_page,
    requests,
    rounds,
    serving,
    sessions,
    subjects,
    timetable,
    wallboard,
)
from db.engine import connect
from hotline.errors import Refused
from settings import Settings

PAGES = Path(__file__).parent.parent / "web" / "dist"
_V1 = "/api/v1"
_DOCS = "/api/docs"
_MODULES = (
    *(sessions, account, rounds, planning, timetable, calendar, registrations, officials, subjects),
    *(callbacks, serving, histories, recordings, messages, audit, live, phones),
    *(requests, request_deeds, departments, wallboard, reports),
    *(people, desks, blocked),
)


class _Guarded(FastAPI):
    def build_middleware_stack(self) -> ASGIApp:
        return guard.Guard(super().build_middleware_stack(), self.state.settings)


def create(settings: Settings) -> FastAPI:
    """The application for these settings."""
    engine = connect(settings.database)
    tail = live.Tail(engine, settings)

    @contextlib.asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        watching = asyncio.create_task(tail.run())
        yield
        watching.cancel()
        engine.dispose()

    app = _Guarded(
        title="Hotline 137",
        version="1",
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
        responses={"default": {"model": problems.Problem, "description": "A problem (RFC 9457)"}},
    )
    app.state.settings = settings
    app.state.engine = engine
    app.state.tail = tail
    app.state.guesses = limits.Guesses()
    app.state.passwords = limits.Guesses(limits.PASSWORD_BURST, limits.PASSWORD_EVERY_S)
    app.state.hashing = BoundedSemaphore(sessions.HASHES_AT_ONCE)
    problems.install(app)
    v1 = APIRouter(prefix=_V1)
    for module in _MODULES:
        v1.include_router(module.router)
    if settings.oidc_issuer:
        from api import city  # noqa: PLC0415  (Authlib is large, and not every city needs it)

        city.install(app, v1, settings)
    app.include_router(v1)
    app.include_router(health.router)
    app.include_router(public.router)
    app.include_router(fairness.router)
    app.include_router(request_page.router)
    _serve_pages(app)
    return app


class _Assets(StaticFiles):
    """The built files. Vite names them by what is in them, all but the fonts."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        """One of them, kept by the browser for as long as it likes."""
        response = super().file_response(*args, **kwargs)
        if Path(args[0]).suffix in (".js", ".css"):
            response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return response


def _serve_pages(app: FastAPI) -> None:
    app.mount("/assets", GZipMiddleware(_Assets(directory=PAGES / "assets", check_dir=False)), name="assets")
    app.mount("/public/static", StaticFiles(directory=pages.FOLDER / "static"), name="public")

    @app.get(_DOCS, include_in_schema=False)
    def docs() -> FileResponse:
        return FileResponse(pages.FOLDER / "static" / "docs.html")

    @app.get("/{path:path}", include_in_schema=False)
    def page(path: str) -> FileResponse:
        if path.startswith("api/") or not (PAGES / "index.html").exists():
            raise Refused("not-found", "nothing is here")
        return FileResponse(PAGES / "index.html", headers={"Cache-Control": "no-cache"})
