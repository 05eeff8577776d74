"""Whether a trunk works is the same on the page, /healthz, in the metrics and for the doctor."""

from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from api.app import create
from db.engine import now, writing
from db.models import Role
from hotline.trunk import circuit_breaker, selection
from ops.doctor import stored
from ops.doctor.findings import Known
from settings import Settings
from settings.addresses import Address
from tests.api.answers import HERE, V1, As

pytestmark = pytest.mark.parametrize("backend", ["sqlite"])
ONLY, A, B = "trunk", "main", "spare"


@pytest.fixture
def settings(settings: Settings, request: pytest.FixtureRequest) -> Settings:
    names = (A, B) if "several" in request.fixturenames else (ONLY,)
    (one,) = settings.trunks
    changes: dict[str, Any] = {"host": Address("192.0.2.1", 5060)}
    return settings.model_copy(
        update={"trunks": tuple(one.model_copy(update=changes | {"name": name}) for name in names)}
    )


@pytest.fixture
def several() -> bool:
    return True


Told = Callable[[], list[tuple[Any, ...]]]


@pytest.fixture
def told(as_role: As, settings: Settings, engine: Engine) -> Told:
    """Return the trunk states by the page, /healthz, the metrics and the doctor."""
    page = as_role(Role.ADMINISTRATOR)
    names = [trunk.name for trunk in settings.trunks]

    def asked() -> list[tuple[Any, ...]]:
        words = {None: "unheard", True: "up", False: "down"}
        rows = page.get(f"{V1}/setup").json()["trunks"]
        shown = {each["name"]: words[each["answers"]] for each in rows}
        assert [each["name"] for each in rows if each["down_since"]] == [
            n for n in names if shown[n] == "down"
        ]
        with TestClient(create(settings), client=HERE) as client:
            health, metrics = client.get("/healthz").json(), client.get("/metrics").text
        with writing(engine) as session:
            known = Known(settings, engine, runs=True, at=now(session))
        found = [*stored.check_trunks(known)]
        said = []
        for name in names:
            key = "trunk" if len(names) == 1 else f"trunk {name}"
            up = [
                line[-3:]
                for line in metrics.splitlines()
                if line.startswith(f'hotline_trunk_up{{trunk="{name}"')
            ]
            doctor = max(str(each.state) for each in found if each.name == key)
            said.append((shown[name], health[key].split(" ")[0].strip(","), *up, doctor))
        return said

    return asked


def does(engine: Engine, step: Callable[[Session], object]) -> None:
    with writing(engine) as session:
        step(session)


UP, UNHEARD = ("up", "up", "1.0", "ok"), ("unheard", "unknown", "warning")


def test_state_of_one_trunk_is_the_same_everywhere(told: Told, engine: Engine) -> None:
    assert told() == [UNHEARD]
    does(engine, lambda session: selection.record_failure(session, ONLY, "trial-1", 0))
    ((*words, doctor),) = told()
    assert words == ["down", "down", "0.0"] and doctor != "ok"
    does(engine, lambda session: selection.record_options(session, ONLY, yes=True))
    assert told() == [UP], "its answer counts, though it never answered before"
    does(engine, lambda session: selection.record_failure(session, ONLY, "trial-2", 0))
    assert told() == [UP], "one call that failed says less"
    for call in range(circuit_breaker.FAILURES):
        does(
            engine,
            lambda session, call=call: circuit_breaker.record_failure(
                session, circuit_breaker.TRUNK, f"call-{call}"
            ),
        )
    ((*words, doctor),) = told()
    assert words == ["down", "down", "0.0"] and doctor != "ok"


def test_trunk_without_options_is_up_once_it_takes_a_call(told: Told, engine: Engine) -> None:
    does(engine, lambda session: selection.record_success(session, ONLY))
    assert told() == [UP]


def test_states_of_several_trunks_are_the_same_everywhere(
    told: Told, engine: Engine, settings: Settings, several: bool
) -> None:
    does(engine, lambda session: selection.record_failure(session, A, "trial-1", 0))
    assert told() == [("down", "down", "0.0", "warning"), UNHEARD]
    does(engine, lambda session: selection.record_failure(session, B, "trial-2", 503))
    assert told()[1] == UNHEARD
    for call in range(selection.FAILURES):
        does(engine, lambda session, call=call: selection.record_failure(session, B, f"trial-3-{call}", 503))
    assert told() == [("down", "down", "0.0", "warning")] * 2
    found = [*stored.check_trunks(Known(settings, engine, runs=True))]
    assert [str(each.state) for each in found] == ["fault", "warning", "warning"]
    assert "others" not in str(found)
