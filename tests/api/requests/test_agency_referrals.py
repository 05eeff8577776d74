"""Links to bodies outside the city, by the API: the office makes and ends them, a department its own."""

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine, select

from db.engine import reading, writing
from db.models import AgencyReferral, AuditEntry, Request, Role
from db.states import RequestState
from hotline.requests.referrals import agency_replies
from tests.api.answers import V1, As, problem
from tests.api.department.department_page import page_of_department
from tests.factories import a_department, a_request
from tests.kit.databases import on_one

__all__ = ["on_one"]

WATER = {"body": "آب و فاضلاب", "contact": "0913 111 2233", "why": "لوله از آن‌هاست", "written": "لوله ترکیده"}


@pytest.fixture
def department(engine: Engine) -> int:
    with writing(engine) as session:
        return a_department(session).id


@pytest.fixture
def id_(engine: Engine, department: int) -> int:
    with writing(engine) as session:
        return a_request(session, RequestState.REFERRED, department_id=department).id


def token_of(link: str) -> str:
    where, _, token = link.rpartition("/")
    assert where.endswith("/public/passed")
    return token


def test_link_of_a_department_is_shown_once_and_revocable(
    app: FastAPI, engine: Engine, as_role: As, department: int, id_: int
) -> None:
    page, office = page_of_department(app, engine, department), as_role(Role.OPERATOR)
    made = page.post(f"/inbox/{id_}/passes", json=WATER)
    assert made.status_code == 201 and made.headers["cache-control"] == "no-store"
    token = token_of(made.json()["link"])
    with writing(engine) as session:
        agency_replies.record_answer(session, token, "فردا")
        kept = session.scalars(select(AgencyReferral)).one()
        assert kept.token_hash != token
        who = kept.who
    for asker, url, name in (
        (page, f"/inbox/{id_}/passes", ""),
        (office, f"{V1}/requests/{id_}/passes", who),
    ):
        answer = asker.get(url)
        (told,) = answer.json()
        assert (told["state"], told["open"], told["mine"], told["who"]) == ("answered", True, True, name)
        assert (told["answer"], told["contact"]) == ("فردا", WATER["contact"])
        assert token not in answer.text
    steps = page.get(f"/inbox/{id_}").json()["steps"]
    assert [(each["by"], each["note"]) for each in steps] == [
        ("department", "آب و فاضلاب: لوله از آن‌هاست"),
        ("body", "آب و فاضلاب: فردا"),
    ]
    for _ in range(2):
        assert office.delete(f"{V1}/requests/{id_}/passes/{told['id']}").status_code == 204
    assert page.get(f"/inbox/{id_}/passes").json()[0]["state"] == "withdrawn"
    with reading(engine) as session:
        assert session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)).all() == [
            "request-passed",
            "request-recalled",
        ]


def test_link_of_the_office_is_anonymous_to_the_department(
    app: FastAPI, engine: Engine, as_role: As, department: int, id_: int
) -> None:
    office, page = as_role(Role.SUPERVISOR), page_of_department(app, engine, department)
    assert office.post(f"{V1}/requests/{id_}/passes", json=WATER).status_code == 201
    (told,) = page.get(f"/inbox/{id_}/passes").json()
    assert (told["who"], told["mine"]) == ("", False)
    problem(page.delete(f"/inbox/{id_}/passes/{told['id']}"), 404, "not-found")
    stranger = page_of_department(app, engine)
    problem(stranger.get(f"/inbox/{id_}/passes"), 404, "not-found")
    problem(stranger.post(f"/inbox/{id_}/passes", json=WATER), 404, "not-found")
    problem(stranger.delete(f"/inbox/{id_}/passes/{told['id']}"), 404, "not-found")
    assert as_role(Role.AUDITOR).get(f"{V1}/requests/{id_}/passes").json()[0]["mine"]


@pytest.mark.parametrize(
    ("wrong", "status", "code", "field"),
    [
        ({"body": ""}, 422, "invalid-input", "body"),
        ({"body": "آ" * 101}, 422, "invalid-input", "body"),
        ({"body": "آب\u202eزر"}, 422, "unfit-characters", None),
        ({"contact": "x" * 101}, 422, "invalid-input", "contact"),
        ({"why": " "}, 409, "text-missing", "why"),
        ({"written": "شمارهٔ ۰۹۱۳۱۱۱۲۲۳۳"}, 409, "text-personal", "written"),
        ({"written": "\0"}, 422, "invalid-input", "written"),
    ],
)
def test_invalid_link_is_refused_at_its_field(
    office: TestClient, id_: int, wrong: dict[str, str], status: int, code: str, field: str | None
) -> None:
    refused = problem(office.post(f"{V1}/requests/{id_}/passes", json=WATER | wrong), status, code)
    assert field is None or refused["field"] == field


def test_link_for_a_closed_request_is_refused(engine: Engine, office: TestClient) -> None:
    with writing(engine) as session:
        over = a_request(session, RequestState.CLOSED).id
    problem(office.post(f"{V1}/requests/{over}/passes", json=WATER), 409, "wrong-state")
    with reading(engine) as session:
        assert session.get_one(Request, over).state is RequestState.CLOSED
