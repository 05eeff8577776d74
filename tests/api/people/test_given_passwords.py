"""A password that somebody else has set opens nothing but choosing another one."""

from typing import Any

import pyotp
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine, delete

from api.cookies import COOKIE
from api.people import sessions
from db.engine import reading, writing
from db.models import Role, SignIn, User
from hotline.people import accounts, staff
from ops import people as commands
from ops import sample
from settings import Settings
from tests.api.test_roles import CITIZENS, MAY, NOBODY_NEEDED, answer
from tests.factories import PASSWORD, a_user

V1 = "/api/v1"
GIVEN, OWN = "given horse 137", "own zebra 731"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Default settings: the administrator's role needs a second factor."""
    return settings.model_copy(update={"second_factor_roles": ("administrator",)})


def given(engine: Engine, settings: Settings, role: Role = Role.SUPERVISOR) -> str:
    """The user name of a person whom an administrator has just added with the password GIVEN."""
    with writing(engine) as session:
        user, _ = staff.add(
            session, username="new", name="تازه", role=role, password=GIVEN, who="admin", settings=settings
        )
    return user.username


def entered(app: FastAPI, username: str, password: str) -> tuple[TestClient, str]:
    """A page that has shown the password, and what it is asked for next."""
    page = TestClient(app, raise_server_exceptions=False)
    said = page.post(f"{V1}/session", json={"username": username, "password": password}).json()
    return page, said.get("step") or said.get("code", "in")


def chosen(page: TestClient, new: str) -> str:
    said = page.post(f"{V1}/session/password", json={"new": new}).json()
    return said.get("step") or said.get("code", "in")


def test_given_password_only_allows_choosing_another(
    app: FastAPI, engine: Engine, settings: Settings
) -> None:
    page, step = entered(app, given(engine, settings), GIVEN)
    assert step == "new-password" == page.get(f"{V1}/session").json()["step"]
    held = {each for each, may in MAY.items() if may not in (NOBODY_NEEDED, CITIZENS)}
    found = {each: answer(page, each) for each in sorted(held)}
    own = {"POST /session/password": (422, "invalid-input"), "POST /session/code": (422, "invalid-input")}
    assert {each: said for each, said in found.items() if said != (401, "password-due")} == own
    assert page.post(f"{V1}/session/code", json={"code": "123456"}).json()["code"] == "wrong-code"
    assert answer(page, "GET /me") == (401, "password-due")


def test_chosen_password_ends_other_sessions(app: FastAPI, engine: Engine, settings: Settings) -> None:
    username = given(engine, settings)
    other, _ = entered(app, username, GIVEN)
    page, _ = entered(app, username, GIVEN)
    before = page.cookies[COOKIE]
    assert [chosen(page, new) for new in (GIVEN, "short", "password1")] == [
        *("password-same", "password-short", "password-trivial")
    ]
    assert answer(page, "GET /me") == (401, "password-due")
    assert chosen(page, OWN) == "in"
    assert page.cookies[COOKIE] != before
    assert page.get(f"{V1}/me").json()["username"] == username
    assert chosen(page, "yet another 99") == "forbidden"
    assert answer(other, "GET /me") == (401, "not-signed-in")
    assert entered(app, username, GIVEN)[1] == "wrong-credentials"
    assert entered(app, username, OWN)[1] == "in"


def test_new_password_comes_before_the_second_factor_set_up(
    app: FastAPI, engine: Engine, settings: Settings
) -> None:
    page, step = entered(app, given(engine, settings, Role.ADMINISTRATOR), GIVEN)
    assert step == "new-password"
    assert page.post(f"{V1}/account/second-factor/offer", json={"password": ""}).status_code == 401
    assert chosen(page, OWN) == "set-up"
    offer = page.post(f"{V1}/account/second-factor/offer", json={"password": ""}).json()
    code = pyotp.TOTP(offer["secret"]).now()
    assert page.put(f"{V1}/account/second-factor", json={"code": code}).status_code == 200
    assert page.get(f"{V1}/me").json()["role"] == "administrator"


def test_reset_password_still_needs_the_second_factor_first(app: FastAPI, engine: Engine) -> None:
    with writing(engine) as session:
        user = a_user(session)
    page, _ = entered(app, user.username, PASSWORD)
    offer = page.post(f"{V1}/account/second-factor/offer", json={"password": PASSWORD}).json()
    totp = pyotp.TOTP(offer["secret"])
    codes = page.put(f"{V1}/account/second-factor", json={"code": totp.now()}).json()["codes"]
    with writing(engine) as session:
        password = staff.set_new_password(session, staff.get(session, user.id), who="admin")
    page, step = entered(app, user.username, password)
    assert step == "code"
    assert chosen(page, OWN) == "second-factor-due"
    assert page.post(f"{V1}/session/code", json={"code": codes[0]}).json()["step"] == "new-password"
    assert chosen(page, OWN) == "in"


@pytest.mark.parametrize("trial", [True, False])
def test_passwords_by_command_are_temporary_except_trials(
    engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch, trial: bool
) -> None:
    with writing(engine) as session:
        names = [account.username for account in sample.fill(session, trial=trial)]
        a_user(session, username="own")
    monkeypatch.setattr("ops.terminal.load_settings", lambda: settings)
    commands.set_password("own", GIVEN)
    with reading(engine) as session:
        found = {name: accounts.find_by_name(session, name) for name in (*names, "own")}
    flags = {name: user.password_given for name, user in found.items() if isinstance(user, User)}
    assert flags == {**dict.fromkeys(names, not trial), "own": True}


def test_sign_in_during_a_reset_is_refused(
    app: FastAPI, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with writing(engine) as session:
        user = a_user(session)
    proved = sessions._who_proved

    def then_reset(*of: Any) -> User:
        found = proved(*of)
        with writing(engine) as session:
            staff.set_new_password(session, staff.get(session, user.id), who="admin")
        return found

    monkeypatch.setattr(sessions, "_who_proved", then_reset)
    page, step = entered(app, user.username, PASSWORD)
    assert step == "wrong-credentials"
    assert answer(page, "GET /me") == (401, "not-signed-in")


def test_second_submission_of_a_new_password_is_refused(
    app: FastAPI, engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    page, _ = entered(app, given(engine, settings), GIVEN)

    def meanwhile(_hash: str, _password: str) -> bool:
        with writing(engine) as session:
            session.execute(delete(SignIn))
        return False

    monkeypatch.setattr(accounts, "is_right", meanwhile)
    assert chosen(page, OWN) == "not-signed-in"
