"""What the API says while something is silent, full, broken or away, the database first of all."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any

import pytest
from fastapi import FastAPI, Request
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from sqlalchemy import Engine, event, text, update
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

from api import insiders
from api.app import create
from api.cookies import COOKIE, PEER
from db import news
from db.engine import now, writing
from db.models import Breaker, Heartbeat, Node, PlacedCall, Role, Round
from hotline import heartbeats
from hotline.callbacks import breaker, trunk_states
from hotline.nodes import draining, leases
from hotline.recordings import disk
from settings import Settings
from settings.addresses import Address
from tests.api.answers import HERE, V1, As, problem, registered
from tests.factories import SECOND
from tests.kit.databases import held, in_both
from tests.kit.postgres import Postgres
from tests.kit.process import in_time, until


@pytest.fixture
def roomy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever disk this is."""
    monkeypatch.setattr(disk, "of", lambda _folder: disk.Disk(100 << 30, 50 << 30))


@pytest.fixture
def hung(engine: Engine, request: pytest.FixtureRequest) -> Callable[[], AbstractContextManager[object]]:
    """For so long the database hangs, or, where others hold it, lets nobody write."""
    if engine.dialect.name == "sqlite":
        return lambda: held(engine)
    postgres: Postgres = request.getfixturevalue("postgres")
    return postgres.frozen


def beat(engine: Engine, *processes: str) -> None:
    with writing(engine) as session:
        for process in processes:
            heartbeats.beat(session, process)


# Health


@pytest.mark.usefixtures("roomy")
@in_both
def test_given_a_database_that_hung_when_it_goes_on_then_nothing_is_called_dead_that_could_not_speak(
    app: FastAPI, as_role: As, engine: Engine, hung: Callable[[], AbstractContextManager[object]]
) -> None:
    room = as_role(Role.SUPERVISOR)
    heard: list[Engine] = []
    with pytest.MonkeyPatch.context() as patch, TestClient(app, client=HERE) as insider:
        note = heartbeats.answered
        patch.setattr(news, "_UNWRITTEN_S", 0.1)
        patch.setattr(heartbeats, "answered", lambda by: (note(by), heard.append(by)))
        until(lambda: heard, "the API knows that its database answers")
        beat(engine, "ivr", "dialer", "clerk", "asterisk")
        with writing(engine) as session:  # so that seconds are enough
            session.execute(update(Heartbeat).values(fresh_s=2))
        with hung():
            time.sleep(4)  # the gap itself
        assert [alarm["kind"] for alarm in room.get(f"{V1}/control/alarms").json()] == []
        assert insider.get("/healthz").status_code == 200

        def alarms() -> list[str]:
            return [alarm["cause"] for alarm in room.get(f"{V1}/control/alarms").json()]

        until(lambda: alarms() == ["ivr"], "whoever does not come back is told then")


@pytest.mark.usefixtures("roomy")
def test_given_fresh_heartbeats_when_health_is_asked_then_all_is_up(
    insider: TestClient, engine: Engine
) -> None:
    beat(engine, "ivr", "dialer", "clerk", "asterisk")
    with writing(engine) as session:
        trunk_states.answers(session, "trunk", yes=True)
    answer = insider.get("/healthz")
    assert answer.status_code == 200
    assert answer.json() == dict.fromkeys(
        ("database", "asterisk", "ivr", "dialer", "clerk", "calls", "trunk", "texts", "disk"), "up"
    )


@pytest.mark.usefixtures("roomy")
@pytest.mark.parametrize(
    ("beating", "down"),
    [
        ((), {"ivr": "down", "dialer": "down", "clerk": "down", "asterisk": "unknown"}),
        (("dialer", "clerk", "asterisk"), {"ivr": "down"}),
        (("ivr", "dialer", "clerk"), {"asterisk": "down"}),
        (("ivr", "dialer", "asterisk"), {"clerk": "down"}),
        (("ivr", "clerk", "asterisk"), {"dialer": "down", "asterisk": "unknown"}),
    ],
)
def test_given_something_silent_when_health_is_asked_then_it_is_named(
    insider: TestClient, engine: Engine, beating: tuple[str, ...], down: dict[str, str]
) -> None:
    beat(engine, *beating)
    answer = insider.get("/healthz")
    assert answer.status_code == 503
    assert answer.json() == {
        **dict.fromkeys(
            ("database", "asterisk", "ivr", "dialer", "clerk", "calls", "trunk", "texts", "disk"), "up"
        ),
        "trunk": "unknown",
        **down,
    }


def test_given_a_cap_on_calls_that_is_reached_when_health_is_asked_then_it_is_named_and_is_no_fault(
    insider: TestClient, engine: Engine, settings: Settings
) -> None:
    beat(engine, "ivr", "dialer", "clerk", "asterisk")
    with writing(engine) as session:
        for call in range(settings.calls_at_once):
            number = f"+98913{call:07}"
            session.add(PlacedCall(token=f"callback-{call}", number=number, at=now(session)))
    answer = insider.get("/healthz")
    assert (answer.status_code, answer.json()["calls"]) == (200, "capped at-once")


def test_given_a_trunk_that_takes_no_calls_when_health_is_asked_then_it_says_since_when_and_so_does_the_desk(
    insider: TestClient, desk: TestClient, engine: Engine
) -> None:
    beat(engine, "ivr", "dialer", "clerk", "asterisk")
    assert desk.get(f"{V1}/me").json()["calls_down_since"] is None
    with writing(engine) as session:
        for call in range(breaker.FAILURES):
            breaker.failed(session, breaker.TRUNK, f"callback-{call}")
        since = session.get_one(Breaker, breaker.TRUNK).opened_at
    assert since is not None
    answer = insider.get("/healthz")
    words = f"down since {since:%Y-%m-%dT%H:%M:%SZ}, the line is kept"
    assert (answer.status_code, answer.json()["trunk"], answer.json()["calls"]) == (200, words, words)
    assert datetime.fromisoformat(desk.get(f"{V1}/me").json()["calls_down_since"]) == since


def test_given_a_dialer_that_hangs_when_a_desk_looks_then_it_says_since_when_nobody_is_called(
    desk: TestClient, engine: Engine
) -> None:
    beat(engine, "ivr", "dialer", "clerk", "asterisk")
    assert desk.get(f"{V1}/me").json()["calls_down_since"] is None
    with writing(engine) as session:
        silent = session.get_one(Heartbeat, "dialer").at = now(session) - 10 * SECOND
    assert datetime.fromisoformat(desk.get(f"{V1}/me").json()["calls_down_since"]) == silent


def test_given_a_proxy_before_a_trunk_that_is_down_when_told_then_it_may_be_either(
    as_role: As, settings: Settings, engine: Engine
) -> None:
    behind = settings.model_copy(update={"sip_proxy": Address("192.0.2.20", 5060)})
    page = TestClient(create(behind), client=HERE, cookies=as_role(Role.ADMINISTRATOR).cookies)
    beat(engine, "ivr", "dialer", "clerk", "asterisk")
    with writing(engine) as session:
        trunk_states.answers(session, "trunk", yes=True)
    assert page.get("/healthz").json()["trunk"] == "up"
    assert page.get(f"{V1}/setup").json()["by_proxy"]
    with writing(engine) as session:
        for call in range(breaker.FAILURES):
            breaker.failed(session, breaker.TRUNK, f"callback-{call}")
    told = page.get("/healthz").json()
    assert told["trunk"].endswith(", the line is kept; or the SIP proxy before it, 192.0.2.20:5060, is")
    causes = [page.get(f"{V1}/control{part}").json() for part in ("", "/alarms")]
    assert [alarm["cause"] for alarm in (*causes[0]["alarms"], *causes[1])] == ["trunk-or-proxy"] * 2
    with writing(engine) as session:  # what is not the trunk's is not the proxy's
        session.get_one(Heartbeat, "ivr").at -= 10 * SECOND
    assert [alarm["cause"] for alarm in page.get(f"{V1}/control/alarms").json()] == ["ivr"]


@pytest.mark.usefixtures("roomy")
def test_given_several_trunks_when_health_is_asked_then_each_says_how_it_is_and_none_of_it_is_a_503(
    engine: Engine, settings: Settings
) -> None:
    beat(engine, "ivr", "dialer", "clerk", "asterisk")
    (one,) = settings.trunks
    names = ("first", "second", "third", "fourth")
    several = settings.model_copy(
        update={"trunks": tuple(one.model_copy(update={"name": name}) for name in names)}
    )
    with writing(engine) as session:
        for said, name in ((503, "first"), (0, "second")):
            for call in range(trunk_states.FAILURES):
                trunk_states.failed(session, name, f"callback-{call}", said)
        trunk_states.answers(session, "third", yes=True)
        trunk_states.took(session, "third", 23.4)
        trunk_states.registered(session, "third", yes=False)
        since = trunk_states.states(session, names)["first"].down_since
    with TestClient(create(several), client=HERE) as client:
        answer = client.get("/healthz")
    assert answer.status_code == 200
    said = {key: words for key, words in answer.json().items() if key.startswith("trunk")}
    assert since
    assert said == {
        "trunk": "up",
        "trunk first": f"down since {since:%Y-%m-%dT%H:%M:%SZ}, it says 503",
        "trunk second": said["trunk second"],
        "trunk third": "up, 23 ms, not registered: it cannot call us",
        "trunk fourth": "unknown",
    }
    assert said["trunk second"].endswith("it says nothing")


def test_given_several_nodes_when_health_is_asked_then_each_is_named_and_one_that_is_gone_is_no_503(
    insider: TestClient, engine: Engine, settings: Settings
) -> None:
    beat(engine, "ivr", "dialer", "clerk", "asterisk")

    def named() -> dict[str, str]:
        answer = insider.get("/healthz")
        assert answer.status_code == 200
        return {key: word for key, word in answer.json().items() if key.startswith("node")}

    with writing(engine) as session:
        leases.take_only(session, settings)
    assert named() == {}, "the only one goes without saying"
    with writing(engine) as session:
        leases.take_only(session, settings.model_copy(update={"node": "other"}))
        session.get_one(Node, "main").lease_until = now(session) - leases.LEASE
    assert named() == {"node main": "gone", "node other": "live"}
    with writing(engine) as session:
        session.get_one(Node, "main").lease_until = now(session) + leases.LEASE
        for node, answers in (("main", True), ("other", False)):
            draining.tell_trunk(session, node, answers=answers)
    assert named() == {"node main": "live", "node other": "no-trunk"}


def test_given_a_heartbeat_when_it_grows_old_then_the_process_is_down_and_up_again_with_the_next(
    insider: TestClient, engine: Engine
) -> None:
    beat(engine, "ivr", "dialer", "clerk", "asterisk")
    for age, health in ((2, "up"), (6, "down")):
        with writing(engine) as session:
            session.get_one(Heartbeat, "ivr").at = now(session) - age * SECOND
        assert insider.get("/healthz").json()["ivr"] == health
    beat(engine, "ivr")
    assert insider.get("/healthz").status_code == 200


def test_given_a_disk_that_is_nearly_full_when_health_is_asked_then_it_says_so_in_time(
    insider: TestClient, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    beat(engine, "ivr", "dialer", "clerk", "asterisk")
    monkeypatch.setattr(disk, "of", lambda _folder: disk.Disk(100 << 30, 1 << 29))
    answer = insider.get("/healthz")
    assert (answer.status_code, answer.json()["disk"]) == (200, "nearly full")


# Ready

READY = dict.fromkeys(("database", "tables", "asterisk", "ivr", "dialer", "clerk"), "up")
NOTHING_KNOWN = dict.fromkeys(READY, "unknown") | {"database": "down"}


@in_both
def test_given_all_that_works_when_anybody_asks_whether_it_is_ready_then_each_part_is_named_and_may_be_asked(
    nobody: TestClient, engine: Engine
) -> None:
    beat(engine, "ivr", "dialer", "clerk", "asterisk")
    answer = nobody.get("/readyz")
    assert (answer.status_code, answer.json()) == (200, READY)
    assert answer.headers["cache-control"] == "no-store"
    for part in READY:
        one = nobody.get(f"/readyz/{part}")
        assert (one.status_code, one.json()) == (200, {part: "up"})
    problem(nobody.get("/readyz/disk"), 404, "not-found")
    assert nobody.get("/livez").status_code == 204


def test_given_something_silent_when_asked_whether_it_is_ready_then_that_part_is_not_and_the_others_are(
    nobody: TestClient, engine: Engine
) -> None:
    beat(engine, "ivr", "clerk", "asterisk")
    answer = nobody.get("/readyz")
    assert (answer.status_code, answer.json()) == (503, READY | {"dialer": "down", "asterisk": "unknown"})
    assert nobody.get("/readyz/dialer").status_code == nobody.get("/readyz/asterisk").status_code == 503
    assert nobody.get("/readyz/database").status_code == 200


@in_both
def test_given_tables_of_another_version_when_asked_whether_it_is_ready_then_they_are_named(
    nobody: TestClient, engine: Engine
) -> None:
    with writing(engine) as session:
        session.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    answer = nobody.get("/readyz")
    unknown = dict.fromkeys(("asterisk", "ivr", "dialer", "clerk"), "unknown")
    assert (answer.status_code, answer.json()) == (503, {"database": "up", "tables": "down", **unknown})


@in_both
def test_given_a_database_that_takes_nothing_when_asked_whether_it_is_ready_then_it_is_down_though_it_answers(
    nobody: TestClient, engine: Engine
) -> None:
    beat(engine, "ivr", "dialer", "clerk", "asterisk")
    refuses = {
        "sqlite": "CREATE TRIGGER no_more BEFORE INSERT ON heartbeats BEGIN SELECT RAISE(FAIL, 'full'); END",
        "postgresql": "ALTER TABLE heartbeats ADD CONSTRAINT no_more CHECK (process <> 'api')",
    }
    with writing(engine) as session:
        session.execute(text(refuses[engine.dialect.name]))
    answer = nobody.get("/readyz")
    assert (answer.status_code, answer.json()) == (503, READY | {"database": "down"})


@pytest.mark.usefixtures("roomy")
@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_given_a_database_that_another_holds_when_heartbeats_are_late_then_it_is_named_and_nobody_else(
    insider: TestClient, engine: Engine
) -> None:
    beat(engine, "ivr", "dialer", "clerk", "asterisk")
    with writing(engine) as session:
        session.execute(update(Heartbeat).values(at=now(session) - 10 * SECOND))
    with held(engine):  # as another process would
        found = insider.get("/healthz").json()
        unknown = dict.fromkeys(("asterisk", "ivr", "dialer", "clerk"), "unknown")
        assert found.items() >= {"database": "down", **unknown}.items()
        assert insider.get("/readyz").json() == {"database": "down", "tables": "up", **unknown}
    assert insider.get("/healthz").json()["database"] == "down", "as it was a moment ago"
    beat(engine, "ivr", "dialer", "clerk", "asterisk")
    assert insider.get("/healthz").json()["database"] == "up"


def test_given_many_who_ask_whether_it_is_ready_when_they_come_at_once_then_the_database_is_written_once(
    nobody: TestClient, engine: Engine
) -> None:
    beat(engine, "ivr", "dialer", "clerk", "asterisk")
    written = []
    event.listen(
        nobody.app.state.engine,  # type: ignore[attr-defined]
        "before_cursor_execute",
        lambda _c, _cursor, statement, *_: written.append(statement) if "INTO heartbeats" in statement else 0,
    )
    with ThreadPoolExecutor(8) as crowd:
        answers = list(crowd.map(lambda _: nobody.get("/readyz").json(), range(32)))
    assert answers == [READY] * 32
    assert len(written) == 1


# Who sees what

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
def test_given_somebody_when_they_ask_for_health_then_reasons_are_for_insiders_alone(
    with_token: FastAPI, address: str, headers: dict[str, Any], sees: bool
) -> None:
    page = TestClient(with_token, raise_server_exceptions=False, client=(address, 50_000))
    answer = page.get("/healthz", headers=headers)
    assert answer.status_code == 503
    assert ("disk" in answer.json()) is sees
    assert sees or answer.json() == {"hotline": "down"}
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("told", ["unknown", "127.0.0.1", "10.137.0.1", "203.0.113.5"])
def test_given_a_proxy_here_when_it_says_who_asks_then_that_one_is_a_stranger_whatever_the_address(
    with_token: FastAPI, settings: Settings, told: str
) -> None:
    scope = {"type": "http", "client": (told, 0), PEER: ("127.0.0.1", 50_000), "headers": []}
    assert not insiders.by_address_or_token(Request(scope), settings)
    assert not insiders.by_address_or_token(Request(scope), with_token.state.settings)
    shown = scope | {"headers": [(b"authorization", f"Bearer {TOKEN}".encode())]}
    assert insiders.by_address_or_token(Request(shown), with_token.state.settings)


def test_given_no_token_set_when_an_empty_one_is_shown_then_it_opens_nothing(nobody: TestClient) -> None:
    for shown in ("Bearer", "Bearer ", "bearer  "):
        assert nobody.get("/healthz", headers={"Authorization": shown}).json() == {"hotline": "down"}


@pytest.mark.parametrize(("role", "sees"), [(Role.ADMINISTRATOR, True), (Role.OPERATOR, False)])
def test_given_somebody_who_is_signed_in_when_they_ask_for_health_then_an_administrator_hears_reasons(
    as_role: As, role: Role, sees: bool
) -> None:
    assert ("disk" in as_role(role).get("/healthz").json()) is sees


def test_given_all_that_works_when_a_stranger_asks_for_health_then_they_hear_that_it_is_up(
    nobody: TestClient, engine: Engine
) -> None:
    beat(engine, "ivr", "dialer", "clerk", "asterisk")
    answer = nobody.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"hotline": "up"})


# The database away


@pytest.mark.usefixtures("roomy")
@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
def test_given_a_database_that_dies_when_used_then_each_answer_says_so_and_all_works_when_it_is_back(
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
            **dict.fromkeys(("asterisk", "ivr", "dialer", "clerk", "calls", "trunk", "texts"), "unknown"),
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
def test_given_a_database_file_that_is_lost_or_damaged_when_used_then_each_answer_says_so(
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


def test_given_a_database_that_somebody_holds_when_a_desk_claims_then_it_hears_so_in_time(
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
def test_given_an_error_of_the_database_when_it_is_our_own_fault_then_the_answer_does_not_blame_the_database(
    settings: Settings, engine: Engine, error: type[Exception], status: int, code: str
) -> None:
    app = create(settings)

    def broken() -> None:
        raise error("SELECT 1", {}, Exception())

    app.router.routes.insert(0, APIRoute("/broken", broken))
    problem(TestClient(app, raise_server_exceptions=False).get("/broken"), status, code)


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
def test_given_two_who_write_the_same_at_once_when_one_was_first_then_the_other_is_told_to_look_again(
    app: FastAPI, engine: Engine
) -> None:
    def second() -> None:
        with writing(engine) as session:
            session.add(Heartbeat(process="ivr", at=now(session)))
            session.flush()

    second()
    app.router.routes.insert(0, APIRoute("/second", second))
    problem(TestClient(app, raise_server_exceptions=False).get("/second"), 409, "wrong-state")
