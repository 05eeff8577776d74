"""`/healthz` tells reasons to insiders, and others only «up» or «down»."""

from typing import Any

import pytest
from fastapi import FastAPI, Request
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from api import internal_access
from api.app import create
from api.cookies import PEER
from db.models import Role
from settings import Settings
from tests.api.answers import As, beat

TOKEN = "a-token-of-a-city"


@pytest.fixture
def with_token(settings: Settings, engine: Engine) -> FastAPI:
    return create(settings.model_copy(update={"metrics_token": TOKEN, "insiders": ("10.137.0.0/28",)}))


@pytest.mark.parametrize(
    ("address", "headers", "sees"),
    [
        ("10.137.0.5", {}, True),
        ("::ffff:10.137.0.5", {}, True),
        ("127.0.0.1", {}, False),
        ("203.0.113.5", {}, False),
        ("no address", {}, False),
        ("10.137.0.5", {"X-Forwarded-Proto": "https"}, False),  # a proxy that does not say who asks
        ("203.0.113.5", {"X-Forwarded-For": "10.137.0.5"}, False),
        ("203.0.113.5", {"Authorization": f"Bearer {TOKEN}"}, True),
        ("203.0.113.5", {"Authorization": "Bearer a-token-of-a-citi"}, False),
        ("203.0.113.5", {"Authorization": "Bearer "}, False),
        ("203.0.113.5", {"Authorization": f"Basic {TOKEN}"}, False),
        ("203.0.113.5", {"Authorization": b"Bearer " + "شهر".encode()}, False),
    ],
)
def test_health_reasons_are_for_insiders_alone(
    with_token: FastAPI, address: str, headers: dict[str, Any], sees: bool
) -> None:
    page = TestClient(with_token, raise_server_exceptions=False, client=(address, 50_000))
    answer = page.get("/healthz", headers=headers)
    assert answer.status_code == 503
    assert ("disk" in answer.json()) is sees
    assert sees or answer.json() == {"hotline": "down"}
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("told", ["unknown", "127.0.0.1", "10.137.0.1", "203.0.113.5"])
def test_address_behind_a_local_proxy_is_no_insider(
    with_token: FastAPI, settings: Settings, told: str
) -> None:
    scope = {"type": "http", "client": (told, 0), PEER: ("127.0.0.1", 50_000), "headers": []}
    assert not internal_access.is_insider_by_address_or_token(Request(scope), settings)
    assert not internal_access.is_insider_by_address_or_token(Request(scope), with_token.state.settings)
    shown = scope | {"headers": [(b"authorization", f"Bearer {TOKEN}".encode())]}
    assert internal_access.is_insider_by_address_or_token(Request(shown), with_token.state.settings)


def test_empty_token_opens_nothing(nobody: TestClient) -> None:
    for shown in ("Bearer", "Bearer ", "bearer  "):
        assert nobody.get("/healthz", headers={"Authorization": shown}).json() == {"hotline": "down"}


@pytest.mark.parametrize(("role", "sees"), [(Role.ADMINISTRATOR, True), (Role.OPERATOR, False)])
def test_administrator_reads_health_reasons(as_role: As, role: Role, sees: bool) -> None:
    assert ("disk" in as_role(role).get("/healthz").json()) is sees


def test_stranger_reads_that_all_is_up(nobody: TestClient, engine: Engine) -> None:
    beat(engine, "ivr", "dialer", "scheduler", "asterisk")
    answer = nobody.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"hotline": "up"})
