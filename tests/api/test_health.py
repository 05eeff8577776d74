"""The API's answers while a part is silent, full, broken or away, the database first of all."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine, update

from api.app import create
from db import news
from db.engine import now, writing
from db.models import Breaker, Heartbeat, Node, PlacedCall, Role, TrustedTime
from hotline import heartbeats
from hotline.nodes import draining, leases
from hotline.recordings import disk
from hotline.trunk import circuit_breaker, selection
from settings import Settings
from settings.addresses import Address
from tests.api.answers import HERE, V1, As, beat
from tests.factories import SECOND
from tests.kit.databases import held, in_both
from tests.kit.postgres import Postgres
from tests.kit.process import until


@pytest.fixture
def hung(engine: Engine, request: pytest.FixtureRequest) -> Callable[[], AbstractContextManager[object]]:
    """For so long the database hangs, or, where others hold it, lets nobody write."""
    if engine.dialect.name == "sqlite":
        return lambda: held(engine)
    postgres: Postgres = request.getfixturevalue("postgres")
    return postgres.frozen


@pytest.mark.usefixtures("roomy")
@in_both
def test_database_that_hung_makes_nobody_look_dead(
    app: FastAPI, as_role: As, engine: Engine, hung: Callable[[], AbstractContextManager[object]]
) -> None:
    room = as_role(Role.SUPERVISOR)
    heard: list[Engine] = []
    with pytest.MonkeyPatch.context() as patch, TestClient(app, client=HERE) as insider:
        note = heartbeats.record_answer
        patch.setattr(news, "_UNWRITTEN_S", 0.1)
        patch.setattr(heartbeats, "record_answer", lambda by: (note(by), heard.append(by)))
        until(lambda: heard, "the API knows that its database answers")
        beat(engine, "ivr", "dialer", "scheduler", "asterisk")
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
def test_fresh_heartbeats_report_all_up(insider: TestClient, engine: Engine) -> None:
    beat(engine, "ivr", "dialer", "scheduler", "asterisk")
    with writing(engine) as session:
        selection.record_options(session, "trunk", yes=True)
    answer = insider.get("/healthz")
    assert answer.status_code == 200
    assert answer.json() == dict.fromkeys(
        ("database", "asterisk", "ivr", "dialer", "scheduler", "calls", "trunk", "texts", "disk"), "up"
    )


@pytest.mark.usefixtures("roomy")
@pytest.mark.parametrize(
    ("beating", "down"),
    [
        ((), {"ivr": "down", "dialer": "down", "scheduler": "down", "asterisk": "unknown"}),
        (("dialer", "scheduler", "asterisk"), {"ivr": "down"}),
        (("ivr", "dialer", "scheduler"), {"asterisk": "down"}),
        (("ivr", "dialer", "asterisk"), {"scheduler": "down"}),
        (("ivr", "scheduler", "asterisk"), {"dialer": "down", "asterisk": "unknown"}),
    ],
)
def test_silent_part_is_named(
    insider: TestClient, engine: Engine, beating: tuple[str, ...], down: dict[str, str]
) -> None:
    beat(engine, *beating)
    answer = insider.get("/healthz")
    assert answer.status_code == 503
    assert answer.json() == {
        **dict.fromkeys(
            ("database", "asterisk", "ivr", "dialer", "scheduler", "calls", "trunk", "texts", "disk"), "up"
        ),
        "trunk": "unknown",
        **down,
    }


def test_reached_call_cap_is_named_without_a_fault(
    insider: TestClient, engine: Engine, settings: Settings
) -> None:
    beat(engine, "ivr", "dialer", "scheduler", "asterisk")
    with writing(engine) as session:
        for call in range(settings.calls_at_once):
            number = f"+98913{call:07}"
            session.add(PlacedCall(token=f"callback-{call}", number=number, at=now(session)))
    answer = insider.get("/healthz")
    assert (answer.status_code, answer.json()["calls"]) == (200, "capped at-once")


def test_trunk_outage_is_reported_with_its_start(
    insider: TestClient, desk: TestClient, engine: Engine
) -> None:
    beat(engine, "ivr", "dialer", "scheduler", "asterisk")
    assert desk.get(f"{V1}/me").json()["calls_down_since"] is None
    with writing(engine) as session:
        for call in range(circuit_breaker.FAILURES):
            circuit_breaker.record_failure(session, circuit_breaker.TRUNK, f"callback-{call}")
        since = session.get_one(Breaker, circuit_breaker.TRUNK).opened_at
    assert since is not None
    answer = insider.get("/healthz")
    words = f"down since {since:%Y-%m-%dT%H:%M:%SZ}, the line is kept"
    assert (answer.status_code, answer.json()["trunk"], answer.json()["calls"]) == (200, words, words)
    assert datetime.fromisoformat(desk.get(f"{V1}/me").json()["calls_down_since"]) == since


def test_hanging_dialer_is_reported_with_its_start(desk: TestClient, engine: Engine) -> None:
    beat(engine, "ivr", "dialer", "scheduler", "asterisk")
    assert desk.get(f"{V1}/me").json()["calls_down_since"] is None
    with writing(engine) as session:
        silent = session.get_one(Heartbeat, "dialer").at = now(session) - 10 * SECOND
    assert datetime.fromisoformat(desk.get(f"{V1}/me").json()["calls_down_since"]) == silent


def test_outage_behind_a_proxy_names_trunk_or_proxy(as_role: As, settings: Settings, engine: Engine) -> None:
    behind = settings.model_copy(update={"sip_proxy": Address("192.0.2.20", 5060)})
    page = TestClient(create(behind), client=HERE, cookies=as_role(Role.ADMINISTRATOR).cookies)
    beat(engine, "ivr", "dialer", "scheduler", "asterisk")
    with writing(engine) as session:
        selection.record_options(session, "trunk", yes=True)
    assert page.get("/healthz").json()["trunk"] == "up"
    assert page.get(f"{V1}/setup").json()["by_proxy"]
    with writing(engine) as session:
        for call in range(circuit_breaker.FAILURES):
            circuit_breaker.record_failure(session, circuit_breaker.TRUNK, f"callback-{call}")
    told = page.get("/healthz").json()
    assert told["trunk"].endswith(", the line is kept; or the SIP proxy before it, 192.0.2.20:5060, is")
    causes = [page.get(f"{V1}/control{part}").json() for part in ("", "/alarms")]
    assert [alarm["cause"] for alarm in (*causes[0]["alarms"], *causes[1])] == ["trunk-or-proxy"] * 2
    with writing(engine) as session:  # what is not the trunk's is not the proxy's
        session.get_one(Heartbeat, "ivr").at -= 10 * SECOND
    assert [alarm["cause"] for alarm in page.get(f"{V1}/control/alarms").json()] == ["ivr"]


@pytest.mark.usefixtures("roomy")
def test_each_of_several_trunks_is_reported_without_a_503(engine: Engine, settings: Settings) -> None:
    beat(engine, "ivr", "dialer", "scheduler", "asterisk")
    (one,) = settings.trunks
    names = ("first", "second", "third", "fourth")
    several = settings.model_copy(
        update={"trunks": tuple(one.model_copy(update={"name": name}) for name in names)}
    )
    with writing(engine) as session:
        for said, name in ((503, "first"), (0, "second")):
            for call in range(selection.FAILURES):
                selection.record_failure(session, name, f"callback-{call}", said)
        selection.record_options(session, "third", yes=True)
        selection.record_latency(session, "third", 23.4)
        selection.record_registration(session, "third", yes=False)
        since = selection.find_states(session, names)["first"].down_since
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


def test_each_node_is_named_and_a_lost_one_is_no_503(
    insider: TestClient, engine: Engine, settings: Settings
) -> None:
    beat(engine, "ivr", "dialer", "scheduler", "asterisk")

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
    with writing(engine) as session:
        heartbeats.record_hang(session, "asterisk", "other")
    assert named() == {"node main": "live", "node other": "no-asterisk"}


def test_old_heartbeat_is_down_until_the_next(insider: TestClient, engine: Engine) -> None:
    beat(engine, "ivr", "dialer", "scheduler", "asterisk")
    for age, health in ((2, "up"), (6, "down")):
        with writing(engine) as session:
            session.get_one(Heartbeat, "ivr").at = now(session) - age * SECOND
        assert insider.get("/healthz").json()["ivr"] == health
    beat(engine, "ivr")
    assert insider.get("/healthz").status_code == 200


def test_nearly_full_disk_is_reported(
    insider: TestClient, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    beat(engine, "ivr", "dialer", "scheduler", "asterisk")
    monkeypatch.setattr(disk, "find_disk", lambda _folder: disk.Disk(100 << 30, 1 << 29))
    answer = insider.get("/healthz")
    assert (answer.status_code, answer.json()["disk"]) == (200, "nearly full")


def test_clock_that_leapt_is_told_to_insiders(insider: TestClient, engine: Engine) -> None:
    with writing(engine) as session:
        at = now(session)
        until = at + timedelta(minutes=10)
        session.add(TrustedTime(id=1, at=at - timedelta(hours=1), boot="b", ticks=1.0, doubted_until=until))
    said = insider.get("/healthz").json()["clock"]
    assert said == f"in trouble: it leapt; nothing is closed or deleted until {until:%Y-%m-%dT%H:%M:%SZ}"
