"""Signing in and out, and who is let in afterwards."""

import re

from fastapi import FastAPI
from fastapi.testclient import TestClient
from httpx import Response
from sqlalchemy import Engine, select

from api.cookies import COOKIE
from db.engine import now, reading, writing
from db.models import Registration, Round, SignIn, User
from db.states import CallbackState, RegistrationState
from hotline import audit
from hotline.callbacks import transitions
from tests.api.answers import LONG, V1, problem, registered
from tests.factories import PASSWORD, a_callback, a_registration, a_round, wrong_guesses


def test_sign_in_sets_a_safe_cookie_and_names_the_person(nobody: TestClient, user: User) -> None:
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
            "break_reason": None,
            "break_since": None,
            "wrap_up_since": None,
        },
        "callback": None,
        "parting": None,
        "cut_off": None,
        "given_away": None,
        "calls_down_since": None,
        "takes_live": False,
        "said_live": None,
        "official_id": None,
        "department": None,
        "heads_department": False,
        "heard_by": [],
        "consulted_in": None,
        "words": [],
    }
    assert nobody.get(f"{V1}/me").json() == answer.json()


def test_https_sign_in_sets_a_secure_cookie(app: FastAPI, user: User) -> None:
    page = TestClient(app, base_url="https://137.isfahan.ir")
    answer = page.post(f"{V1}/session", json={"username": user.username, "password": PASSWORD})
    session, mark = answer.headers.get_list("set-cookie")
    assert all("Secure" in each.split("; ") for each in (session, mark))
    assert mark.startswith("__Secure-hotline_knows_")
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


def test_signed_out_cookie_is_worthless(desk: TestClient) -> None:
    cookie = dict(desk.cookies)
    assert desk.get(f"{V1}/me").status_code == 200
    assert desk.delete(f"{V1}/session").status_code == 204
    desk.cookies.update(cookie)
    problem(desk.get(f"{V1}/me"), 401, "not-signed-in")
    assert desk.delete(f"{V1}/session").status_code == 204


def test_repeated_wrong_credentials_lock_out(nobody: TestClient, engine: Engine, user: User) -> None:
    def attempt(password: str) -> Response:
        return nobody.post(f"{V1}/session", json={"username": user.username, "password": password})

    unknown = nobody.post(f"{V1}/session", json={"username": "nobody", "password": PASSWORD})
    told = problem(unknown, 401, "wrong-credentials")
    with writing(engine) as session:
        wrong_guesses(session, user.username, 9)
    assert problem(attempt("wrong"), 401, "wrong-credentials") == told
    problem(attempt(PASSWORD), 429, "too-many-attempts")
    problem(nobody.get(f"{V1}/me"), 401, "not-signed-in")


def test_sign_ins_are_audited_without_the_tried_names(nobody: TestClient, engine: Engine, user: User) -> None:
    for name in ("my password by mistake", user.username, user.username):
        nobody.post(f"{V1}/session", json={"username": name, "password": "wrong"})
    nobody.post(f"{V1}/session", json={"username": user.username, "password": PASSWORD})
    with reading(engine) as session:
        entries = [(entry.who, entry.action, entry.reason) for entry in audit.search(session)]
    assert entries == [(user.username, "signed-in", ""), (audit.STRANGER, "sign-in-refused", "")]


def operations(app: FastAPI) -> list[tuple[str, str]]:
    return [
        (method.upper(), re.sub(r"\{\w+\}", "1", path))
        for path, methods in app.openapi()["paths"].items()
        if not path.startswith("/open311/")  # by keys, and for everybody: tests/api/open311
        for method in methods
    ]


PUBLIC = {
    ("GET", f"{V1}/session"),
    ("POST", f"{V1}/session"),
    ("POST", f"{V1}/session/first"),
    ("DELETE", f"{V1}/session"),
    ("GET", f"{V1}/browser-phone"),
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/readyz/1"),
    ("GET", f"{V1}/my/codes"),
    ("GET", f"{V1}/my/sessions/current"),
    ("GET", f"{V1}/my/categories"),
    ("OPTIONS", f"{V1}/my/uploads"),
    ("GET", f"{V1}/my/rounds"),
    ("POST", f"{V1}/my/codes"),
    ("POST", f"{V1}/my/sessions"),
    ("DELETE", f"{V1}/my/sessions/current"),
}


def test_endpoint_without_a_session_is_refused(app: FastAPI, nobody: TestClient, engine: Engine) -> None:
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
            answer = nobody.request(method, path, json={"outcome": "returned"})
            if method == "HEAD":  # which has no body to say why
                assert answer.status_code == 401
            else:
                problem(answer, 401, "not-signed-in")
    with reading(engine) as session:
        assert session.get_one(Registration, place.id).state is RegistrationState.WAITING
        assert transitions.get(session, waiting.id).state is CallbackState.CLAIMED


def test_expired_session_is_refused(desk: TestClient, engine: Engine) -> None:
    with writing(engine) as session:
        for kept in session.scalars(select(SignIn)):
            kept.expires_at = now(session)
    problem(desk.get(f"{V1}/rounds"), 401, "not-signed-in")


def test_post_from_a_foreign_page_changes_nothing(desk: TestClient, engine: Engine, live: Round) -> None:
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


def test_post_from_the_own_page_is_accepted(desk: TestClient, live: Round) -> None:
    for scheme in ("http", "https"):
        headers = {"Origin": f"{scheme}://testserver"}
        assert desk.post(f"{V1}/rounds/{live.id}/claims", headers=headers).status_code == 204
