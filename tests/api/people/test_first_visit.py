"""An empty installation lets in whoever has the code from its log, once; then there is nothing here."""

from threading import Barrier, Thread
from typing import Any

import pyotp
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine, func, select

from api.limits import PASSWORD_BURST
from db.engine import reading, writing
from db.models import Role, SetupCode, User
from hotline.setup import first_visit
from ops import first_visit as at_start
from settings import Settings
from tests.factories import a_user

V1 = "/api/v1"
WHO = {"username": "admin", "name": "مدیر سامانه", "new": "own zebra 731"}


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Default settings: the administrator's role needs a second factor."""
    return settings.model_copy(update={"second_factor_roles": ("administrator",)})


@pytest.fixture
def code(engine: Engine, settings: Settings) -> str:
    with writing(engine) as session:
        return first_visit.make_code(session, settings)


def visited(app: FastAPI, shown: str, **values: str) -> tuple[TestClient, dict[str, Any]]:
    page = TestClient(app, raise_server_exceptions=False)
    return page, page.post(f"{V1}/session/first", json={**WHO, "code": shown, **values}).json()


def test_setup_code_creates_an_administrator_with_a_factor(app: FastAPI, code: str, engine: Engine) -> None:
    assert TestClient(app).get(f"{V1}/session").json()["step"] == "first-visit"
    page, answer = visited(app, code.upper().replace("-", " "))
    assert answer["step"] == "set-up"
    assert page.get(f"{V1}/people").json()["code"] == "second-factor-due"
    offer = page.post(f"{V1}/account/second-factor/offer", json={"password": ""}).json()
    shown = pyotp.TOTP(offer["secret"]).now()
    assert len(page.put(f"{V1}/account/second-factor", json={"code": shown}).json()["codes"]) == 10
    assert page.get(f"{V1}/me").json()["role"] == "administrator"
    actions = {entry["action"] for entry in page.get(f"{V1}/audit").json()["items"]}
    assert {"first-visit", "person-added"} <= actions
    with reading(engine) as session:
        assert session.scalars(select(SetupCode)).all() == []
    assert TestClient(app).get(f"{V1}/session").json()["step"] == "password"


def test_setup_code_after_the_first_account_is_not_found(
    app: FastAPI, code: str, engine: Engine, settings: Settings
) -> None:
    with writing(engine) as session:
        a_user(session)
    page, answer = visited(app, code)
    assert (answer["status"], answer["code"]) == (404, "not-found")
    assert "set-cookie" not in page.get(f"{V1}/session").headers
    assert at_start.make_lines(settings) == []


def test_guesses_at_the_setup_code_wait_alone(app: FastAPI, code: str) -> None:
    said = [visited(app, f"{wrong:05}-aaaaa-aaaaa-aaaaa")[1]["code"] for wrong in range(PASSWORD_BURST + 1)]
    assert said[0] == "wrong-code" and said[-1] == "too-many-attempts"
    page = TestClient(app, client=("192.0.2.7", 50000))
    answer = page.post(f"{V1}/session/first", json={**WHO, "code": code}).json()
    assert answer["step"] == "set-up"


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"new": "short"}, "password-short"),
        ({"new": "password1"}, "password-trivial"),
        ({"username": "two words"}, "person-values"),
        ({"code": ""}, "wrong-code"),
        ({"code": "\u202e"}, "unfit-characters"),
    ],
)
def test_refused_setup_leaves_the_code_valid(
    app: FastAPI, code: str, values: dict[str, str], said: str
) -> None:
    answer = visited(app, code, **values)[1]
    assert answer["code"] in (said, "wrong-code", "invalid-input")
    assert visited(app, code)[1]["step"] == "set-up"


def test_setup_from_a_foreign_page_is_refused(app: FastAPI, code: str) -> None:
    page = TestClient(app, raise_server_exceptions=False)
    headers = {"origin": "https://elsewhere.example"}
    answer = page.post(f"{V1}/session/first", json={**WHO, "code": code}, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (403, "foreign-origin")


def test_simultaneous_setups_create_one_administrator(app: FastAPI, code: str, engine: Engine) -> None:
    together, said = Barrier(2), []

    def finish(username: str) -> None:
        together.wait()
        answer = visited(app, code, username=username)[1]
        said.append(answer.get("step") or answer["code"])

    both = [Thread(target=finish, args=(name,)) for name in ("first", "second")]
    for each in both:
        each.start()
    for each in both:
        each.join()
    assert sorted(said) == ["not-found", "set-up"]
    with reading(engine) as session:
        assert session.scalar(select(func.count()).select_from(User)) == 1
        assert session.scalars(select(User.role)).all() == [Role.ADMINISTRATOR]


def test_each_start_prints_a_valid_setup_code(app: FastAPI, settings: Settings) -> None:
    first, second = (at_start.make_lines(settings) for _ in range(2))
    assert "/setup" in first[0] and first[1] != second[1]
    assert visited(app, first[1].split()[1])[1]["code"] == "wrong-code"
    assert visited(app, second[1].split()[1])[1]["step"] == "set-up"
