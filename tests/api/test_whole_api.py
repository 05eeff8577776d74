"""The API as a desk's page uses it, and as it must not be used."""

import re
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from httpx import Response
from sqlalchemy import Engine, select, text
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

from api.app import create
from api.cookies import COOKIE
from db.engine import now, reading, writing
from db.models import Breaker, Callback, Desk, Heartbeat, PlacedCall, Registration, Round, SignIn, User
from db.states import CallbackState, Outcome, Phase, RegistrationState
from hotline import heartbeats, numbers
from hotline.callbacks import breaker, callbacks
from hotline.line import line
from hotline.people import sign_ins
from hotline.recordings import retention
from settings import Settings
from tests.factories import (
    HOUR,
    PASSWORD,
    SECOND,
    a_callback,
    a_desk,
    a_registration,
    a_round,
    a_user,
    some_registrations,
    wrong_guesses,
)
from tests.kit.postgres import Postgres

V1 = "/api/v1"
LONG = "آ" * 10_000


@pytest.fixture
def nobody(app: FastAPI) -> Iterator[TestClient]:
    """A page on which nobody has signed in."""
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


SignedIn = Callable[[User], TestClient]


@pytest.fixture
def as_user(app: FastAPI, nobody: TestClient, engine: Engine) -> SignedIn:
    """Makes a page on which this person has signed in."""

    def page(user: User) -> TestClient:
        with writing(engine) as session:
            cookie = sign_ins.sign_in(session, user)
        return TestClient(app, raise_server_exceptions=False, cookies={COOKIE: cookie})

    return page


@pytest.fixture
def user(engine: Engine) -> User:
    """A person at a desk whose phone is in its room."""
    with writing(engine) as session:
        return a_user(session, a_desk(session))


@pytest.fixture
def desk(as_user: SignedIn, user: User) -> TestClient:
    """That person's page."""
    return as_user(user)


@pytest.fixture
def live(engine: Engine) -> Round:
    """A live round."""
    with writing(engine) as session:
        return a_round(session)


def registered(engine: Engine, round_: Round, count: int) -> list[Registration]:
    with writing(engine) as session:
        return some_registrations(session, round_, count)


def problem(response: Response, status_code: int, code: str) -> dict[str, Any]:
    """The response is a whole problem of this kind."""
    assert response.headers["content-type"] == "application/problem+json", response.text
    body: dict[str, Any] = response.json()
    assert (response.status_code, body["code"]) == (status_code, code), body
    assert body.keys() == {"type", "title", "status", "detail", "code"}
    assert body["status"] == status_code
    assert body["title"] and body["detail"]
    return body


# Signing in


def test_given_a_name_and_password_when_signed_in_then_the_cookie_is_safe_and_me_tells_who(
    nobody: TestClient, user: User
) -> None:
    answer = nobody.post(f"{V1}/session", json={"username": user.username, "password": PASSWORD})
    assert answer.status_code == 200
    kept, mark = answer.headers.get_list("set-cookie")
    assert mark.startswith("hotline_knows_") and "HttpOnly" in mark and "SameSite=strict" in mark
    name, *flags = kept.split("; ")
    assert name.startswith(f"{COOKIE}=") and len(name) > 43
    # The server ends a session; its cookie lives a day longer, so that none ends in a conversation.
    assert {flag.lower() for flag in flags} == {"httponly", "samesite=strict", "path=/", "max-age=129600"}
    assert answer.json() == {
        "username": user.username,
        "name": user.name,
        "role": "operator",
        "desk": {
            "id": user.desk_id,
            "phone": "browser",
            "phone_connected": True,
            "round_id": None,
            "next_asked_at": None,
            "hears_desk_id": None,
            "hears_how": None,
        },
        "callback": None,
        "parting": None,
        "cut_off": None,
        "calls_down_since": None,
        "takes_live": False,
        "said_live": None,
    }
    assert nobody.get(f"{V1}/me").json() == answer.json()


def test_given_https_when_signed_in_then_the_cookie_is_for_https_only(app: FastAPI, user: User) -> None:
    page = TestClient(app, base_url="https://137.isfahan.ir")
    answer = page.post(f"{V1}/session", json={"username": user.username, "password": PASSWORD})
    session, mark = answer.headers.get_list("set-cookie")
    assert all("Secure" in each.split("; ") for each in (session, mark))
    name, *flags = session.split("; ")
    assert name.startswith(f"__Host-{COOKIE}=") and "Path=/" in flags
    assert not any(flag.startswith("Domain") for flag in flags)
    assert page.get(f"{V1}/me").status_code == 200
    value = name.partition("=")[2]
    beside = TestClient(app, base_url="https://137.isfahan.ir", cookies={COOKIE: value})
    problem(beside.get(f"{V1}/me"), 401, "not-signed-in")  # as a neighbouring name could set it
    (gone,) = page.delete(f"{V1}/session").headers.get_list("set-cookie")
    assert gone.startswith(f'__Host-{COOKIE}=""') and "Secure" in gone and "Max-Age=0" in gone
    problem(page.get(f"{V1}/me"), 401, "not-signed-in")


def test_given_a_session_when_signed_out_then_the_cookie_is_worth_nothing(desk: TestClient) -> None:
    cookie = dict(desk.cookies)
    assert desk.get(f"{V1}/me").status_code == 200
    assert desk.delete(f"{V1}/session").status_code == 204
    desk.cookies.update(cookie)
    problem(desk.get(f"{V1}/me"), 401, "not-signed-in")
    assert desk.delete(f"{V1}/session").status_code == 204


def test_given_wrong_credentials_when_they_go_on_then_they_are_refused_and_at_last_locked_out(
    nobody: TestClient, engine: Engine, user: User
) -> None:
    def attempt(password: str) -> Response:
        return nobody.post(f"{V1}/session", json={"username": user.username, "password": password})

    unknown = nobody.post(f"{V1}/session", json={"username": "nobody", "password": PASSWORD})
    told = problem(unknown, 401, "wrong-credentials")
    with writing(engine) as session:
        wrong_guesses(session, user.username, 9)
    assert problem(attempt("wrong"), 401, "wrong-credentials") == told
    problem(attempt(PASSWORD), 429, "too-many-attempts")
    problem(nobody.get(f"{V1}/me"), 401, "not-signed-in")


def operations(app: FastAPI) -> list[tuple[str, str]]:
    return [
        (method.upper(), re.sub(r"\{\w+\}", "1", path))
        for path, methods in app.openapi()["paths"].items()
        for method in methods
    ]


PUBLIC = {
    ("GET", f"{V1}/session"),
    ("POST", f"{V1}/session"),
    ("DELETE", f"{V1}/session"),
    ("GET", f"{V1}/browser-phone"),
    ("GET", "/healthz"),
}


def test_given_nobody_signed_in_when_any_endpoint_is_used_then_it_is_refused(
    app: FastAPI, nobody: TestClient, engine: Engine
) -> None:
    with writing(engine) as session:
        place = a_registration(session, a_round(session))
        waiting = a_callback(session)
    protected = set(operations(app)) - PUBLIC
    assert len(protected) > 10
    for cookie in (None, "forged", LONG.encode().hex()):
        nobody.cookies.clear()
        if cookie:
            nobody.cookies.set(COOKIE, cookie)
        for method, path in protected:
            problem(nobody.request(method, path, json={"outcome": "returned"}), 401, "not-signed-in")
    with reading(engine) as session:
        assert session.get_one(Registration, place.id).state is RegistrationState.WAITING
        assert callbacks.get(session, waiting.id).state is CallbackState.CLAIMED


def test_given_a_session_that_is_over_when_used_then_it_is_refused(desk: TestClient, engine: Engine) -> None:
    with writing(engine) as session:
        for kept in session.scalars(select(SignIn)):
            kept.expires_at = now(session)
    problem(desk.get(f"{V1}/rounds"), 401, "not-signed-in")


def test_given_a_foreign_page_when_it_posts_then_it_is_refused_and_nothing_happens(
    desk: TestClient, engine: Engine, live: Round
) -> None:
    (place,) = registered(engine, live, 1)
    changing = (
        ("POST", f"/rounds/{live.id}/claims"),
        ("DELETE", "/session"),
        ("PUT", "/callbacks/1/outcome"),
    )
    for origin in ("https://evil.example", "null", "http://testserver.evil", "http://testserver:81", LONG):
        headers = {"Origin": origin.encode()}
        for method, path in changing:
            problem(desk.request(method, f"{V1}{path}", headers=headers), 403, "foreign-origin")
        assert desk.get(f"{V1}/me", headers=headers).status_code == 200
    with reading(engine) as session:
        assert session.get_one(Registration, place.id).state is RegistrationState.WAITING


def test_given_its_own_page_when_it_posts_then_it_may(desk: TestClient, live: Round) -> None:
    for scheme in ("http", "https"):
        headers = {"Origin": f"{scheme}://testserver"}
        assert desk.post(f"{V1}/rounds/{live.id}/claims", headers=headers).status_code == 204


# Rounds and their lines


def test_given_rounds_when_listed_then_each_has_its_phase_and_counts_soonest_first(
    desk: TestClient, engine: Engine
) -> None:
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


def test_given_a_line_when_read_page_by_page_then_every_place_comes_once_in_the_order_of_calling(
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


def test_given_a_page_of_a_line_when_its_last_one_was_called_meanwhile_then_the_next_page_still_follows(
    desk: TestClient, engine: Engine, live: Round
) -> None:
    rows = registered(engine, live, 4)
    first = desk.get(f"{V1}/rounds/{live.id}/registrations", params={"limit": 2}).json()
    with writing(engine) as session:
        session.get_one(Registration, rows[1].id).state = RegistrationState.REACHED
    second = desk.get(f"{V1}/rounds/{live.id}/registrations", params={"after": first["next"]}).json()
    assert [item["id"] for item in second["items"]] == [row.id for row in rows[2:]]
    assert [item["place"] for item in second["items"]] == [2, 3]


def test_given_a_registration_when_shown_then_its_number_is_national_and_its_times_are_utc(
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
        "message": False,
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


def test_given_no_such_round_or_place_when_asked_for_then_it_is_not_found(
    desk: TestClient, engine: Engine, live: Round
) -> None:
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


# The path of a callback


def test_given_a_line_when_a_desk_claims_and_returns_then_the_place_is_first_again(
    desk: TestClient, engine: Engine, live: Round, user: User
) -> None:
    first, second = registered(engine, live, 2)
    answer = desk.post(f"{V1}/rounds/{live.id}/claims")
    assert answer.status_code == 201
    claimed = answer.json()
    assert (claimed["state"], claimed["outcome"], claimed["desk_id"]) == ("claimed", None, user.desk_id)
    assert claimed["registration"]["id"] == first.id
    assert claimed["registration"]["number"] == numbers.national(first.number)
    assert (claimed["registration"]["place"], claimed["registration"]["desk_id"]) == (None, user.desk_id)
    assert desk.get(f"{V1}/me").json()["callback"] == claimed
    assert desk.get(f"{V1}/callbacks/{claimed['id']}").json() == claimed
    problem(desk.post(f"{V1}/rounds/{live.id}/claims"), 409, "desk-busy")

    body = {"outcome": "returned", "note": "یادداشت"}
    answer = desk.put(f"{V1}/callbacks/{claimed['id']}/outcome", json=body)
    assert answer.status_code == 200
    returned = answer.json()
    assert (returned["state"], returned["outcome"], returned["note"]) == ("closed", "returned", "یادداشت")
    place = returned["registration"]
    assert (place["state"], place["place"], place["attempts"], place["desk_id"]) == ("waiting", 1, 0, None)
    assert desk.get(f"{V1}/me").json()["callback"] is None
    (waiting, _) = desk.get(f"{V1}/rounds/{live.id}/registrations").json()["items"]
    assert (waiting["id"], waiting["desk_id"], waiting["last_outcome"]) == (first.id, None, "returned")
    again = desk.post(f"{V1}/rounds/{live.id}/claims").json()
    assert again["registration"]["id"] == first.id and again["id"] != claimed["id"]
    with reading(engine) as session:
        assert [row.id for row in line.page(session, live.id, 9, None)] == [first.id, second.id]


def test_given_nobody_waits_when_a_desk_claims_then_the_answer_is_empty(
    desk: TestClient, live: Round
) -> None:
    answer = desk.post(f"{V1}/rounds/{live.id}/claims")
    assert (answer.status_code, answer.content) == (204, b"")


def test_given_a_round_that_is_not_live_when_a_desk_claims_then_it_is_refused(
    desk: TestClient, engine: Engine
) -> None:
    for phase, code in ((Phase.OPEN, "round-not-started"), (Phase.OVER, "round-over")):
        with writing(engine) as session:
            round_ = a_round(session, phase)
            a_registration(session, round_)
        problem(desk.post(f"{V1}/rounds/{round_.id}/claims"), 409, code)


def test_given_a_call_when_it_goes_its_way_then_the_desk_may_do_what_fits_each_state(
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
        (callback,) = callbacks.on_the_phone(session)
        assert callback.hangup_asked_at is not None
        callbacks.move(session, callback.token, CallbackState.ENDED, ended_at=now(session))
    problem(desk.post(f"{url}/hangup"), 409, "wrong-state")
    problem(desk.put(f"{url}/outcome", json=reached), 409, "never-met")
    with writing(engine) as session:
        session.get_one(Callback, callback.id).talking_at = now(session)
    problem(desk.post(f"{V1}/rounds/{live.id}/claims"), 409, "desk-busy")
    closed = desk.put(f"{url}/outcome", json=reached).json()
    assert (closed["outcome"], closed["registration"]["state"]) == ("reached", "reached")
    noted = desk.put(f"{url}/outcome", json={"outcome": "reached", "note": "second"})
    assert (noted.status_code, noted.json()) == (200, {**closed, "note": "second"})
    problem(desk.put(f"{url}/outcome", json={"outcome": "busy"}), 409, "wrong-state")
    assert desk.get(url).json()["note"] == "second"


def test_given_a_conversation_when_it_is_hung_up_and_that_is_undone_then_the_desk_is_told_each_step(
    desk: TestClient, engine: Engine, user: User
) -> None:
    with writing(engine) as session:
        callback = a_callback(session, CallbackState.TALKING, user)
    url = f"{V1}/callbacks/{callback.id}"
    parting = desk.post(f"{url}/hangup")
    assert (parting.status_code, parting.json()["state"]) == (202, "parting")
    assert parting.json()["parting_until"] is not None
    me = desk.get(f"{V1}/me").json()
    assert me["callback"] == me["parting"] == parting.json()
    undone = desk.post(f"{url}/undo").json()
    assert (undone["state"], undone["parting_until"]) == ("held", None)
    problem(desk.post(f"{url}/undo"), 409, "too-late")
    assert desk.get(f"{V1}/me").json()["parting"] is None


def test_given_a_conversation_that_was_cut_when_the_desk_calls_again_then_it_has_a_new_callback(
    desk: TestClient, engine: Engine, user: User
) -> None:
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


def test_given_a_conversation_that_has_just_begun_when_next_is_asked_then_it_is_to_be_confirmed(
    desk: TestClient, engine: Engine, user: User
) -> None:
    with writing(engine) as session:
        callback = a_callback(session, CallbackState.TALKING, user)
        callback.talking_at = now(session)
        session.get_one(Desk, user.desk_id).round_id = callback.round_id
    problem(desk.post(f"{V1}/desk/next", json={"after": callback.id}), 409, "confirm-next")
    answer = desk.post(f"{V1}/desk/next", json={"after": callback.id, "confirmed": True})
    assert (answer.json()["callback"], answer.json()["parting"]["id"]) == (None, callback.id)


def test_given_a_desk_whose_phone_is_away_when_it_asks_for_the_call_then_it_is_refused(
    desk: TestClient, engine: Engine, live: Round, user: User
) -> None:
    registered(engine, live, 1)
    url = f"{V1}/callbacks/{desk.post(f'{V1}/rounds/{live.id}/claims').json()['id']}"
    with writing(engine) as session:
        heartbeats.phone_connected(session, user.desk_id or 0, None)
    problem(desk.post(f"{url}/call"), 409, "desk-phone-away")
    assert desk.get(f"{V1}/me").json()["desk"]["phone_connected"] is False
    with writing(engine) as session:
        heartbeats.phone_connected(session, user.desk_id or 0, "PJSIP/desk")
    assert desk.post(f"{url}/call").status_code == 202


def test_given_another_desks_callback_when_a_desk_uses_it_then_it_is_forbidden_and_unchanged(
    desk: TestClient, engine: Engine
) -> None:
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
        assert callbacks.get(session, other.id).state is CallbackState.CLAIMED


def test_given_a_person_without_a_desk_when_using_a_desks_endpoints_then_each_says_so(
    engine: Engine, as_user: SignedIn, live: Round
) -> None:
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


def test_given_a_desk_when_it_asks_for_its_phone_then_it_gets_its_own_account_only(
    desk: TestClient, settings: Settings, user: User
) -> None:
    account = desk.get(f"{V1}/desk/phone").json()
    assert account["username"] == f"desk-{user.desk_id}"
    assert account["password"] == settings.secret_for(f"desk-{user.desk_id}")
    assert account["websocket_url"] == f"ws://{settings.asterisk_http}/ws"


def test_given_the_browser_phone_when_off_then_it_is_not_found_and_when_on_it_has_lines(
    nobody: TestClient, settings: Settings
) -> None:
    problem(nobody.get(f"{V1}/browser-phone"), 404, "not-found")
    on = TestClient(create(settings.model_copy(update={"browser_phone": True})))
    lines = on.get(f"{V1}/browser-phone").json()["lines"]
    assert [each["number"] for each in lines] == [f"0999000000{n}" for n in range(1, 6)]


# Hostile and broken input


WRONG: list[tuple[str, str, object]] = [
    ("POST", "/session", {"username": LONG, "password": "x"}),
    ("POST", "/session", {"username": "x", "password": LONG}),
    ("POST", "/session", {"username": "x"}),
    ("POST", "/session", {"username": ["x"], "password": "x"}),
    ("POST", "/session", [LONG]),
    ("PUT", "/callbacks/1/outcome", {"outcome": LONG}),
    ("PUT", "/callbacks/1/outcome", {"outcome": "returned", "note": LONG}),
    ("PUT", "/callbacks/1/outcome", {"outcome": "returned", "note": "x" * 2001}),
    ("PUT", "/callbacks/1/outcome", {}),
    ("GET", "/rounds/1/registrations?limit=0", None),
    ("GET", "/rounds/1/registrations?limit=501", None),
    ("GET", f"/rounds/1/registrations?limit={'9' * 10_000}", None),
    ("GET", f"/rounds/1/registrations?after={'9' * 10_000}", None),
    ("GET", "/rounds/1/registrations?after=x", None),
    ("GET", "/rounds/1/registrations?after=0", None),
    ("GET", f"/rounds/{'9' * 10_000}/registrations", None),
    ("POST", f"/rounds/{2**31}/claims", None),
    ("POST", "/rounds/0/claims", None),
    ("GET", f"/callbacks/{'9' * 10_000}", None),
    ("POST", "/callbacks/x/call", None),
    ("POST", "/callbacks/1.5/hangup", None),
]


def test_given_input_of_the_wrong_kind_or_length_when_sent_then_it_is_named_and_not_repeated(
    desk: TestClient,
) -> None:
    for method, path, body in WRONG:
        told = problem(desk.request(method, f"{V1}{path}", json=body), 422, "invalid-input")
        assert len(told["detail"]) < 300
    last_id = {"Last-Event-ID": "9" * 10_000}
    problem(desk.get(f"{V1}/events", headers=last_id), 422, "invalid-input")


def test_given_a_broken_body_when_sent_then_it_is_a_problem(nobody: TestClient) -> None:
    def send(body: bytes) -> Response:
        return nobody.post(f"{V1}/session", content=body, headers={"Content-Type": "application/json"})

    surrogate = b'{"username": "\\ud800", "password": "x"}'
    for body in (b"", b"{", b"null", b"[]", b"\xff\xfe", surrogate):
        problem(send(body), 422, "invalid-input")
    problem(send(b"[" * 10_000), 400, "refused")


HOSTILE = [
    "\u202e۱۲۳\u200f\u200c",
    "'; DROP TABLE callbacks; --",
    '"${SHELL(id)}" <script>alert(1)</script>',
    "line one\r\nSet-Cookie: x=y",
    "👩‍👩‍👧",
]


def test_given_hostile_text_when_it_is_a_note_then_all_that_can_be_seen_is_kept_as_it_is(
    desk: TestClient, engine: Engine, live: Round
) -> None:
    registered(engine, live, 1)
    claimed = desk.post(f"{V1}/rounds/{live.id}/claims").json()
    url = f"{V1}/callbacks/{claimed['id']}"
    for note in (*HOSTILE, "آ" * 2000, ""):
        answer = desk.put(f"{url}/outcome", json={"outcome": "returned", "note": note})
        seen = note.replace("\u202e", "").replace("\u200f", "").replace("\r\n", "\n")
        assert answer.json()["note"] == desk.get(url).json()["note"] == seen


def test_given_hostile_text_when_it_is_a_name_or_password_then_it_is_refused_as_any_other(
    nobody: TestClient, user: User
) -> None:
    for hostile in HOSTILE[:2]:
        for name, password in ((hostile, PASSWORD), (user.username, hostile)):
            answer = nobody.post(f"{V1}/session", json={"username": name, "password": password})
            problem(answer, 401, "wrong-credentials")


def test_given_a_nul_character_when_it_is_in_any_text_then_it_is_refused_and_nothing_breaks(
    desk: TestClient, engine: Engine, live: Round, user: User
) -> None:
    registered(engine, live, 1)
    url = f"{V1}/callbacks/{desk.post(f'{V1}/rounds/{live.id}/claims').json()['id']}/outcome"
    for answer in (
        desk.post(f"{V1}/session", json={"username": "\0", "password": "x"}),
        desk.post(f"{V1}/session", json={"username": user.username, "password": "\0"}),
        desk.put(url, json={"outcome": "returned", "note": "\0"}),
    ):
        problem(answer, 422, "invalid-input")


# Health


@pytest.fixture
def roomy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever disk this is."""
    monkeypatch.setattr(retention, "disk", lambda _folder: retention.Disk(100 << 30, 50 << 30))


def beat(engine: Engine, *processes: str) -> None:
    with writing(engine) as session:
        for process in processes:
            heartbeats.beat(session, process)


@pytest.mark.usefixtures("roomy")
def test_given_fresh_heartbeats_when_health_is_asked_then_all_is_up(
    nobody: TestClient, engine: Engine
) -> None:
    beat(engine, "ivr", "dialer", "clerk", "asterisk")
    answer = nobody.get("/healthz")
    assert answer.status_code == 200
    assert answer.json() == dict.fromkeys(
        ("database", "asterisk", "ivr", "dialer", "clerk", "calls", "trunk", "disk"), "up"
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
    nobody: TestClient, engine: Engine, beating: tuple[str, ...], down: dict[str, str]
) -> None:
    beat(engine, *beating)
    answer = nobody.get("/healthz")
    assert answer.status_code == 503
    assert answer.json() == {
        **dict.fromkeys(("database", "asterisk", "ivr", "dialer", "clerk", "calls", "trunk", "disk"), "up"),
        **down,
    }


def test_given_a_cap_on_calls_that_is_reached_when_health_is_asked_then_it_is_named_and_is_no_fault(
    nobody: TestClient, engine: Engine, settings: Settings
) -> None:
    beat(engine, "ivr", "dialer", "clerk", "asterisk")
    with writing(engine) as session:
        for call in range(settings.calls_at_once):
            number = f"+98913{call:07}"
            session.add(PlacedCall(token=f"callback-{call}", number=number, at=now(session)))
    answer = nobody.get("/healthz")
    assert (answer.status_code, answer.json()["calls"]) == (200, "capped at-once")


def test_given_a_trunk_that_takes_no_calls_when_health_is_asked_then_it_says_since_when_and_so_does_the_desk(
    nobody: TestClient, desk: TestClient, engine: Engine
) -> None:
    beat(engine, "ivr", "dialer", "clerk", "asterisk")
    assert desk.get(f"{V1}/me").json()["calls_down_since"] is None
    with writing(engine) as session:
        for call in range(breaker.FAILURES):
            breaker.failed(session, breaker.TRUNK, f"callback-{call}")
        since = session.get_one(Breaker, breaker.TRUNK).opened_at
    assert since is not None
    answer = nobody.get("/healthz")
    words = f"down since {since:%Y-%m-%dT%H:%M:%SZ}, the line is kept"
    assert (answer.status_code, answer.json()["trunk"], answer.json()["calls"]) == (200, words, words)
    assert datetime.fromisoformat(desk.get(f"{V1}/me").json()["calls_down_since"]) == since


def test_given_a_heartbeat_when_it_grows_old_then_the_process_is_down_and_up_again_with_the_next(
    nobody: TestClient, engine: Engine
) -> None:
    beat(engine, "ivr", "dialer", "clerk", "asterisk")
    for age, health in ((2, "up"), (6, "down")):
        with writing(engine) as session:
            session.get_one(Heartbeat, "ivr").at = now(session) - age * SECOND
        assert nobody.get("/healthz").json()["ivr"] == health
    beat(engine, "ivr")
    assert nobody.get("/healthz").status_code == 200


def test_given_a_disk_that_is_nearly_full_when_health_is_asked_then_it_says_so_in_time(
    nobody: TestClient, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    beat(engine, "ivr", "dialer", "clerk", "asterisk")
    monkeypatch.setattr(retention, "disk", lambda _folder: retention.Disk(100 << 30, 1 << 29))
    answer = nobody.get("/healthz")
    assert (answer.status_code, answer.json()["disk"]) == (200, "nearly full")


# The database away


@pytest.mark.usefixtures("roomy")
@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
def test_given_a_database_that_dies_when_used_then_each_answer_says_so_and_all_works_when_it_is_back(
    desk: TestClient, live: Round, engine: Engine, postgres: Postgres
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
        health = desk.get("/healthz")
        assert health.status_code == 503
        assert health.json() == {
            "database": "down",
            **dict.fromkeys(("asterisk", "ivr", "dialer", "clerk", "calls", "trunk"), "unknown"),
            "disk": "up",
        }
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
    page = TestClient(create(settings), raise_server_exceptions=False, cookies={COOKIE: "x"})
    problem(page.get(f"{V1}/me"), 503, "database-unavailable")
    problem(page.post(f"{V1}/session", json={"username": "x", "password": "x"}), 503, "database-unavailable")
    assert page.get("/healthz").json()["database"] == "down"


def test_given_a_database_that_somebody_holds_when_a_desk_claims_then_it_hears_so_in_time(
    desk: TestClient, engine: Engine, database: str, live: Round
) -> None:
    registered(engine, live, 1)
    hold = {"sqlite": "SELECT 1", "postgresql": "LOCK TABLE events"}  # SQLite has one lock, taken at once
    with writing(engine) as session:
        session.execute(text(hold[engine.dialect.name]))
        answer = desk.post(f"{V1}/rounds/{live.id}/claims")
    problem(answer, 503, "database-unavailable")
    assert answer.elapsed.total_seconds() < 8
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


# The document, the headers


def test_given_the_api_when_its_document_is_read_then_it_names_endpoints_and_the_problem(
    nobody: TestClient,
) -> None:
    document = nobody.get("/api/openapi.json").json()
    assert document["openapi"].startswith("3.")
    assert {f"{V1}/rounds", "/healthz"} <= document["paths"].keys()  # all of them: tests/api/test_roles.py
    for methods in document["paths"].values():
        for operation in methods.values():
            assert "default" in operation["responses"]
            assert operation.get("summary") and operation.get("description")
    claim = document["paths"][f"{V1}/rounds/{{round_id}}/claims"]["post"]
    assert {"201", "204"} <= claim["responses"].keys()
    assert document["components"]["schemas"]["Problem"]["properties"].keys() == {
        *("type", "title", "status", "detail", "code")
    }
    assert nobody.get("/api/docs").status_code == 200


def test_given_any_answer_when_sent_then_it_forbids_framing_sniffing_and_keeping(
    nobody: TestClient,
) -> None:
    for path in (f"{V1}/me", f"{V1}/nothing"):
        headers = nobody.get(path).headers
        assert headers["cache-control"] == "no-store"
        assert headers["x-content-type-options"] == "nosniff"
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert "default-src 'self'" in headers["content-security-policy"]
