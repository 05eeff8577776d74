"""Lists of requests to take along: what the filter shows, to whom, and what a spreadsheet makes of it."""

import csv
import io

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine, select

from api.cookies import COOKIE
from api.requests import exports
from db.engine import reading, writing
from db.models import AuditEntry, Category, Department, Official, OfficialKind, Role, User
from db.states import RequestState
from hotline.people import sign_ins
from tests.api.answers import problem
from tests.api.department.department_page import page_of_department
from tests.factories import a_department, a_request, a_user
from tests.hotline.requests.office import refer
from tests.kit.databases import on_both  # noqa: F401  (fixture)

NUMBER = "+989131112233"


def page_of(app: FastAPI, engine: Engine, role: Role, **values: object) -> TestClient:
    with writing(engine) as session:
        user: User = a_user(session)
        user.role = role
        for name, value in values.items():
            setattr(user, name, value)
        cookie = sign_ins.sign_in(session, user)
    return TestClient(app, base_url="http://test/api/v1", cookies={COOKIE: cookie})


NUMBERED = ("Number", "Telephone")


def taken(page: TestClient, path: str = "/requests.csv", **asked: object) -> list[dict[str, str]]:
    answer = page.get(path, params={"language": "en", **asked})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.content.startswith(b"\xef\xbb\xbf")
    rows = csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig")))
    return [row | {name: row[name].removeprefix("'") for name in NUMBERED if name in row} for row in rows]


def test_export_lists_all_matches_newest_first(
    app: FastAPI, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exports, "_AT_ONCE", 2)
    with writing(engine) as session:
        made = [a_request(session, district=5) for _ in range(5)]
        late = a_request(session, RequestState.REFERRED, district=5)
        late.due_at = late.made_at
        a_request(session, district=6), a_request(session, RequestState.CLOSED, district=5)
        wanted = [each.tracking for each in (late, *made[::-1])]
    page = page_of(app, engine, Role.SUPERVISOR)
    asked = {"district": 5, "state": ["new", "referred"]}
    assert [row["Number"] for row in taken(page, **asked)] == wanted
    assert [(row["Number"], row["Overdue"]) for row in taken(page, district=5, overdue=True)] == [
        (wanted[0], "yes")
    ]
    assert taken(page, escalated=True) == []


def test_formula_in_the_words_is_exported_as_text(app: FastAPI, engine: Engine) -> None:
    with writing(engine) as session:
        a_request(session, written='=HYPERLINK("http://example.org")', place="\t=1+1")
    (row,) = taken(page_of(app, engine, Role.OPERATOR))
    assert row["In words"].startswith("'=") and row["Place"].startswith("'")


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.OFFICIAL, Role.SUPERVISOR, Role.AUDITOR])
def test_whole_numbers_are_exported_to_few_and_audited(app: FastAPI, engine: Engine, role: Role) -> None:
    with writing(engine) as session:
        a_request(session, number=NUMBER)
        official = Official(kind=OfficialKind.MAYOR, office_fa="ش", office_en="M", clip="office-mayor")
        session.add(official)
        session.flush()
        of_official = official.id
    page = page_of(app, engine, role, official_id=of_official if role is Role.OFFICIAL else None)
    (row,) = taken(page)
    assert "1112233" not in row["Telephone"] and row["Telephone"].endswith("33")
    if role in (Role.OPERATOR, Role.OFFICIAL):
        problem(page.get("/requests.csv", params={"with_numbers": True}), 403, "forbidden")
        return
    assert taken(page, with_numbers=True, category=1)[0]["Telephone"] == "09131112233"
    assert "'09131112233" in page.get("/requests.csv", params={"with_numbers": True, "category": 1}).text
    with reading(engine) as session:
        log = session.scalars(select(AuditEntry.reason).where(AuditEntry.action == "requests-exported")).all()
    assert log == ["", *["category 1, numbers"] * 2]


def test_district_manager_exports_the_own_district(app: FastAPI, engine: Engine) -> None:
    with writing(engine) as session:
        kind, called = OfficialKind.DISTRICT_MANAGER, {"office_fa": "م", "office_en": "D"}
        official = Official(kind=kind, clip="office-district", district=5, **called)
        session.add(official)
        own = a_request(session, district=5).tracking
        a_request(session, district=6)
        of_official = official.id
    page = page_of(app, engine, Role.OFFICIAL, official_id=of_official)
    assert [row["Number"] for row in taken(page)] == [own]
    problem(page.get("/requests.csv", params={"district": 6}), 403, "forbidden")


def test_department_exports_its_own_without_citizens(app: FastAPI, engine: Engine) -> None:
    with writing(engine) as session:
        request = a_request(session, number=NUMBER)
        department: Department = refer(session, request)
        session.get_one(Category, 1).name_en = "Street lights"
        own, its = request.tracking, department.id
        refer(session, a_request(session))
        a_department(session)
    page = page_of_department(app, engine, its)
    (row,) = taken(page, "/inbox.csv")
    assert (row["Number"], row["Category"], row["State"]) == (own, "Street lights", "Referred")
    assert "Telephone" not in row and "Department" not in row
    assert "2233" not in page.get("/inbox.csv").text
    assert taken(page, "/inbox.csv", part="solved") == []
    problem(page.get("/requests.csv"), 403, "forbidden")
