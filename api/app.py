"""The application: API, live events, and the built pages."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from threading import BoundedSemaphore
from typing import Any

import uvicorn
from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.middleware.gzip import GZipMiddleware
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import FileResponse
from fastapi.staticfiles import StaticFiles

from api import (
    audit,
    callbacks,
    departments,
    fairness,
    health,
    histories,
    limits,
    live,
    messages,
    officials,
    pages,
    phones,
    planning,
    problems,
    public,
    recordings,
    registrations,
    request_deeds,
    request_page,
    requests,
    rounds,
    serving,
    sessions,
    timetable,
)
from db.engine import connect
from hotline.errors import Refused
from settings import Settings

PAGES = Path(__file__).parent.parent / "web" / "dist"
_V1 = "/api/v1"
_DOCS = "/api/docs"
_MODULES = (
    *(sessions, rounds, planning, timetable, registrations, officials),
    *(callbacks, serving, histories, recordings, messages, audit, live, phones),
    *(requests, request_deeds, departments),
)


def create(settings: Settings) -> FastAPI:
    """The application for these settings."""
    engine = connect(settings.database)
    tail = live.Tail(engine)

    @contextlib.asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        watching = asyncio.create_task(tail.run())
        yield
        watching.cancel()
        engine.dispose()

    app = FastAPI(
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
    app.state.hashing = BoundedSemaphore(sessions.HASHES_AT_ONCE)
    problems.install(app)
    v1 = APIRouter(prefix=_V1)
    for module in _MODULES:
        v1.include_router(module.router)
    app.include_router(v1)
    app.include_router(health.router)
    app.include_router(public.router)
    app.include_router(fairness.router)
    app.include_router(request_page.router)
    _protect(app, settings)
    _serve_pages(app)
    return app


def _protect(app: FastAPI, settings: Settings) -> None:
    origin = settings.websocket.rsplit("/", 1)[0]
    policy = (
        "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
        f"connect-src 'self' {origin}; media-src 'self' blob:; frame-ancestors 'none'; "
        "base-uri 'none'; form-action 'self'; object-src 'none'"
    )

    @app.middleware("http")
    async def security_headers(
        request: Request, call_next: Callable[[Request], Awaitable[Response]]
    ) -> Response:
        response = await call_next(request)
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["Permissions-Policy"] = "microphone=(self), camera=(), geolocation=()"
        if request.url.path != _DOCS:  # its page has an inline script
            response.headers["Content-Security-Policy"] = policy
        if request.url.path.startswith(_V1):
            response.headers.setdefault("Cache-Control", "no-store")
        return response


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
    def docs() -> Response:
        return get_swagger_ui_html(
            openapi_url="/api/openapi.json",
            title=app.title,
            swagger_js_url="/assets/swagger-ui-bundle.js",
            swagger_css_url="/assets/swagger-ui.css",
            swagger_favicon_url="data:,",
        )

    @app.get("/{path:path}", include_in_schema=False)
    def page(path: str) -> FileResponse:
        if path.startswith("api/") or not (PAGES / "index.html").exists():
            raise Refused("not-found", "nothing is here")
        return FileResponse(PAGES / "index.html", headers={"Cache-Control": "no-cache"})


def serve(settings: Settings) -> None:
    """Serve until the process is told to stop."""
    uvicorn.run(
        create(settings),
        host=settings.http.host,
        port=settings.http.port,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=1,
    )
