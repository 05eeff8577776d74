"""A department's inbox over the wire: what it is told, what it does, and what it never sees."""

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine, select

from api.cookies import COOKIE
from db.engine import reading, writing
from db.models import AuditEntry, Category, Department, Evidence, Request, Role, User
from db.states import RequestState
from hotline.people import sign_ins
from hotline.requests import work
from settings import Settings
from tests.api.answers import problem
from tests.api.department.department_page import page_of_department
from tests.api.my.signing_in import page_of
from tests.factories import a_department, a_number, a_request, a_user
from tests.hotline.requests.office import today
from tests.kit import picture_files as files
from tests.kit.databases import on_one  # noqa: F401  (fixture)

SOLVED = {"reply": "چراغ تعویض شد", "solved": True}


@pytest.fixture
def number() -> str:
    return a_number()


@pytest.fixture
def department(engine: Engine) -> int:
    with writing(engine) as session:
        return a_department(session).id


@pytest.fixture
def page(app: FastAPI, engine: Engine, department: int) -> TestClient:
    return page_of_department(app, engine, department)


def referred(engine: Engine, department: int, **values: object) -> int:
    """A request that the office has referred to it."""
    with writing(engine) as session:
        request = a_request(session, **values)
        to = session.get_one(Department, department)
        work.refer(session, request, to, due_on=today(session), who="operator1", note="فوری")
        return request.id


def test_request_goes_from_question_to_evidence(
    app: FastAPI, engine: Engine, settings: Settings, page: TestClient, department: int, number: str
) -> None:
    id_ = referred(engine, department, number=number)
    with writing(engine) as session:
        session.get_one(Category, 1).evidence = Evidence.PICTURE
        tracking = session.get_one(Request, id_).tracking
    mine = page_of(app, engine, settings, number)
    assert page.get("/me").json()["department"]["id"] == department
    assert page.get("/inbox/counts").json() == {"work": 1, "late": 0, "solved": 0}
    (listed,) = page.get("/inbox").json()["items"]
    assert (listed["id"], listed["state"], listed["evidence"]) == (id_, "referred", "picture")
    told = page.get(f"/inbox/{id_}").json()
    assert [(s["step"], s["by"], s["note"]) for s in told["steps"]] == [("referred", "office", "فوری")]
    assert page.post(f"/inbox/{id_}/accept").json()["request"]["state"] == "accepted"
    assert page.post(f"/inbox/{id_}/ask", json={"question": "کدام کوچه؟"}).json()["question"] == "کدام کوچه؟"
    seen = mine.get(f"/api/v1/my/requests/{tracking}").json()
    assert (seen["state"], seen["question"]) == ("asked", "کدام کوچه؟")
    seen = mine.post(f"/api/v1/my/requests/{tracking}/say", json={"answer": "کوچهٔ ۵"}).json()
    assert (seen["state"], seen["question"]) == ("accepted", "")
    told = page.get(f"/inbox/{id_}").json()
    assert [(s["by"], s["note"]) for s in told["steps"]][-1] == ("citizen", "کوچهٔ ۵")
    refused = page.post(f"/inbox/{id_}/reply", json=SOLVED)
    assert (refused.status_code, refused.json()["code"], refused.json()["field"]) == (
        *(409, "evidence-picture"),
        "pictures",
    )
    picture = page.post("/inbox/pictures", content=files.jpeg()).json()["id"]
    told = page.post(f"/inbox/{id_}/reply", json=SOLVED | {"pictures": [picture]}).json()
    assert (told["request"]["state"], [p["kind"] for p in told["pictures"]]) == ("replied", ["evidence"])
    assert page.get(f"/inbox/{id_}/pictures/{picture}").headers["content-type"] == "image/jpeg"
    assert mine.get(f"/api/v1/my/pictures/{picture}").status_code == 200
    assert page.get("/inbox", params={"part": "solved"}).json()["items"][0]["id"] == id_


def test_department_reads_no_number_and_no_name_of_the_office(
    engine: Engine, page: TestClient, department: int
) -> None:
    id_ = referred(engine, department, number="+989131112233")
    for told in (page.get("/inbox"), page.get(f"/inbox/{id_}"), page.post(f"/inbox/{id_}/accept")):
        assert told.status_code == 200
        assert not any(secret in told.text for secret in ("1112233", "operator1", "registration"))


@pytest.mark.parametrize("act", ["accept", "return", "ask", "reply"])
def test_foreign_or_moved_request_is_refused_without_change(
    engine: Engine, page: TestClient, department: int, act: str
) -> None:
    body = {"note": "با ما نیست", "question": "کجا؟", "reply": "ترمیم شد", "solved": True}
    with writing(engine) as session:
        strangers = a_request(session, RequestState.REFERRED).id
    mine = referred(engine, department)
    with writing(engine) as session:
        work.refer(
            session, work.get_for_update(session, mine), a_department(session), due_on=today(session), who="u"
        )
    problem(page.post(f"/inbox/{strangers}/{act}", json=body), 404, "not-found")
    problem(page.post(f"/inbox/{mine}/{act}", json=body), 409, "request-moved")
    problem(page.get(f"/inbox/{mine}"), 409, "request-moved")
    problem(page.get(f"/inbox/{strangers}/pictures/{'0' * 32}"), 404, "not-found")
    with reading(engine) as session:
        assert session.get_one(Request, mine).state is RequestState.REFERRED


def test_bulk_accept_skips_requests_of_others(engine: Engine, page: TestClient, department: int) -> None:
    mine, done = [referred(engine, department) for _ in range(2)], referred(engine, department)
    page.post(f"/inbox/{done}/reply", json=SOLVED)
    with writing(engine) as session:
        strangers = a_request(session, RequestState.REFERRED).id
    asked = [*mine, done, strangers, 999_999, mine[0]]
    answer = page.post("/inbox/accept", json={"request_ids": asked}).json()
    assert answer == {
        "refused": {str(done): "wrong-state", str(strangers): "not-found", "999999": "not-found"}
    }
    with reading(engine) as session:
        assert [session.get_one(Request, id_).state for id_ in mine] == [RequestState.ACCEPTED] * 2
        assert session.get_one(Request, strangers).state is RequestState.REFERRED
    problem(page.post("/inbox/accept", json={"request_ids": []}), 422, "invalid-input")


def test_picture_of_another_department_is_not_found(
    app: FastAPI, engine: Engine, page: TestClient, department: int
) -> None:
    other = page_of_department(app, engine)
    picture = other.post("/inbox/pictures", content=files.jpeg()).json()["id"]
    id_ = referred(engine, department)
    problem(page.get(f"/inbox/{id_}/pictures/{picture}"), 404, "not-found")
    problem(page.post(f"/inbox/{id_}/reply", json=SOLVED | {"pictures": [picture]}), 409, "picture-unknown")
    refused = page.post("/inbox/pictures", content=b"<svg xmlns='http://www.w3.org/2000/svg'/>")
    problem(refused, 415, "picture-drawing")
    problem(
        page.post(f"/inbox/{id_}/reply", json={"reply": "فردا", "pictures": [picture]}),
        409,
        "evidence-unsolved",
    )


def test_returned_request_reaches_the_office_with_its_reason(
    engine: Engine, page: TestClient, department: int
) -> None:
    id_ = referred(engine, department)
    problem(page.post(f"/inbox/{id_}/return", json={"note": " "}), 409, "reason-missing")
    assert page.post(f"/inbox/{id_}/return", json={"note": "با ما نیست"}).status_code == 204
    assert page.get("/inbox").json() == {"items": [], "next": None}
    with reading(engine) as session:
        assert session.get_one(Request, id_).state is RequestState.NEW
        assert session.scalars(select(AuditEntry.reason)).all()[-1] == "با ما نیست"


def test_department_account_needs_role_and_department(app: FastAPI, engine: Engine, department: int) -> None:
    with writing(engine) as session:
        keeper = a_user(session)
        keeper.role = Role.ADMINISTRATOR
        cookie = sign_ins.sign_in(session, keeper)
    office = TestClient(app, base_url="http://test/api/v1", cookies={COOKIE: cookie})
    person = {"username": "roads", "name": "ادارهٔ راه", "role": "department"}
    problem(office.post("/people", json=person), 409, "person-values")
    problem(office.post("/people", json=person | {"department_id": 999}), 404, "not-found")
    for more in ({"desk_id": 1}, {"role": "operator"}):
        refused = office.post("/people", json=person | {"department_id": department} | more)
        problem(refused, 409, "person-values")
    made = office.post(
        "/people", json=person | {"department_id": department, "heads_department": True}
    ).json()
    assert (made["person"]["department"]["id"], made["person"]["heads_department"]) == (department, True)
    assert office.get("/inbox").status_code == 403
    changed = office.patch(f"/people/{made['person']['id']}", json={"role": "auditor"}).json()
    assert (changed["department"], changed["heads_department"]) == (None, False)
    with reading(engine) as session:
        roads = session.scalars(select(User).where(User.username == "roads")).one()
        assert (roads.role, roads.department_id) == (Role.AUDITOR, None)


def test_request_split_by_a_department_returns_the_rest(
    app: FastAPI, engine: Engine, settings: Settings, page: TestClient, department: int, number: str
) -> None:
    id_ = referred(engine, department, number=number)
    with writing(engine) as session:
        whole = session.get_one(Request, id_).tracking
        elsewhere, due_on = a_department(session).id, today(session).isoformat()
    problem(page.post(f"/inbox/{id_}/split", json={"ours": "چراغ", "rest": " "}), 409, "text-missing")
    ours = page.post(f"/inbox/{id_}/split", json={"ours": "چراغ", "rest": "چاله"}).json()
    assert (ours["request"]["part_of"], ours["request"]["state"]) == (whole, "referred")
    assert ours["reachable"], "the whole's citizen"
    problem(page.get(f"/inbox/{id_}"), 409, "request-moved")
    with writing(engine) as session:
        cookie = sign_ins.sign_in(session, a_user(session))
    office = TestClient(app, base_url="http://test/api/v1", cookies={COOKIE: cookie})
    told = office.get(f"/requests/{id_}").json()
    assert [part["written"] for part in told["parts"]] == ["چراغ", "چاله"]
    rest = told["parts"][1]["id"]
    assert office.get(f"/requests/{rest}").json()["part_of"]["id"] == id_
    to = {"department_id": elsewhere, "due_on": due_on}
    assert office.post(f"/requests/{rest}/refer", json=to).status_code == 200
    mine = page_of(app, engine, settings, number)
    picture = page.post("/inbox/pictures", content=files.jpeg()).json()["id"]
    page.post(f"/inbox/{ours['request']['id']}/reply", json=SOLVED | {"pictures": [picture]})
    seen = mine.get(f"/api/v1/my/requests/{whole}").json()
    assert (seen["state"], seen["asked"]) == ("accepted", False)
    assert [p["kind"] for p in seen["pictures"]] == ["evidence"]
    assert page.get(f"/inbox/{ours['request']['id']}/pictures/{picture}").status_code == 200
    assert mine.get(f"/api/v1/my/requests/{told['parts'][0]['tracking']}").status_code == 404
    office.post(f"/requests/{rest}/reply", json={"reply": "پر شد", "solved": True})
    seen = mine.get(f"/api/v1/my/requests/{whole}").json()
    assert (seen["state"], seen["asked"], seen["reply"]) == ("replied", True, "چراغ تعویض شد / پر شد")
    told = office.post(f"/requests/{id_}/answer", json={"solved": False, "parts": [rest]}).json()
    assert [part["state"] for part in told["parts"]] == ["replied", "reopened"]
