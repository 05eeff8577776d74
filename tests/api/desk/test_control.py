"""The supervisor's room over HTTP: who reads it, what it never says, and what the desk is told."""

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, select

from db.engine import reading, writing
from db.models import AuditEntry, Callback, Desk, Hearing, Role, User
from db.states import CallbackState
from hotline import numbers
from hotline.desks import supervising
from tests.api.answers import V1, As, problem
from tests.factories import a_callback, a_desk, a_user


@pytest.fixture
def talking(engine: Engine, user: User) -> Callback:
    """The user's desk speaks with a citizen."""
    with writing(engine) as session:
        return a_callback(session, CallbackState.TALKING, session.get_one(User, user.id))


@pytest.mark.parametrize("role", [Role.SUPERVISOR, Role.ADMINISTRATOR, Role.AUDITOR])
def test_control_room_shows_tickets_without_numbers(as_role: As, talking: Callback, role: Role) -> None:
    answer = as_role(role).get(f"{V1}/control")
    assert answer.status_code == 200, answer.text
    [desk] = [one for one in answer.json()["desks"] if one["desk_id"] == talking.desk_id]
    registration = talking.registration
    assert (desk["at"], desk["ticket"]) == ("speaking", registration.ticket)
    national = numbers.format_national(registration.number)
    assert registration.number not in answer.text and national not in answer.text


def test_alarms_of_the_rail_are_those_of_the_control_room(as_role: As) -> None:
    page = as_role(Role.SUPERVISOR)
    assert page.get(f"{V1}/control/alarms").json() == page.get(f"{V1}/control").json()["alarms"] == []


@pytest.mark.parametrize(("how", "named"), [("listen", False), ("whisper", True), ("join", True)])
def test_desk_sees_the_supervision_and_who_speaks(
    engine: Engine, desk: TestClient, talking: Callback, how: str, named: bool
) -> None:
    assert desk.get(f"{V1}/me").json()["heard_by"] == []
    with writing(engine) as session:
        supervisor = a_user(session, a_desk(session))
        assert supervisor.desk_id is not None and talking.desk_id is not None
        own = session.get_one(Desk, supervisor.desk_id)
        supervising.hear(session, own, talking.desk_id, Hearing(how), who=supervisor.username)
    told = {"how": how, "name": supervisor.name if named else None}
    assert desk.get(f"{V1}/me").json()["heard_by"] == [told]


def test_confirmed_message_is_read_for_the_supervisor(as_role: As, desk: TestClient, user: User) -> None:
    page = as_role(Role.SUPERVISOR)
    sent = page.post(f"{V1}/desks/{user.desk_id}/messages", json={"text": "دو دقیقه مانده است"})
    assert sent.status_code == 204, sent.text
    [word] = desk.get(f"{V1}/me").json()["words"]
    assert word["text"] == "دو دقیقه مانده است"
    for _ in range(2):
        assert desk.post(f"{V1}/desk/messages/{word['id']}/read").status_code == 204
    assert desk.get(f"{V1}/me").json()["words"] == []
    [shown] = [one for one in page.get(f"{V1}/control").json()["desks"] if one["desk_id"] == user.desk_id]
    assert shown["message"]["read_at"] is not None


def test_empty_or_long_message_is_refused(as_role: As, user: User) -> None:
    page, path = as_role(Role.SUPERVISOR), f"{V1}/desks/{user.desk_id}/messages"
    for text in ("", "آ" * 301):
        problem(page.post(path, json={"text": text}), 422, "invalid-input")
    problem(page.post(path, json={"text": "  "}), 409, "message-empty")


def test_freed_conversation_is_audited_with_its_reason(
    engine: Engine, as_role: As, talking: Callback
) -> None:
    page = as_role(Role.SUPERVISOR)
    freed = page.post(f"{V1}/callbacks/{talking.id}/free", json={"reason": "میز برنمی‌گردد"})
    assert freed.status_code == 204, freed.text
    with reading(engine) as session:
        [entry] = session.scalars(select(AuditEntry).where(AuditEntry.action == "citizen-freed"))
        assert entry.reason.endswith("میز برنمی‌گردد")
        assert session.get_one(Callback, talking.id).hangup_asked_at is not None
    problem(page.post(f"{V1}/callbacks/404404/free", json={"reason": "x"}), 404, "not-found")
    problem(page.post(f"{V1}/callbacks/{talking.id}/free", json={"reason": " "}), 409, "reason-missing")


def test_break_and_return_of_a_desk_are_shown(desk: TestClient) -> None:
    taken = desk.put(f"{V1}/desk/break", json={"reason": "prayer"})
    assert taken.status_code == 200, taken.text
    assert taken.json()["desk"]["break_reason"] == "prayer"
    assert desk.put(f"{V1}/desk/break", json={"reason": None}).json()["desk"]["break_since"] is None
    problem(desk.put(f"{V1}/desk/break", json={"reason": "holiday"}), 422, "invalid-input")


def test_wrap_up_start_is_the_same_everywhere(
    engine: Engine, as_role: As, desk: TestClient, talking: Callback
) -> None:
    with writing(engine) as session:
        session.get_one(Desk, talking.desk_id).round_id = talking.round_id
    assert desk.get(f"{V1}/me").json()["desk"]["wrap_up_since"] is None
    assert desk.post(f"{V1}/callbacks/{talking.id}/hangup").status_code == 202
    since = desk.get(f"{V1}/me").json()["desk"]["wrap_up_since"]
    assert since is not None
    said = desk.put(f"{V1}/callbacks/{talking.id}/outcome", json={"outcome": "reached"})
    assert said.status_code == 200, said.text

    def seen() -> list[object]:
        room, wall = (as_role(Role.AUDITOR).get(f"{V1}/{path}").json() for path in ("control", "wallboard"))
        [in_room] = [one for one in room["desks"] if one["desk_id"] == talking.desk_id]
        [on_wall] = [one for one in wall["now"]["desks"] if one["desk_id"] == talking.desk_id]
        [place] = desk.get(f"{V1}/rounds/{talking.round_id}/stage").json()["places"]
        return [
            (in_room["at"], in_room["since"]),
            (on_wall["doing"], on_wall["since"]),
            place["desk"]["wrap_up_since"],
            desk.get(f"{V1}/me").json()["desk"]["wrap_up_since"],
        ]

    assert seen() == [("wrap-up", since), ("wrap-up", since), since, since]
    asked = desk.post(f"{V1}/desk/next", json={"after": None})
    assert asked.status_code == 200, asked.text
    assert asked.json()["desk"]["wrap_up_since"] is None
    assert [state[0] for state in seen()[:2] if isinstance(state, tuple)] == ["waiting", "waiting"]
