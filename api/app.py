"""The application: API, live events, and the built pages."""

import asyncio
import contextlib
import functools
import json
import threading
from collections.abc import AsyncIterator
from typing import Any

from anyio import to_thread
from fastapi import APIRouter, FastAPI, Response
from fastapi.middleware.gzip import GZipMiddleware
from fastapi.routing import APIRoute
from starlette.middleware.gzip import DEFAULT_EXCLUDED_CONTENT_TYPES
from starlette.routing import BaseRoute
from starlette.types import ASGIApp

from api import event_stream, event_tail, examples, health, limits, metrics, problems, security, web
from api.department import inbox
from api.desk import (
    callbacks,
    citizen_history,
    control,
    desk_words,
    desks,
    phones,
    promises,
    serving,
    third_party,
    transfers,
    urgent,
)
from api.line import blocked, inbound_texts, registrations
from api.my import catalog, following, own_data, places, round_alerts, sign_in
from api.my import notices as my_notices
from api.my import pictures as my_pictures
from api.my import reports as my_reports
from api.my import uploads as my_uploads
from api.open311 import requests as open311_requests
from api.open311 import services as open311_services
from api.people import account, keys, sessions, staff
from api.public import (
    agency_page,
    city,
    fairness,
    ground,
    ground_tiles,
    map_page,
    my_page,
    my_request_page,
    number_page,
    requests_page,
    round_pages,
)
from api.readiness import Readiness
from api.reports import (
    audit,
    citizens,
    recordings,
    retention_overview,
    round_reports,
    satisfaction,
    search,
    wallboard,
)
from api.requests import (
    actions,
    agency_referrals,
    categories,
    departments,
    escalations,
    evidence,
    exports,
    publications,
    reading,
    ready_replies,
    request_filters,
)
from api.rounds import calendar, lines, notices, officials, outbox, planning, subjects, timetable
from api.setup import setup_page
from api.telephones import Telephones
from db.engine import connect
from settings import Settings

_V1 = "/api/v1"
_MODULES = (
    # Starlette compares each request with one route after the other: the busiest routes come first.
    *(
        my_pictures,
        my_uploads,
        following,
        my_reports,
        sign_in,
        catalog,
        own_data,
        places,
        round_alerts,
        my_notices,
    ),
    *(sessions, account, lines, planning, timetable, calendar, registrations, officials, subjects),
    *(
        callbacks,
        third_party,
        transfers,
        urgent,
        desk_words,
        promises,
        serving,
        citizen_history,
        recordings,
        outbox,
        notices,
        retention_overview,
        audit,
        event_stream,
    ),
    *(phones, reading, exports, escalations, actions, agency_referrals, publications, departments),
    *(categories, ready_replies, request_filters),
    *(wallboard, round_reports, satisfaction, citizens, search),
    *(evidence, inbox),
    *(staff, keys, desks, control, blocked, inbound_texts, setup_page),
)
_LARGE, _LEVEL = 1_000, 5
"""Answers of at least _LARGE bytes are compressed (docs/decisions/0006-the-pages.md). A line of 100 takes 0.2
ms. Level 9 would take four times as long to save a fifteenth, and 200 desks ask at one event."""
_THREADS = 1_000
"""More threads than requests at one time (api.server), each of which needs one. A request with a database
connection must never wait for a thread whose request waits for a connection."""
_PROBLEM = {"model": problems.Problem, "description": "A problem (RFC 9457)"}


def _operation_id(route: APIRoute) -> str:
    """Return the operation's name in clients generated from the document: `callbacks_show`."""
    return "_".join([*map(str, route.tags[:1]), route.name]).replace(" ", "_")


@functools.cache
def _routes() -> list[BaseRoute]:
    """Return the routes that all applications of a process share: FastAPI prepares them once."""
    router = APIRouter()
    pages = (health, metrics, round_pages, city, fairness, number_page, my_page, my_request_page, agency_page)
    roots = (*pages, requests_page, map_page, ground, open311_services, open311_requests)
    for modules, prefix in ((_MODULES, _V1), (roots, "")):
        for module in modules:
            router.include_router(
                module.router,
                prefix=prefix,
                responses={"default": _PROBLEM},
                generate_unique_id_function=_operation_id,
            )
    return router.routes


class _Guarded(FastAPI):
    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self._writing, self._written = threading.Lock(), b""

    def build_middleware_stack(self) -> ASGIApp:
        return security.Guard(super().build_middleware_stack(), self.state.settings)

    def openapi(self) -> dict[str, Any]:
        made = self.openapi_schema is not None
        document = super().openapi()
        if not made:
            problems.declare(document)
            examples.declare(document)
        return document

    def written_document(self) -> bytes:
        """Return the API's document, serialised once. The first call takes seconds: it builds every route."""
        with self._writing:
            if not self._written:
                text = json.dumps(self.openapi(), ensure_ascii=False, separators=(",", ":"))
                self._written = text.encode()
        return self._written


def create(settings: Settings) -> FastAPI:
    """Build the application for these settings."""
    engine = connect(settings.database)
    limiting = connect(settings.database, connections=limits.CONNECTIONS)
    tail = event_tail.Tail(engine, settings)

    @contextlib.asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        to_thread.current_default_thread_limiter().total_tokens = _THREADS
        watching = asyncio.create_task(tail.run())
        yield
        watching.cancel()
        engine.dispose()
        limiting.dispose()

    app = _Guarded(
        title="Hotline 137",
        version="1",
        openapi_url=None,  # FastAPI's own route serialises the document in the event loop at each request
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
        max_body_size=security.LONGEST_BODY,
    )
    # Sound, parts of files and the event stream stay uncompressed (starlette's own list), and tiles, too.
    as_they_are = (*DEFAULT_EXCLUDED_CONTENT_TYPES, ground_tiles.KIND)
    app.add_middleware(
        GZipMiddleware, minimum_size=_LARGE, compresslevel=_LEVEL, exclude_content_types=as_they_are
    )
    app.state.settings = settings
    app.state.engine = engine
    app.state.tail = tail
    app.state.readiness = Readiness(engine)
    app.state.telephones = Telephones(engine, settings)
    app.state.metrics = metrics.make_registry(engine, settings)
    for name, kind in limits.KINDS.items():
        secret = settings.secret_for("limits")
        setattr(app.state, name, limits.Guesses(limiting, name, kind.burst, kind.every_s, secret=secret))
    app.state.pictures_coming = limits.Coming()
    app.state.pieces_coming = limits.Coming()
    app.state.hashing = limits.Hashing()
    problems.convert_exceptions(app)
    app.router.routes.extend(_routes())
    if settings.oidc_issuer:
        from api.people import oidc  # noqa: PLC0415  (Authlib is large, and not every city needs it)

        v1 = APIRouter(prefix=_V1)
        oidc.add_sign_in(app, v1, settings)
        app.include_router(v1)
    _serve_document(app)
    web.serve(app)
    return app


def _serve_document(app: _Guarded) -> None:
    @app.get("/api/openapi.json", include_in_schema=False)
    def document() -> Response:  # no coroutine: a thread leaves the event loop free
        return Response(app.written_document(), media_type="application/json")
