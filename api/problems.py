"""Every error is an RFC 9457 problem with a stable code."""

import logging
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from sqlalchemy.exc import (
    DatabaseError,
    DataError,
    IntegrityError,
    InterfaceError,
    NotSupportedError,
    ProgrammingError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException

from api.cookies import find_address
from hotline.errors import Refused

log = logging.getLogger("api")

STATUS = {
    "not-signed-in": 401,
    "second-factor-due": 401,
    "password-due": 401,
    "wrong-credentials": 401,
    "too-many-attempts": 429,
    "too-many-codes": 429,
    "too-many-trials": 429,
    "directory-away": 503,
    "directory-no-role": 403,
    "directory-name-taken": 403,
    "from-directory": 409,
    "forbidden": 403,
    "foreign-origin": 403,
    "not-found": 404,
    "push-off": 404,
    "push-address": 422,
    "push-keys": 422,
    "wrong-password": 403,
    "wrong-code": 403,
    "code-due": 403,
    "key-unknown": 403,
    "key-missing": 403,
    "key-may-not": 403,
    "service-unknown": 404,
    "jurisdiction-unknown": 404,
    "key-too-often": 429,
    "invalid-input": 422,
    "unfit-characters": 422,
    "ticket-invalid": 422,
    "picture-large": 413,
    "picture-kind": 415,
    "picture-drawing": 415,
    "picture-video": 415,
    **dict.fromkeys(("picture-empty", "picture-pixels", "picture-animated"), 422),
    **dict.fromkeys(("picture-hides", "picture-broken"), 422),
    **dict.fromkeys(("voice-empty", "voice-long", "voice-none", "voice-broken"), 422),
    "voice-kind": 415,
    "voice-large": 413,
    "upload-unknown": 404,
    "upload-headers": 400,
    "upload-version": 412,
    "upload-type": 415,
    "upload-large": 413,
    "upload-idle": 503,
    "password-same": 422,
    **dict.fromkeys(("area-outside", "too-many-areas"), 422),
    "too-many-pictures": 429,
    "too-many-reports": 429,
    "files-busy": 503,
    "pictures-away": 503,
    "picture-damaged": 502,
    "disk-full": 507,
    "agreed-without-time": 422,
    **dict.fromkeys(("link-over", "link-merged"), 404),
    "form-broken": 422,
    "too-many-pages": 503,
    "database-unavailable": 503,
}
"""The HTTP status of each code; every other refusal of `hotline` is a 409."""

FIELD = {
    "reason-missing": "reason",
    "reason-personal": "reason",
    "reason-long": "reason",
    "wrong-password": "password",
    "wrong-code": "code",
    "subject-last": "offered",
    "password-short": "new",
    "password-trivial": "new",
    "password-same": "new",
    "pin-unfit": "pin",
    "username-taken": "username",
    "filter-exists": "name",
    "desk-taken": "desk_id",
    "number-invalid": "number",
    "number-not-allowed": "number",
    "trial-needs-mobile": "number",
    "trial-number-blocked": "number",
    "push-address": "endpoint",
    "way-not-offered": "by",
    "way-needs-mobile": "by",
    "way-not-now": "by",
    "guest-is-citizen": "number",
    "department-taken": "name_fa",
    "department-inactive": "department_id",
    "category-inactive": "category",
    "department-missing": "department_id",
    "question-long": "question",
    "evidence-picture": "pictures",
    "due-date": "due_on",
    "district-taken": "district",
    "clip-unknown": "clip",
    "official-busy": "official_id",
    "notice-too-short": "short_notice",
    "rule-days": "rrule",
    "rule-hours": "ends_at",
    "rule-officials": "official_ids",
    "substitute-for-several": "substitute_id",
}
"""The request's field that a code concerns; `Refused` may name another."""

_MEDIA_TYPE = "application/problem+json"
_LATER_S = 60
"""Seconds of Retry-After where a "too many" does not know its own."""
_UNIQUE = "23505"
"""PostgreSQL's code of a unique violation. SQLite's single writer always sees what the writer before wrote.
"""


class Problem(BaseModel):
    """The body of every error (application/problem+json)."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    code: str
    field: str | None = None
    """The field of the request that is wrong, if it is one field."""


_ENDS = {"upload-offset"}
"""Codes after which the connection closes.

The rest of such a body is useless. Without closing, a browser would send all of it before it reads the
answer, and pay for each byte."""


def make_problem(
    code: str,
    detail: str,
    status: int | None = None,
    field: str | None = None,
    *,
    after_s: int | None = None,
) -> Response:
    """Return the problem's response; `after_s`: seconds until a retry makes sense."""
    status = status or STATUS.get(code, 409)
    if status == 429 and after_s is None:
        after_s = _LATER_S
    body = Problem(title=code.replace("-", " "), status=status, detail=detail, code=code, field=field)
    headers = {} if after_s is None else {"Retry-After": str(after_s)}
    if code in _ENDS:
        headers["Connection"] = "close"
    return JSONResponse(body.model_dump(exclude_none=True), status, headers, media_type=_MEDIA_TYPE)


def declare(document: dict[str, Any]) -> None:
    """Document errors as problems: FastAPI documents only plain JSON."""
    for methods in document["paths"].values():
        for operation in methods.values():
            content = operation["responses"].get("default", {}).get("content", {})
            if content.keys() == {"application/json"}:
                content[_MEDIA_TYPE] = content.pop("application/json")


_OF_STATUS = {404: "not-found", 405: "method-not-allowed", 413: "too-large"}


def convert_exceptions(app: FastAPI) -> None:
    """Convert every exception to a problem."""

    @app.exception_handler(Refused)
    def refused(request: Request, error: Refused) -> Response:
        if error.code == "forbidden":  # the log names the function: a path may hold a telephone number
            asked = request.scope.get("endpoint")
            name = f"{getattr(asked, '__module__', '')}.{getattr(asked, '__name__', '')}"
            log.warning("not allowed: %s from %s", name, find_address(request))
        field = error.field or FIELD.get(error.code)
        return make_problem(error.code, error.detail, field=field, after_s=error.after_s)

    @app.exception_handler(RequestValidationError)
    def invalid(_request: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        field = next((part for part in first["loc"][1:] if isinstance(part, str)), None)
        return make_problem("invalid-input", f"{where}: {first['msg']}", field=field)

    @app.exception_handler(HTTPException)
    def http(_request: Request, error: HTTPException) -> Response:
        code = _OF_STATUS.get(error.status_code, "refused")
        return make_problem(code, str(error.detail), error.status_code)

    @app.exception_handler(DatabaseError)
    @app.exception_handler(InterfaceError)
    @app.exception_handler(PoolTimeoutError)
    def database(_request: Request, error: Exception) -> Response:
        if isinstance(error, IntegrityError) and getattr(error.orig, "sqlstate", None) == _UNIQUE:
            log.warning("two requests wrote the same at once: %s", error.orig)
            return make_problem("wrong-state", "somebody else did this at the same moment; look again")
        if isinstance(error, IntegrityError | ProgrammingError | DataError | NotSupportedError):
            raise error  # our own fault
        log.error("the database: %s", error)
        return make_problem("database-unavailable", "the database does not answer, try again")

    @app.exception_handler(Exception)
    def broken(_request: Request, _error: Exception) -> Response:
        return make_problem("internal-error", "a fault of ours; it is in the log", 500)
