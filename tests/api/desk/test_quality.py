"""Sound quality that a desk's browser measured: who may send it, what is kept, where it is shown."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx import Response
from sqlalchemy import Engine

from db.engine import now, reading, writing
from db.models import Callback, CallQuality, Recording, Role, User
from db.states import CallbackState
from tests.api.answers import V1, As, problem
from tests.factories import a_callback, at_once
from tests.kit.databases import on_both  # noqa: F401  (fixture)

GOOD: Mapping[str, Any] = {
    "readings": 40, "mos": 4.4, "mos_worst": 4.1, "loss": 0.2, "loss_worst": 2.0,
    "jitter_ms": 3.5, "jitter_ms_worst": 9.0, "rtt_ms": 21.0, "rtt_ms_worst": 80.0,
}  # fmt: skip


@pytest.fixture
def speaks(engine: Engine, user: User) -> Callback:
    """The user's desk is in conversation."""
    with writing(engine) as session:
        return a_callback(session, CallbackState.TALKING, user)


def send(page: TestClient, callback: Callback, **changed: Any) -> Response:
    return page.put(f"{V1}/callbacks/{callback.id}/quality", json={**GOOD, **changed})


def kept(engine: Engine, callback: Callback) -> dict[str, Any] | None:
    with reading(engine) as session:
        row = session.get(CallQuality, callback.id)
        return row and {name: getattr(row, name) for name in GOOD}


def test_longest_quality_measurement_is_kept(engine: Engine, desk: TestClient, speaks: Callback) -> None:
    assert send(desk, speaks, readings=10, mos=3.9).status_code == 204
    assert send(desk, speaks).status_code == 204
    assert send(desk, speaks).status_code == 204, "sent twice"
    assert send(desk, speaks, readings=10, mos=3.9).status_code == 204, "one that comes late"
    assert kept(engine, speaks) == GOOD
    assert send(desk, speaks, readings=50, rtt_ms=None, rtt_ms_worst=None).status_code == 204
    assert kept(engine, speaks) == {**GOOD, "readings": 50, "rtt_ms": None, "rtt_ms_worst": None}


def test_simultaneous_measurements_keep_one_row(engine: Engine, desk: TestClient, speaks: Callback) -> None:
    answers = at_once(2, lambda place: send(desk, speaks, readings=place + 1).status_code)
    assert list(answers) == [204, 204]
    assert kept(engine, speaks) == {**GOOD, "readings": 2}


def test_quality_of_a_foreign_conversation_is_refused(engine: Engine, as_role: As, speaks: Callback) -> None:
    for role in (Role.OPERATOR, Role.SUPERVISOR, Role.AUDITOR):
        problem(send(as_role(role), speaks), 403, "forbidden")
    assert kept(engine, speaks) is None


def test_quality_without_a_recent_conversation_is_refused(
    engine: Engine, desk: TestClient, speaks: Callback
) -> None:
    with writing(engine) as session:
        callback = session.get_one(Callback, speaks.id)
        callback.state, callback.ended_at = CallbackState.ENDED, now(session) - timedelta(minutes=50)
    assert send(desk, speaks).status_code == 204
    with writing(engine) as session:
        session.get_one(Callback, speaks.id).ended_at = now(session) - timedelta(hours=2)
    problem(send(desk, speaks, readings=99), 409, "wrong-state")
    with writing(engine) as session:
        callback = session.get_one(Callback, speaks.id)
        callback.state, callback.talking_at, callback.ended_at = CallbackState.CLAIMED, None, None
    problem(send(desk, speaks, readings=99), 409, "never-met")
    assert kept(engine, speaks) == GOOD


@pytest.mark.parametrize(
    "wrong",
    [
        {"readings": 0}, {"readings": 2**40}, {"mos": 0.9}, {"mos_worst": 5.1}, {"loss": -1},
        {"loss_worst": 101}, {"jitter_ms": 1e9}, {"jitter_ms_worst": -1}, {"rtt_ms": 1e9},
        {"rtt_ms_worst": -0.1}, {"mos": None},
    ],
)  # fmt: skip
def test_impossible_quality_value_is_refused(
    engine: Engine, desk: TestClient, speaks: Callback, wrong: dict[str, Any]
) -> None:
    problem(send(desk, speaks, **wrong), 422, "invalid-input")
    assert kept(engine, speaks) is None


@pytest.mark.parametrize("word", ["NaN", "Infinity"])
def test_quality_that_is_not_a_number_is_refused(
    engine: Engine, desk: TestClient, speaks: Callback, word: str
) -> None:
    body = '{"readings":1,"mos":3,"mos_worst":3,"loss":0,"loss_worst":0,"jitter_ms":0,"jitter_ms_worst":%s}'
    json = {"content-type": "application/json"}
    answer = desk.put(f"{V1}/callbacks/{speaks.id}/quality", content=body % word, headers=json)
    problem(answer, 422, "invalid-input")
    assert kept(engine, speaks) is None


def test_measured_quality_is_shown_with_the_conversation(
    engine: Engine, as_role: As, desk: TestClient, speaks: Callback
) -> None:
    send(desk, speaks, mos=3.0)
    with writing(engine) as session:
        at = session.get_one(Callback, speaks.id).called_at = now(session)
        session.add(Recording(callback_id=speaks.id, file="f.wav", sha256="0" * 64, seconds=60, made_at=at))
    page = as_role(Role.SUPERVISOR)
    expected = {**GOOD, "mos": 3.0, "bad": True}
    (recording,) = page.get(f"{V1}/recordings", params={"round_id": speaks.round_id}).json()
    assert recording["quality"] == expected
    (found,) = page.get(f"{V1}/recordings/all").json()["items"]
    assert found["quality"] == expected
    history = page.get(f"{V1}/callbacks/{speaks.id}/history").json()
    assert history["registrations"][0]["calls"][0]["quality"] == expected
    report = page.get(f"{V1}/rounds/{speaks.round_id}/report").json()
    assert (report["mos"], report["bad_share"]) == (3.0, 1.0)
