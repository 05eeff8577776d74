"""Categories over the wire: an administrator keeps them, and a refusal names its field."""

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from db.engine import now, writing
from db.models import Role
from tests.api.requests.test_reading import Page, page  # noqa: F401  (fixture)
from tests.factories import HOUR, a_department, a_request

pytestmark = pytest.mark.parametrize("backend", ["sqlite"])


def test_saved_categories_are_read_by_everybody(
    engine: Engine,
    page: Page,  # noqa: F811
) -> None:
    with writing(engine) as session:
        department = a_department(session)
    admin, operator = page(Role.ADMINISTRATOR), page(Role.OPERATOR)
    first = operator.get("/categories").json()[0]
    assert (first["code"], first["key"], first["solve"]) == ("streets", 1, {"amount": 10, "unit": "days"})
    assert set(first["spoken"]) == {"fa", "en"}
    departments = [{"district": 0, "department_id": department.id}]
    new = {**first, "code": "stairs", "key": None, "departments": departments}
    made = admin.post("/categories", json=new)
    assert made.status_code == 201, made.text
    stairs = made.json()
    assert (stairs["key"], stairs["spoken"], stairs["departments"]) == (None, {}, departments)

    def answer(**other: object) -> tuple[int, str, str]:
        got = admin.put(f"/categories/{stairs['id']}", json=stairs | other)
        return got.status_code, got.json().get("code", ""), got.json().get("field", "")

    assert answer(active=False) == (200, "stairs", "")
    assert answer(key=1) == (409, "category-taken", "key")
    assert answer(departments=departments * 2) == (409, "category-values", "departments")
    assert answer(solve={"amount": 0, "unit": "days"}) == (422, "invalid-input", "solve")
    assert [each["code"] for each in operator.get("/categories").json()][-1] == "stairs", "after those in use"


def test_category_gives_the_default_day_and_department(
    engine: Engine,
    page: Page,  # noqa: F811
) -> None:
    with writing(engine) as session:
        department = a_department(session)
    operator, admin = page(Role.OPERATOR), page(Role.ADMINISTRATOR)
    written = {"category": 1, "district": 7, "written": "چاله", "refer": {}}
    nobody = operator.post("/requests", json=written)
    assert (nobody.status_code, nobody.json()["code"], nobody.json()["field"]) == (
        *(409, "department-missing"),
        "department_id",
    )
    departments = [{"district": 7, "department_id": department.id}]
    values = admin.get("/categories").json()[0] | {"departments": departments}
    assert admin.put("/categories/1", json=values).status_code == 200
    request = operator.post("/requests", json=written).json()["request"]
    assert (request["state"], request["department"]["id"]) == ("referred", department.id)
    assert request["answer_by"] < request["solve_by"] == request["due_at"]
    assert (request["answered_at"], request["overdue"]) == (None, False)
    told = operator.post(f"/requests/{request['id']}/reply", json={"reply": "بررسی می‌شود"}).json()["request"]
    assert told["answered_at"] is not None


def test_unreferred_request_past_its_time_is_overdue(
    engine: Engine,
    page: Page,  # noqa: F811
) -> None:
    with writing(engine) as session:
        late, later = (a_request(session, solve_by=now(session) + n * HOUR) for n in (-1, 1))
    operator = page(Role.OPERATOR)
    found = operator.get("/requests").json()["items"]
    assert [(one["id"], one["overdue"]) for one in found] == [(late.id, True), (later.id, False)]
    assert operator.get("/requests/counts").json()["overdue"] == 1


def test_unknown_category_is_refused(page: Page) -> None:  # noqa: F811
    admin: TestClient = page(Role.ADMINISTRATOR)
    values = admin.get("/categories").json()[0]
    assert admin.put("/categories/404404", json=values).status_code == 404
    written = admin.post("/requests", json={"category": 404404, "written": "چاله"})
    assert (written.status_code, written.json()["code"]) == (409, "category-inactive")
