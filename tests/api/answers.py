"""The API's addresses and answers in tests: pages of people, and whole problems."""

from collections.abc import Callable
from typing import Any

from fastapi.testclient import TestClient
from httpx import Response
from sqlalchemy import Engine

from db.engine import writing
from db.models import Registration, Role, Round, User
from hotline import heartbeats
from tests.factories import some_registrations

V1 = "/api/v1"
LONG = "آ" * 10_000
HERE = ("127.0.0.1", 50_000)
"""A client address on the machine itself."""
SignedIn = Callable[[User], TestClient]
As = Callable[[Role], TestClient]


def registered(engine: Engine, round_: Round, count: int) -> list[Registration]:
    with writing(engine) as session:
        return some_registrations(session, round_, count)


def problem(response: Response, status_code: int, code: str) -> dict[str, Any]:
    """The response is a whole problem of this kind."""
    assert response.headers["content-type"] == "application/problem+json", response.text
    body: dict[str, Any] = response.json()
    assert (response.status_code, body["code"]) == (status_code, code), body
    assert body.keys() - {"field"} == {"type", "title", "status", "detail", "code"}
    assert body["status"] == status_code
    assert body["title"] and body["detail"]
    assert status_code != 429 or int(response.headers["Retry-After"]) > 0, "when to come again"
    return body


def said(of_call: dict[str, Any]) -> list[str]:
    """Each line that was written of this call, the oldest first."""
    return [line for note in of_call["notes"] for line in note["written"].split("\n")]


READY = dict.fromkeys(("database", "tables", "asterisk", "ivr", "dialer", "scheduler"), "up")
NOTHING_KNOWN = dict.fromkeys(READY, "unknown") | {"database": "down"}
"""`/readyz` where all is well, and where there is no database."""


def beat(engine: Engine, *processes: str) -> None:
    """These processes say that they work."""
    with writing(engine) as session:
        for process in processes:
            heartbeats.beat(session, process)
