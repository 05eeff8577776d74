"""The API of a served round: who may end and pause it, and what a page sees of it."""

from collections.abc import Callable, Iterator
from datetime import datetime

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from api.cookies import COOKIE
from db.engine import now, reading, writing
from db.models import Role, Round
from db.states import CallbackState
from hotline import audit
from hotline.callbacks import claims, transitions, waiting_callers
from hotline.people import accounts, sign_ins
from hotline.rounds import phases
from tests.factories import a_callback, a_desk, a_round, a_user, some_registrations

V1 = "/api/v1"
SitsDown = Callable[..., tuple[TestClient, str]]


@pytest.fixture
def sits_down(app: FastAPI, engine: Engine) -> Iterator[SitsDown]:
    """Open the page of a new person of this role at a new desk. Return the page and the person's name."""
    with TestClient(app, raise_server_exceptions=False):

        def page(role: Role, official_id: int | None = None) -> tuple[TestClient, str]:
            with writing(engine) as session:
                user = a_user(session, a_desk(session))
                user.role, user.official_id = role, official_id
                cookie = sign_ins.sign_in(session, user)
            return TestClient(app, raise_server_exceptions=False, cookies={COOKIE: cookie}), user.username

        yield page


@pytest.fixture
def round_id(engine: Engine) -> int:
    with writing(engine) as session:
        round_ = a_round(session)
        some_registrations(session, round_, 1, subject=7)
        return round_.id


def _log(engine: Engine, round_id: int) -> list[tuple[str, str]]:
    with reading(engine) as session:
        return [(e.who, e.action) for e in audit.search(session, subject=f"round {round_id}")][::-1]


def test_official_ends_the_own_round_and_it_is_audited(
    sits_down: SitsDown, engine: Engine, round_id: int
) -> None:
    page, _ = sits_down(Role.OFFICIAL)
    refused = page.post(f"{V1}/rounds/{round_id}/end", json={})
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    assert page.put(f"{V1}/desk/round", json={"round_id": round_id}).json()["code"] == "not-your-round"
    for seen in ("registrations", "stage"):
        assert page.get(f"{V1}/rounds/{round_id}/{seen}").json()["code"] == "not-your-round"

    with reading(engine) as session:
        mine = phases.get(session, round_id).official_id
    page, name = sits_down(Role.OFFICIAL, mine)
    assert page.put(f"{V1}/desk/round", json={"round_id": round_id}).json()["desk"]["round_id"] == round_id
    for seen in ("registrations", "stage"):
        assert page.get(f"{V1}/rounds/{round_id}/{seen}").status_code == 200
    ended = page.post(f"{V1}/rounds/{round_id}/end", json={})

    assert (ended.status_code, ended.json()["phase"]) == (200, "over")
    assert _log(engine, round_id)[-1] == (name, "round-ended")


def test_official_may_not_end_or_pause_another_round(
    sits_down: SitsDown, engine: Engine, round_id: int
) -> None:
    with writing(engine) as session:
        other = a_round(session)
    page, _ = sits_down(Role.OFFICIAL, other.official_id)
    page.put(f"{V1}/desk/round", json={"round_id": other.id})

    assert page.post(f"{V1}/rounds/{round_id}/end", json={}).json()["code"] == "forbidden"
    assert page.post(f"{V1}/rounds/{round_id}/pause").json()["code"] == "not-serving"


def test_official_may_not_screen_in_another_round(sits_down: SitsDown, engine: Engine, round_id: int) -> None:
    page, _ = sits_down(Role.OFFICIAL)
    with writing(engine) as session:
        callback = claims.call_ahead(session, phases.get(session, round_id))
        assert callback is not None
        transitions.move(session, callback.token, CallbackState.WAITING)
    taken = f"{V1}/callbacks/{callback.id}/screen"
    assert page.post(taken).json()["code"] == "not-serving"
    beside, _ = sits_down(Role.OPERATOR)
    assert beside.post(taken).json()["state"] == "screening"


def test_repeated_pause_and_resume_are_audited_once(
    sits_down: SitsDown, engine: Engine, round_id: int
) -> None:
    page, name = sits_down(Role.OPERATOR)

    for deed in ("pause", "pause", "resume", "resume"):
        assert page.post(f"{V1}/rounds/{round_id}/{deed}").status_code == 200

    with reading(engine) as session:
        assert session.get_one(Round, round_id).paused_at is None
    assert _log(engine, round_id)[-2:] == [(name, "round-paused"), (name, "round-resumed")]


def test_line_shows_the_subject_of_each_place(sits_down: SitsDown, round_id: int) -> None:
    page, _ = sits_down(Role.OPERATOR)

    line = page.get(f"{V1}/rounds/{round_id}/registrations").json()

    assert [item["subject"] for item in line["items"]] == [7]


def _stays(engine: Engine) -> int:
    """Somebody waits for an operator on the line; the place."""
    with writing(engine) as session:
        operators_line = phases.get_operators_line(session)
        place = some_registrations(session, operators_line, 1)[0].id
        assert waiting_callers.record_waiting(session, place, "1795652838.7")
        return place


def test_operators_desk_switches_live_calls(sits_down: SitsDown, engine: Engine) -> None:
    page, _ = sits_down(Role.OPERATOR)

    def live() -> tuple[bool, bool | None]:
        me = page.get(f"{V1}/me").json()
        return me["takes_live"], me["said_live"]

    assert live() == (False, None)
    with writing(engine) as session:
        line_id = phases.get_operators_line(session).id
    assert page.put(f"{V1}/desk/round", json={"round_id": line_id}).json()["takes_live"]  # by itself
    for takes in (False, True, None):
        assert page.put(f"{V1}/desk/live-calls", json={"takes": takes}).status_code == 200
        assert live() == (takes is not False, takes)
    page.put(f"{V1}/desk/round", json={"round_id": None})
    assert live() == (False, None)


def test_official_may_not_take_live_calls(
    sits_down: SitsDown,
) -> None:
    page, _ = sits_down(Role.OFFICIAL)
    refused = page.put(f"{V1}/desk/live-calls", json={"takes": True})
    assert refused.json()["code"] == "not-your-round"


def test_waiting_caller_is_marked_apart_from_callbacks(sits_down: SitsDown, engine: Engine) -> None:
    page, _ = sits_down(Role.OPERATOR)
    place = _stays(engine)
    with writing(engine) as session:
        operators_line = phases.get_operators_line(session)
        some_registrations(session, operators_line, 1, registered_at=now(session))
        round_id = operators_line.id
    line = page.get(f"{V1}/rounds/{round_id}/registrations").json()["items"]
    assert [row["on_the_line"] for row in line] == [row["id"] == place for row in line]
    on_the_wall = next(
        line for line in page.get(f"{V1}/wallboard").json()["now"]["lines"] if line["is_operators_line"]
    )
    assert (on_the_wall["on_the_line"], on_the_wall["on_the_line_since"] is not None) == (1, True)

    taken = page.post(f"{V1}/rounds/{round_id}/claims").json()
    assert (taken["registration"]["id"], taken["on_the_line"]) == (place, True)
    with writing(engine) as session:
        waiting_callers.leave(session, "1795652838.7")
    me = page.get(f"{V1}/me").json()
    assert me["callback"]["state"] == "claimed" and not me["callback"]["on_the_line"]


def test_held_conversation_shows_its_start_and_limit(sits_down: SitsDown, engine: Engine) -> None:
    page, name = sits_down(Role.OPERATOR)
    with writing(engine) as session:
        callback = a_callback(session, CallbackState.HELD, accounts.find_by_name(session, name))
        at = callback.held_at = now(session)
        callback.held_s = 10
    said = page.get(f"{V1}/me").json()["callback"]
    assert (datetime.fromisoformat(said["held_at"]), said["held_seconds"]) == (at, 10)
