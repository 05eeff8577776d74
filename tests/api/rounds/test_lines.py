"""Rounds and their lines, as a desk's page reads them."""

from datetime import datetime

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from db.engine import now, writing
from db.models import Registration, Role, Round, User
from db.states import Outcome, Phase, RegistrationState
from hotline import numbers
from tests.api.answers import V1, As, problem, registered
from tests.factories import HOUR, a_registration, a_round, some_registrations


def test_rounds_are_listed_with_phase_and_counts(desk: TestClient, engine: Engine) -> None:
    with writing(engine) as session:
        made = {phase: a_round(session, phase) for phase in Phase}
        live = made[Phase.LIVE]
        some_registrations(session, live, 3)
        for state in set(RegistrationState) - {RegistrationState.WAITING}:
            a_registration(session, live, state=state)
    listed = desk.get(f"{V1}/rounds").json()
    assert [(r["id"], r["phase"]) for r in listed] == [
        (made[phase].id, phase)
        for phase in (
            *(Phase.OVER, Phase.LIVE, Phase.CLOSED, Phase.OPEN),
            *(Phase.CANCELLED, Phase.PLANNED, Phase.ANNOUNCED),
        )
    ]
    assert [r["id"] for r in listed if r["takes_registrations"]] == [live.id, made[Phase.OPEN].id]
    assert listed[1]["counts"] == {"waiting": 3, "calling": 1, "reached": 1, "unreached": 1}
    assert listed[0]["counts"] == {"waiting": 0, "calling": 0, "reached": 0, "unreached": 0}
    assert listed[1]["official"]["office_fa"] == "شهردار"
    assert datetime.fromisoformat(listed[1]["starts_at"]) == live.starts_at


def test_paging_shows_each_place_once_in_order(
    desk: TestClient, engine: Engine, live: Round, user: User
) -> None:
    with writing(engine) as session:
        rows = some_registrations(session, live, 3, rounds_missed=1)
        rows += some_registrations(session, live, 4)
        a_registration(session, live, state=RegistrationState.REACHED)
        a_registration(session, a_round(session))
    claimed = desk.post(f"{V1}/rounds/{live.id}/claims").json()["registration"]["id"]
    assert claimed == rows[0].id
    pages, query = [], {"limit": "3"}
    while True:
        pages.append(desk.get(f"{V1}/rounds/{live.id}/registrations", params=query).json())
        if pages[-1]["next"] is None:
            break
        query["after"] = pages[-1]["next"]
    items = [item for page in pages for item in page["items"]]
    assert [len(page["items"]) for page in pages] == [3, 3, 1]
    assert {page["total"] for page in pages} == {7}
    assert [item["id"] for item in items] == [row.id for row in rows]
    assert [item["place"] for item in items] == [None, 1, 2, 3, 4, 5, 6]
    assert [item["desk_id"] for item in items] == [user.desk_id, *[None] * 6]
    whole = desk.get(f"{V1}/rounds/{live.id}/registrations").json()
    assert (whole["items"], whole["next"]) == (items, None)
    exact = desk.get(f"{V1}/rounds/{live.id}/registrations", params={"limit": 7}).json()
    assert exact["next"] is None


def test_paging_continues_after_a_call_of_the_last_place(
    desk: TestClient, engine: Engine, live: Round
) -> None:
    rows = registered(engine, live, 4)
    first = desk.get(f"{V1}/rounds/{live.id}/registrations", params={"limit": 2}).json()
    with writing(engine) as session:
        session.get_one(Registration, rows[1].id).state = RegistrationState.REACHED
    second = desk.get(f"{V1}/rounds/{live.id}/registrations", params={"after": first["next"]}).json()
    assert [item["id"] for item in second["items"]] == [row.id for row in rows[2:]]
    assert [item["place"] for item in second["items"]] == [2, 3]


def test_registration_has_a_national_number_and_utc_times(
    desk: TestClient, engine: Engine, live: Round
) -> None:
    with writing(engine) as session:
        row = a_registration(
            session,
            live,
            number="+989131234567",
            rounds_missed=1,
            attempts=2,
            last_outcome=Outcome.BUSY,
            not_before=now(session) + HOUR,
        )
    (item,) = desk.get(f"{V1}/rounds/{live.id}/registrations").json()["items"]
    assert item == {
        "id": row.id,
        "ticket": row.ticket,
        "number": "09131234567",
        "subject": None,
        "has_voice_message": False,
        "state": "waiting",
        "place": 1,
        "why": "carried",
        "moved_reason": "",
        "rounds_missed": 1,
        "attempts": 2,
        "registered_at": item["registered_at"],
        "not_before": item["not_before"],
        "last_outcome": "busy",
        "desk_id": None,
        "on_the_line": False,
    }
    assert datetime.fromisoformat(item["registered_at"]) == row.registered_at
    assert datetime.fromisoformat(item["not_before"]) == row.not_before


def test_unknown_round_or_place_is_not_found(desk: TestClient, engine: Engine, live: Round) -> None:
    with writing(engine) as session:
        elsewhere = a_registration(session, a_round(session)).id
    for path in (
        "/rounds/137/registrations",
        f"/rounds/{live.id}/registrations?after={elsewhere}",
        f"/rounds/{live.id}/registrations?after=137137",
        "/callbacks/137",
        "/nothing",
        "/rounds/1/nothing",
    ):
        problem(desk.get(f"{V1}{path}"), 404, "not-found")
    problem(desk.post(f"{V1}/rounds/137/claims"), 404, "not-found")
    problem(desk.post("/api/nothing"), 405, "method-not-allowed")
    problem(desk.post(f"{V1}/me"), 405, "method-not-allowed")


@pytest.mark.parametrize(
    ("role", "whole"), [(Role.OPERATOR, True), (Role.SUPERVISOR, False), (Role.AUDITOR, False)]
)
def test_numbers_are_masked_outside_the_own_line(
    engine: Engine, as_role: As, role: Role, whole: bool
) -> None:
    with writing(engine) as session:
        place = a_registration(session, a_round(session))
    page = as_role(role)
    (row,) = page.get(f"{V1}/rounds/{place.round_id}/registrations").json()["items"]
    assert row["number"] == numbers.format_national(place.number if whole else numbers.mask(place.number))
