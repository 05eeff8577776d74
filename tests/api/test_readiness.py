"""`/readyz`: whether each part can be worked with."""

from concurrent.futures import ThreadPoolExecutor, wait

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, event, text, update

from api.readiness import Readiness
from db.engine import now, writing
from db.models import Heartbeat
from tests.api.answers import READY, beat, problem
from tests.factories import SECOND
from tests.kit.databases import held, in_both


@in_both
def test_ready_system_names_each_part(nobody: TestClient, engine: Engine) -> None:
    beat(engine, "ivr", "dialer", "scheduler", "asterisk")
    answer = nobody.get("/readyz")
    assert (answer.status_code, answer.json()) == (200, READY)
    assert answer.headers["cache-control"] == "no-store"
    for part in READY:
        one = nobody.get(f"/readyz/{part}")
        assert (one.status_code, one.json()) == (200, {part: "up"})
    problem(nobody.get("/readyz/disk"), 404, "not-found")
    assert nobody.get("/livez").status_code == 204


def test_silent_part_alone_is_not_ready(nobody: TestClient, engine: Engine) -> None:
    beat(engine, "ivr", "scheduler", "asterisk")
    answer = nobody.get("/readyz")
    assert (answer.status_code, answer.json()) == (503, READY | {"dialer": "down", "asterisk": "unknown"})
    assert nobody.get("/readyz/dialer").status_code == nobody.get("/readyz/asterisk").status_code == 503
    assert nobody.get("/readyz/database").status_code == 200


@in_both
def test_tables_of_another_version_are_not_ready(nobody: TestClient, engine: Engine) -> None:
    with writing(engine) as session:
        session.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    answer = nobody.get("/readyz")
    unknown = dict.fromkeys(("asterisk", "ivr", "dialer", "scheduler"), "unknown")
    assert (answer.status_code, answer.json()) == (503, {"database": "up", "tables": "down", **unknown})


@in_both
def test_unwritable_database_is_not_ready(nobody: TestClient, engine: Engine) -> None:
    beat(engine, "ivr", "dialer", "scheduler", "asterisk")
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
def test_locked_database_alone_is_named_for_late_heartbeats(insider: TestClient, engine: Engine) -> None:
    beat(engine, "ivr", "dialer", "scheduler", "asterisk")
    with writing(engine) as session:
        session.execute(update(Heartbeat).values(at=now(session) - 10 * SECOND))
    with held(engine):  # as another process would
        found = insider.get("/healthz").json()
        unknown = dict.fromkeys(("asterisk", "ivr", "dialer", "scheduler"), "unknown")
        assert found.items() >= {"database": "down", **unknown}.items()
        assert insider.get("/readyz").json() == {"database": "down", "tables": "up", **unknown}
    assert insider.get("/healthz").json()["database"] == "down", "as it was a moment ago"
    beat(engine, "ivr", "dialer", "scheduler", "asterisk")
    assert insider.get("/healthz").json()["database"] == "up"


def test_simultaneous_readiness_checks_write_once(nobody: TestClient, engine: Engine) -> None:
    beat(engine, "ivr", "dialer", "scheduler", "asterisk")
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


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_two_checks_of_a_slow_database_do_not_call_it_down(
    engine: Engine,
) -> None:
    ready = Readiness(engine)
    assert ready.is_taken()
    ready._tried_at = ready._taken_at = ready._taken_at - 60
    with ThreadPoolExecutor(2) as crowd:
        with held(engine):
            first = crowd.submit(ready.is_taken)
            while not ready._trying.locked():
                wait([first], timeout=0.01)
            second = crowd.submit(ready.is_taken)
            wait([second], timeout=0.5)  # who waits for the first, as it should, is not done by then
        assert first.result() and second.result()
