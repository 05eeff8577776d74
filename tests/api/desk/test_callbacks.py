"""The path of a callback as a desk's page goes it, and the desk's phone."""

from fastapi.testclient import TestClient
from sqlalchemy import Engine

from api.app import create
from db.engine import now, reading, writing
from db.models import Callback, Desk, Round, User
from db.states import CallbackState, Phase
from hotline import heartbeats, numbers
from hotline.callbacks import placing, transitions
from hotline.line import order
from settings import Settings
from tests.api.answers import V1, SignedIn, problem, registered, said
from tests.factories import a_callback, a_registration, a_round, a_user

# The path of a callback


def test_returned_claim_is_first_in_line_again(
    desk: TestClient, engine: Engine, live: Round, user: User
) -> None:
    first, second = registered(engine, live, 2)
    answer = desk.post(f"{V1}/rounds/{live.id}/claims")
    assert answer.status_code == 201
    claimed = answer.json()
    assert (claimed["state"], claimed["outcome"], claimed["desk_id"]) == ("claimed", None, user.desk_id)
    assert claimed["registration"]["id"] == first.id
    assert claimed["registration"]["number"] == numbers.format_national(first.number)
    assert (claimed["registration"]["place"], claimed["registration"]["desk_id"]) == (None, user.desk_id)
    assert desk.get(f"{V1}/me").json()["callback"] == claimed
    assert desk.get(f"{V1}/callbacks/{claimed['id']}").json() == claimed
    problem(desk.post(f"{V1}/rounds/{live.id}/claims"), 409, "desk-busy")

    body = {"outcome": "returned", "note": "یادداشت"}
    answer = desk.put(f"{V1}/callbacks/{claimed['id']}/outcome", json=body)
    assert answer.status_code == 200
    returned = answer.json()
    assert (returned["state"], returned["outcome"], said(returned)) == ("closed", "returned", ["یادداشت"])
    place = returned["registration"]
    assert (place["state"], place["place"], place["attempts"], place["desk_id"]) == ("waiting", 1, 0, None)
    assert desk.get(f"{V1}/me").json()["callback"] is None
    (waiting, _) = desk.get(f"{V1}/rounds/{live.id}/registrations").json()["items"]
    assert (waiting["id"], waiting["desk_id"], waiting["last_outcome"]) == (first.id, None, "returned")
    again = desk.post(f"{V1}/rounds/{live.id}/claims").json()
    assert again["registration"]["id"] == first.id and again["id"] != claimed["id"]
    with reading(engine) as session:
        assert [row.id for row in order.list_page(session, live.id, 9, None)] == [first.id, second.id]


def test_claim_on_an_empty_line_is_empty(desk: TestClient, live: Round) -> None:
    answer = desk.post(f"{V1}/rounds/{live.id}/claims")
    assert (answer.status_code, answer.content) == (204, b"")


def test_claim_outside_a_live_round_is_refused(desk: TestClient, engine: Engine) -> None:
    for phase, code in ((Phase.OPEN, "round-not-started"), (Phase.OVER, "round-over")):
        with writing(engine) as session:
            round_ = a_round(session, phase)
            a_registration(session, round_)
        problem(desk.post(f"{V1}/rounds/{round_.id}/claims"), 409, code)


def test_each_callback_state_allows_its_actions(
    desk: TestClient, engine: Engine, live: Round, user: User
) -> None:
    registered(engine, live, 1)
    url = f"{V1}/callbacks/{desk.post(f'{V1}/rounds/{live.id}/claims').json()['id']}"
    reached = {"outcome": "reached", "note": "first"}
    problem(desk.post(f"{url}/hangup"), 409, "wrong-state")
    problem(desk.put(f"{url}/outcome", json=reached), 409, "wrong-state")
    called = desk.post(f"{url}/call")
    assert (called.status_code, called.json()["state"]) == (202, "dialing")
    assert called.json()["called_at"] is not None
    problem(desk.post(f"{url}/call"), 409, "wrong-state")
    problem(desk.put(f"{url}/outcome", json=reached), 409, "wrong-state")
    problem(desk.put(f"{url}/outcome", json={"outcome": "returned"}), 409, "wrong-state")
    assert desk.post(f"{url}/hangup").status_code == 202
    with writing(engine) as session:
        (callback,) = placing.list_open_calls(session)
        assert callback.hangup_asked_at is not None
        transitions.move(session, callback.token, CallbackState.ENDED, ended_at=now(session))
    problem(desk.post(f"{url}/hangup"), 409, "wrong-state")
    problem(desk.put(f"{url}/outcome", json=reached), 409, "never-met")
    with writing(engine) as session:
        session.get_one(Callback, callback.id).talking_at = now(session)
    problem(desk.post(f"{V1}/rounds/{live.id}/claims"), 409, "desk-busy")
    closed = desk.put(f"{url}/outcome", json=reached).json()
    assert (closed["outcome"], closed["registration"]["state"]) == ("reached", "reached")
    noted = desk.put(f"{url}/outcome", json={"outcome": "reached", "note": "second"})
    assert (noted.status_code, noted.json()) == (200, {**closed, "notes": noted.json()["notes"]})
    problem(desk.put(f"{url}/outcome", json={"outcome": "busy"}), 409, "wrong-state")
    assert said(desk.get(url).json()) == ["first", "second"]


def test_hang_up_and_its_undo_are_shown_to_the_desk(desk: TestClient, engine: Engine, user: User) -> None:
    with writing(engine) as session:
        callback = a_callback(session, CallbackState.TALKING, user)
    url = f"{V1}/callbacks/{callback.id}"
    parting = desk.post(f"{url}/hangup")
    assert (parting.status_code, parting.json()["state"]) == (202, "parting")
    assert parting.json()["parting_until"] is not None
    assert parting.json()["ended_at"] is not None  # its clock stands, though the end can be undone
    me = desk.get(f"{V1}/me").json()
    assert me["callback"] == me["parting"] == parting.json()
    undone = desk.post(f"{url}/undo").json()
    assert (undone["state"], undone["parting_until"], undone["ended_at"]) == ("held", None, None)
    problem(desk.post(f"{url}/undo"), 409, "too-late")
    assert desk.get(f"{V1}/me").json()["parting"] is None


def test_second_call_after_a_cut_is_a_new_callback(desk: TestClient, engine: Engine, user: User) -> None:
    with writing(engine) as session:
        callback = a_callback(session, CallbackState.ENDED, user)
        callback.held_until = now(session)
    me = desk.get(f"{V1}/me").json()
    assert me["cut_off"]["id"] == callback.id and me["cut_off"]["default_outcome"] == "call_again"
    again = desk.post(f"{V1}/callbacks/{callback.id}/call-again")
    assert (again.status_code, again.json()["state"]) == (202, "dialing")
    me = desk.get(f"{V1}/me").json()
    assert (me["callback"]["id"], me["cut_off"]) == (again.json()["id"], None)
    assert desk.get(f"{V1}/callbacks/{callback.id}").json()["outcome"] == "call_again"


def test_next_in_a_young_conversation_must_be_confirmed(desk: TestClient, engine: Engine, user: User) -> None:
    with writing(engine) as session:
        callback = a_callback(session, CallbackState.TALKING, user)
        callback.talking_at = now(session)
        session.get_one(Desk, user.desk_id).round_id = callback.round_id
    problem(desk.post(f"{V1}/desk/next", json={"after": callback.id}), 409, "confirm-next")
    answer = desk.post(f"{V1}/desk/next", json={"after": callback.id, "confirmed": True})
    assert (answer.json()["callback"], answer.json()["parting"]["id"]) == (None, callback.id)


def test_call_without_the_desks_phone_is_refused(
    desk: TestClient, engine: Engine, live: Round, user: User
) -> None:
    registered(engine, live, 1)
    url = f"{V1}/callbacks/{desk.post(f'{V1}/rounds/{live.id}/claims').json()['id']}"
    with writing(engine) as session:
        heartbeats.record_phone(session, user.desk_id or 0, None)
    problem(desk.post(f"{url}/call"), 409, "desk-phone-away")
    assert desk.get(f"{V1}/me").json()["desk"]["phone_connected"] is False
    with writing(engine) as session:
        heartbeats.record_phone(session, user.desk_id or 0, "PJSIP/desk")
    assert desk.post(f"{url}/call").status_code == 202


def test_callback_of_another_desk_is_forbidden_and_unchanged(desk: TestClient, engine: Engine) -> None:
    with writing(engine) as session:
        other = a_callback(session)
    url = f"{V1}/callbacks/{other.id}"
    for answer in (
        desk.get(url),
        desk.post(f"{url}/call"),
        desk.post(f"{url}/hangup"),
        desk.post(f"{url}/undo"),
        desk.post(f"{url}/call-again"),
        desk.put(f"{url}/outcome", json={"outcome": "returned"}),
    ):
        problem(answer, 403, "forbidden")
    with reading(engine) as session:
        assert transitions.get(session, other.id).state is CallbackState.CLAIMED


def test_desk_endpoint_without_a_desk_says_so(engine: Engine, as_user: SignedIn, live: Round) -> None:
    with writing(engine) as session:
        administrator = a_user(session)
        callback = a_callback(session)
    page = as_user(administrator)
    for method, path in (
        ("POST", f"/rounds/{live.id}/claims"),
        ("GET", f"/callbacks/{callback.id}"),
        ("POST", f"/callbacks/{callback.id}/call"),
        ("POST", f"/callbacks/{callback.id}/hangup"),
        ("PUT", f"/callbacks/{callback.id}/outcome"),
        ("GET", "/desk/phone"),
    ):
        problem(page.request(method, f"{V1}{path}", json={"outcome": "returned"}), 409, "no-desk")
    assert page.get(f"{V1}/me").json()["desk"] is None
    assert page.get(f"{V1}/rounds").status_code == 200


# Phones


def test_desk_gets_only_its_own_phone_account(desk: TestClient, settings: Settings, user: User) -> None:
    account = desk.get(f"{V1}/desk/phone").json()
    assert account["username"] == f"desk-{user.desk_id}"
    assert account["password"] == settings.secret_for(f"desk-{user.desk_id}")
    assert account["websocket_url"] == f"ws://{settings.asterisk_http}/ws"
    assert account["ice_servers"] == []


def test_browser_phone_is_found_only_when_enabled(nobody: TestClient, settings: Settings) -> None:
    problem(nobody.get(f"{V1}/browser-phone"), 404, "not-found")
    on = TestClient(create(settings.model_copy(update={"browser_phone": True})))
    lines = on.get(f"{V1}/browser-phone").json()["lines"]
    assert [each["number"] for each in lines] == [f"0999000000{n}" for n in range(1, 6)]
