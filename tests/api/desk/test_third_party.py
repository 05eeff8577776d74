"""A third person in a desk's conversation, as the desk's page asks for one."""

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, select

from db.engine import reading, writing
from db.models import AuditEntry, Callback, Department, Official, Role, Round, User
from db.states import CallbackState
from tests.api.answers import V1, SignedIn, problem
from tests.factories import a_callback, a_department, a_desk, a_user, an_official

TYPED, SHOWN = "۰۳۱۳۲۲۱۲۳۴۵", "03132212345"


def talks(engine: Engine, user: User, state: CallbackState = CallbackState.TALKING) -> Callback:
    with writing(engine) as session:
        return a_callback(session, state, session.get_one(User, user.id))


def a_department_with(engine: Engine, number: str | None) -> Department:
    with writing(engine) as session:
        department = a_department(session)
        department.number = number
        return department


def an_official_with(engine: Engine, number: str | None) -> Official:
    with writing(engine) as session:
        official = an_official(session)
        official.number = number
        return official


def test_typed_number_is_called_once_and_ended_by_the_desk(
    desk: TestClient, engine: Engine, user: User
) -> None:
    guests = f"{V1}/callbacks/{talks(engine, user).id}/guests"
    assert desk.get(guests).json() == []
    first = desk.post(guests, json={"number": TYPED})
    assert first.status_code == 202
    assert desk.post(guests, json={"number": SHOWN}).json() == first.json()
    (guest,) = desk.get(guests).json()
    assert (guest["number"], guest["state"], guest["department_id"]) == (SHOWN, "asked", None)
    problem(desk.post(guests, json={"number": "09131234568"}), 409, "guest-there")

    ended = desk.delete(f"{guests}/{guest['id']}")
    assert (ended.status_code, ended.json()["state"], ended.json()["ended_by"]) == (202, "ended", "by_desk")
    problem(desk.delete(f"{guests}/999999"), 404, "not-found")


def test_department_with_a_number_is_called(desk: TestClient, engine: Engine, user: User) -> None:
    guests = f"{V1}/callbacks/{talks(engine, user).id}/guests"
    water, silent = a_department_with(engine, "+983132212345"), a_department_with(engine, None)
    asked = desk.post(guests, json={"department_id": water.id})
    assert (asked.status_code, asked.json()["number"], asked.json()["department_id"]) == (
        202,
        SHOWN,
        water.id,
    )
    problem(desk.post(guests, json={"department_id": silent.id}), 409, "number-invalid")
    problem(desk.post(guests, json={}), 409, "number-invalid")
    problem(desk.post(guests, json={"department_id": water.id, "number": SHOWN}), 409, "number-invalid")


def test_official_with_a_number_is_called_except_oneself(
    desk: TestClient, engine: Engine, user: User
) -> None:
    guests = f"{V1}/callbacks/{talks(engine, user).id}/guests"
    deputy, silent = an_official_with(engine, "+983132212345"), an_official_with(engine, None)
    with writing(engine) as session:
        mine = session.get_one(User, user.id)
        mine.role, mine.official_id = Role.OFFICIAL, deputy.id
    problem(desk.post(guests, json={"official_id": deputy.id}), 409, "guest-is-here")
    problem(desk.post(guests, json={"official_id": silent.id}), 409, "number-invalid")
    problem(desk.post(guests, json={"official_id": deputy.id, "department_id": 1}), 409, "number-invalid")
    problem(desk.post(guests, json={"official_id": 404}), 404, "not-found")
    with writing(engine) as session:
        session.get_one(User, user.id).official_id = silent.id
    asked = desk.post(guests, json={"official_id": deputy.id})
    assert asked.status_code == 202
    told = asked.json()
    assert (told["number"], told["official_id"], told["department_id"]) == (SHOWN, deputy.id, None)


def test_guest_without_a_talk_or_callable_number_is_refused(
    desk: TestClient, engine: Engine, user: User, as_user: SignedIn
) -> None:
    callback = talks(engine, user)
    guests = f"{V1}/callbacks/{callback.id}/guests"
    problem(desk.post(guests, json={"number": "+4930123456"}), 409, "number-not-allowed")
    problem(desk.post(guests, json={"number": callback.registration.number}), 409, "guest-is-citizen")
    with writing(engine) as session:
        other = a_user(session, a_desk(session))
    problem(as_user(other).post(guests, json={"number": SHOWN}), 403, "forbidden")
    rings = talks(engine, other, CallbackState.RINGING)
    problem(
        as_user(other).post(f"{V1}/callbacks/{rings.id}/guests", json={"number": SHOWN}), 409, "wrong-state"
    )


@pytest.mark.parametrize(
    ("kept", "named"),
    [
        ("departments", {"name_fa": "آب", "name_en": "Water"}),
        (
            "officials",
            {"kind": "deputy", "office_fa": "معاون", "office_en": "Deputy", "clip": "office-mayor"},
        ),
    ],
)
def test_stored_number_is_shown_removed_and_never_logged(
    office: TestClient, engine: Engine, kept: str, named: dict[str, str]
) -> None:
    made = office.post(f"{V1}/{kept}", json={**named, "number": TYPED})
    assert (made.status_code, made.json()["number"]) == (201, SHOWN)
    path = f"{V1}/{kept}/{made.json()['id']}"
    assert office.patch(path, json={"active": True}).json()["number"] == SHOWN
    (listed,) = office.get(f"{V1}/{kept}").json()
    assert listed["number"] == SHOWN
    problem(office.patch(path, json={"number": "12"}), 409, "number-invalid")
    assert office.patch(path, json={"number": SHOWN}).json()["number"] == SHOWN
    assert office.patch(path, json={"number": ""}).json()["number"] is None
    other = {**named, "name_fa": "برق", "name_en": "Power", "number": ""}
    assert office.post(f"{V1}/{kept}", json=other).status_code == 201
    with reading(engine) as session:
        for table in (Department, Official):
            assert session.scalars(select(table).where(table.number.is_not(None))).all() == []
        entries = session.scalars(select(AuditEntry)).all()
        assert len(entries) == 5
        assert [entry for entry in entries if SHOWN[1:] in entry.subject + entry.reason] == []


def test_officials_number_is_in_no_answer_about_rounds(
    office: TestClient, nobody: TestClient, engine: Engine, live: Round
) -> None:
    with writing(engine) as session:
        session.get_one(Official, live.official_id).number = "+983132212345"
    for asked, page in ((office, f"{V1}/rounds/{live.id}"), (nobody, f"/public/rounds/{live.id}")):
        answer = asked.get(page)
        assert answer.status_code == 200
        assert SHOWN[1:] not in answer.text
