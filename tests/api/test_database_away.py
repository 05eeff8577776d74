"""A database that is away, damaged, held or in disagreement: what each answer says."""

from collections.abc import Callable
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text
from sqlalchemy.exc import (
    DatabaseError,
    DataError,
    IntegrityError,
    InterfaceError,
    InternalError,
    OperationalError,
    ProgrammingError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from api.app import create
from api.cookies import COOKIE
from db.engine import now, writing
from db.models import Heartbeat, Round
from settings import Settings
from tests.api.answers import HERE, NOTHING_KNOWN, V1, problem, registered
from tests.kit.postgres import Postgres
from tests.kit.process import in_time


@pytest.mark.usefixtures("roomy")
@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
def test_dead_database_is_reported_until_it_returns(
    desk: TestClient, insider: TestClient, live: Round, engine: Engine, postgres: Postgres
) -> None:
    assert desk.get(f"{V1}/me").status_code == 200
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("CHECKPOINT"))  # the kit's server is told to forget the last moments
    postgres.kill()
    try:
        for answer in (
            desk.get(f"{V1}/me"),
            desk.post(f"{V1}/rounds/{live.id}/claims"),
            desk.post(f"{V1}/session", json={"username": "x", "password": "x"}),
        ):
            problem(answer, 503, "database-unavailable")
        health = insider.get("/healthz")
        assert health.status_code == 503
        assert health.json() == {
            "database": "down",
            **dict.fromkeys(("asterisk", "ivr", "dialer", "scheduler", "calls", "trunk", "texts"), "unknown"),
            "disk": "up",
        }
        ready = desk.get("/readyz")
        assert (ready.status_code, ready.json()) == (503, NOTHING_KNOWN)
    finally:
        postgres.start()
    assert desk.post(f"{V1}/rounds/{live.id}/claims").status_code == 204


@pytest.mark.parametrize(
    "damage", [lambda path: path.unlink(), lambda path: path.write_bytes(b"no database" * 1000)]
)
@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_lost_or_damaged_database_file_is_reported(
    settings: Settings, engine: Engine, damage: Callable[[Any], None], tmp_path: Any
) -> None:
    engine.dispose()
    damage(tmp_path / "hotline.db")
    app = create(settings)
    page = TestClient(app, raise_server_exceptions=False, cookies={COOKIE: "x"}, client=HERE)
    problem(page.get(f"{V1}/me"), 503, "database-unavailable")
    problem(page.post(f"{V1}/session", json={"username": "x", "password": "x"}), 503, "database-unavailable")
    assert page.get("/healthz").json()["database"] == "down"
    assert page.get("/readyz").status_code == 503
    stranger = TestClient(app, raise_server_exceptions=False, cookies={COOKIE: "x"})
    assert (down := stranger.get("/healthz")).json() == {"hotline": "down"} and down.status_code == 503


def test_locked_database_is_reported_in_time(
    desk: TestClient, engine: Engine, database: str, live: Round
) -> None:
    registered(engine, live, 1)
    hold = {"sqlite": "SELECT 1", "postgresql": "LOCK TABLE events"}  # SQLite has one lock, taken at once
    with writing(engine) as session:
        session.execute(text(hold[engine.dialect.name]))
        answer = desk.post(f"{V1}/rounds/{live.id}/claims")
    problem(answer, 503, "database-unavailable")
    assert in_time(answer.elapsed.total_seconds(), 8)
    assert desk.post(f"{V1}/rounds/{live.id}/claims").status_code == 201


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        *((error, 503, "database-unavailable") for error in (OperationalError, InternalError, DatabaseError)),
        *((error, 503, "database-unavailable") for error in (InterfaceError, PoolTimeoutError)),
        *((error, 500, "internal-error") for error in (IntegrityError, ProgrammingError, DataError)),
    ],
)
@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_own_database_error_does_not_blame_the_database(
    settings: Settings, engine: Engine, error: type[Exception], status: int, code: str
) -> None:
    app = create(settings)

    def broken() -> None:
        raise error("SELECT 1", {}, Exception())

    app.router.routes.insert(0, APIRoute("/broken", broken))
    problem(TestClient(app, raise_server_exceptions=False).get("/broken"), status, code)


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
def test_second_of_two_concurrent_writes_is_told_to_look_again(app: FastAPI, engine: Engine) -> None:
    def second() -> None:
        with writing(engine) as session:
            session.add(Heartbeat(process="ivr", at=now(session)))
            session.flush()

    second()
    app.router.routes.insert(0, APIRoute("/second", second))
    problem(TestClient(app, raise_server_exceptions=False).get("/second"), 409, "wrong-state")
