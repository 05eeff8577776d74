"""Requests over the wire: who sees and does what, until the end; their sound, and the public page."""

import wave
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, select

from api.app import create
from api.cookies import COOKIE
from db.engine import now, reading, writing
from db.models import AuditEntry, Category, Evidence, Official, OfficialKind, Request, Role, User
from db.states import CallbackState, RequestState
from hotline import dates, numbers
from hotline.clock import CITY
from hotline.people import sign_ins
from hotline.recordings import archive
from hotline.requests import closing, filing, lifecycle, work
from settings import Settings
from tests.api.answers import problem
from tests.factories import WEEK, a_callback, a_department, a_desk, a_registration, a_request, a_round, a_user
from tests.kit import picture_files as files

S = RequestState
on_sqlite = pytest.mark.parametrize("backend", ["sqlite"])
Page = Callable[..., TestClient]


@pytest.fixture
def page(settings: Settings, engine: Engine) -> Page:
    """A page on which a person of this role has signed in; a district's manager if one is given."""
    app = create(settings)

    def page(role: Role, district: int | None = None) -> TestClient:
        with writing(engine) as session:
            user = a_user(session, username=f"the-{role}")
            user.role = role
            if district:
                user.official = Official(
                    kind=OfficialKind.DISTRICT_MANAGER,
                    district=district,
                    office_fa="مدیر",
                    office_en="Manager",
                    clip=f"office-district-{district}",
                )
            cookie = sign_ins.sign_in(session, user)
        return TestClient(app, base_url="http://test/api/v1", cookies={COOKIE: cookie})

    return page


def in_days(engine: Engine, days: int) -> str:
    with reading(engine) as session:
        return (now(session).astimezone(CITY).date() + timedelta(days=days)).isoformat()


def test_request_written_at_a_desk_goes_to_its_end(engine: Engine, page: Page) -> None:
    operator = page(Role.OPERATOR)
    with writing(engine) as session:
        user = session.scalars(select(User)).one()
        user.desk = a_desk(session)
        session.flush()
        citizen = a_callback(session, CallbackState.ENDED, user).registration
        stranger = a_registration(session, a_round(session))
        department = a_department(session)
    refer = {"department_id": department.id, "due_on": in_days(engine, 2), "note": "فوری"}
    written = {"category": 1, "district": 7, "written": "چاله", "registration_id": citizen.id}
    refused = operator.post("/requests", json=written | {"registration_id": stranger.id})
    assert refused.json()["code"] == "forbidden", "whom this desk never had in hand"
    answer = operator.post("/requests", json=written | {"refer": refer})
    assert answer.status_code == 201, answer.text
    made = answer.json()
    request = made["request"]
    assert (request["state"], request["department"]["id"], request["number"]) == (
        *("referred", department.id),
        numbers.format_national(numbers.mask(citizen.number)),
    ), "whole only at /citizens/request/ID/number, which the audit log has"
    assert [step["step"] for step in made["steps"]] == ["reported", "referred"]
    path = f"/requests/{request['id']}"

    replied = operator.post(f"{path}/reply", json={"reply": "ترمیم شد", "solved": True}).json()
    assert replied["request"]["state"] == "replied"
    again = operator.post(f"{path}/reply", json={"reply": "دوباره", "solved": True})
    assert (again.status_code, again.json()["code"]) == (409, "wrong-state")
    assert operator.post(f"{path}/answer", json={"solved": False}).json()["request"]["denials"] == 1
    colleague = page(Role.SUPERVISOR)
    own = operator.post(f"{path}/refer", json=refer)
    assert (own.status_code, own.json()["code"]) == (409, "objection-own"), "it is for another person"
    assert colleague.post(f"{path}/refer", json=refer).json()["request"]["state"] == "referred"
    assert operator.post(f"{path}/return", json={"note": "نه"}).json()["request"]["state"] == "new"
    assert operator.post(f"{path}/reply", json={"reply": "شد", "solved": True}).status_code == 200
    closed = operator.post(f"{path}/answer", json={"solved": True}).json()
    assert (closed["request"]["state"], closed["request"]["unanswered"]) == ("closed", False)
    assert [(step["step"], step["who"]) for step in closed["steps"]][-1] == ("confirmed", "the-operator")
    assert operator.get(f"/requests/tracking/{request['tracking']}").json()["id"] == request["id"]
    counts = operator.get("/requests/counts").json()
    assert counts == {"states": {"closed": 1}, "overdue": 0, "escalated": 0}
    mine = operator.get("/requests?mine=true&state=closed&category=1&limit=1").json()
    assert [one["id"] for one in mine["items"]] == [request["id"]]


def test_solution_needs_a_picture_where_the_category_asks(page: Page, engine: Engine) -> None:
    operator, colleague = page(Role.OPERATOR), page(Role.SUPERVISOR)
    with writing(engine) as session:
        session.get_one(Category, 1).evidence = Evidence.PICTURE
        path = f"/requests/{a_request(session).id}"
    solved = {"reply": "چراغ تعویض شد", "solved": True}
    refused = operator.post(f"{path}/reply", json=solved)
    assert (problem(refused, 409, "evidence-picture")["field"], seen_state(operator, path)) == (
        *("pictures", "new"),
    )
    theirs, shown = (
        one.post("/requests/pictures", content=files.jpeg()).json()["id"] for one in (colleague, operator)
    )
    refused = operator.post(f"{path}/reply", json=solved | {"pictures": [theirs]})
    problem(refused, 409, "picture-unknown")
    early = operator.post(f"{path}/reply", json={"reply": "فردا", "pictures": [shown]})
    problem(early, 409, "evidence-unsolved")
    told = operator.post(f"{path}/reply", json={"solved": True, "pictures": [shown]}).json()
    assert (told["request"]["state"], told["request"]["reply"]) == ("replied", "مشکل حل شد.")
    assert [(p["id"], p["kind"]) for p in told["pictures"]] == [(shown, "evidence")]
    assert operator.get(f"{path}/pictures/{shown}").headers["content-type"] == "image/jpeg"
    for what, code in ((b"", "picture-empty"), (b"<svg/>", "picture-drawing")):
        assert operator.post("/requests/pictures", content=what).json()["code"] == code


def seen_state(page: TestClient, path: str) -> str:
    state: str = page.get(path).json()["request"]["state"]
    return state


def test_merging_and_separating_show_on_both_requests(engine: Engine, page: Page) -> None:
    with writing(engine) as session:
        first, second = a_request(session), a_request(session)
    operator = page(Role.OPERATOR)
    assert [p["request"]["id"] for p in operator.get(f"/requests/{second.id}").json()["probable"]] == [
        first.id
    ]
    merged = operator.post(f"/requests/{second.id}/duplicate", json={"request_id": first.id}).json()
    assert (merged["request"]["state"], merged["duplicate_of"]["id"]) == ("duplicate", first.id)
    assert merged["steps"][-1]["other"] == first.tracking
    assert [d["id"] for d in operator.get(f"/requests/{first.id}").json()["duplicates"]] == [second.id]
    back = operator.post(f"/requests/{second.id}/return", json={"note": "نه"})
    assert (back.status_code, back.json()["code"]) == (409, "wrong-state"), "no department has it"
    assert operator.post(f"/requests/{second.id}/separate").json()["request"]["state"] == "new"


@on_sqlite
def test_district_manager_sees_only_the_own_district(engine: Engine, page: Page) -> None:
    with writing(engine) as session:
        own, other = a_request(session, district=7), a_request(session, district=8)
    manager = page(Role.OFFICIAL, 7)
    assert [one["id"] for one in manager.get("/requests").json()["items"]] == [own.id]
    assert [one["district"] for one in manager.get("/requests/districts").json()] == [7]
    with writing(engine) as session:
        closing.merge(session, other.id, own.id, who="somebody")
    shown = manager.get(f"/requests/{own.id}").json()
    assert shown["duplicates"] == [], "nothing of another district's, not even beside"
    for path in (f"/requests/{other.id}", f"/requests/{other.id}/audio", "/requests?district=8"):
        assert manager.get(path).json()["code"] == "forbidden", path
    assert manager.get(f"/requests/tracking/{other.tracking}").status_code == 403
    auditor = page(Role.AUDITOR)
    assert len(auditor.get("/requests").json()["items"]) == 2
    assert len(auditor.get(f"/requests/{own.id}").json()["duplicates"]) == 1


def test_official_without_an_office_sees_no_requests(engine: Engine, page: Page) -> None:
    with writing(engine) as session:
        a_request(session, district=7)
    assert page(Role.OFFICIAL).get("/requests").json()["items"] == []


def a_sound(settings: Settings) -> Path:
    settings.messages_dir.mkdir(parents=True, exist_ok=True)
    path = settings.messages_dir / "m.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(b"\x01\x02" * 8000)
    return path


@on_sqlite
def test_ranged_hearing_of_a_request_is_audited_once(engine: Engine, settings: Settings, page: Page) -> None:
    path = a_sound(settings)
    with writing(engine) as session:
        request = a_request(session, voice_message=path.name)
    operator = page(Role.OPERATOR)
    part = operator.get(f"/requests/{request.id}/audio", headers={"Range": "bytes=0-99"})
    assert (part.status_code, part.content) == (206, path.read_bytes()[:100])
    operator.get(f"/requests/{request.id}/audio", headers={"Range": "bytes=100-199"})
    with reading(engine) as session:
        heard = session.scalars(
            select(AuditEntry).where(AuditEntry.action == archive.VOICE_MESSAGE_HEARD)
        ).all()
        assert [(e.who, e.subject) for e in heard] == [("the-operator", f"request {request.id}")]


@on_sqlite
@pytest.mark.parametrize("file", ["../secret", "/etc/hostname", "link.wav", "none.wav"])
def test_unfit_sound_file_is_not_played(engine: Engine, settings: Settings, page: Page, file: str) -> None:
    (a_sound(settings).parent / "link.wav").symlink_to("/etc/hostname")
    with writing(engine) as session:
        request = a_request(session, voice_message=file)
    assert page(Role.OPERATOR).get(f"/requests/{request.id}/audio").status_code == 404


@on_sqlite
def test_wrong_number_or_department_keeps_nothing(engine: Engine, page: Page) -> None:
    operator = page(Role.OPERATOR)
    written = {"category": 1, "written": "چاله"}
    refer = {"department_id": 404404, "due_on": in_days(engine, 1)}
    for wrong, code in (
        ({"number": "12"}, "number-invalid"),
        ({"refer": refer}, "not-found"),
        ({"category": 0}, "invalid-input"),
        ({"category": 10}, "category-inactive"),
        ({"written": "\0"}, "invalid-input"),
        ({"written": "x" * 10_000}, "invalid-input"),
    ):
        assert operator.post("/requests", json=written | wrong).json()["code"] == code
    with reading(engine) as session:
        assert session.scalars(select(Request)).all() == []


@on_sqlite
def test_boundaries_are_served_only_when_set(
    engine: Engine, settings: Settings, page: Page, tmp_path: Path
) -> None:
    operator = page(Role.OPERATOR)
    assert operator.get("/requests/boundaries").json() is None
    file = tmp_path / "districts.geojson"
    file.write_text('{"type": "FeatureCollection", "features": []}')
    named = create(settings.model_copy(update={"districts_file": file}))
    answer = TestClient(named, base_url="http://test/api/v1", cookies=operator.cookies).get(
        "/requests/boundaries"
    )
    assert (answer.status_code, answer.json()["features"]) == (200, [])


@on_sqlite
def test_changed_departments_show_in_the_lists(engine: Engine, page: Page) -> None:
    office = page(Role.PUBLIC_RELATIONS)
    made = office.post("/departments", json={"name_fa": "عمران", "name_en": "Works"}).json()
    taken = office.post("/departments", json={"name_fa": "عمران", "name_en": "Other"})
    assert taken.json()["code"] == "department-taken"
    office.patch(f"/departments/{made['id']}", json={"active": False})
    [listed] = office.get("/departments").json()
    assert listed == {
        **{"id": made["id"], "name_fa": "عمران", "name_en": "Works", "number": None},
        **{"active": False, "open": 0, "overdue": 0},
    }


# The public page


@pytest.fixture
def citizen(settings: Settings) -> TestClient:
    return TestClient(create(settings))


def seen(citizen: TestClient, tracking: str, language: str = "fa") -> tuple[int, str]:
    query = "?lang=en" if language == "en" else ""
    answer = citizen.post(f"/public/number{query}", data={"ticket": tracking})
    return answer.status_code, answer.text


@on_sqlite
@pytest.mark.parametrize("language", ["fa", "en"])
def test_tracking_number_page_shows_nothing_personal(
    engine: Engine, citizen: TestClient, language: str
) -> None:
    with writing(engine) as session:
        user: User = a_user(session, username="operator-of-it")
        request = filing.write(
            session,
            **{"category": 1, "district": 7, "language": "fa", "number": "+989131112233"},
            written="چالهٔ جلوی خانهٔ من",
            week=WEEK,
            who=user.username,
        )
        department = a_department(session)
        due_on = now(session).astimezone(CITY).date()
        work.refer(session, request, department, due_on=due_on, who=user.username, note="محرمانه")
        solve_by = request.solve_by
    assert solve_by
    promised, (_, before) = dates.format_moment(solve_by, language), seen(citizen, request.tracking, language)
    with writing(engine) as session:
        request = lifecycle.get(session, request.id)
        work.reply(session, request, who=user.username, reply="<b>ترمیم</b> شد")
    assert citizen.get("/public/number").status_code == 200
    status, text = seen(citizen, request.tracking, language)
    assert status == 200
    assert "&lt;b&gt;ترمیم&lt;/b&gt; شد" in text
    assert promised in before
    assert (department.name_fa if language == "fa" else department.name_en) in text
    for secret in ("1112233", "۱۱۱۲۲۳۳", "operator-of-it", "محرمانه", "خانهٔ من"):
        assert secret not in text
    with writing(engine) as session:
        duplicate = a_request(session)
        closing.merge(session, duplicate.id, request.id, who="u")
    assert "ترمیم" in seen(citizen, duplicate.tracking, language)[1]


@on_sqlite
def test_tenth_wrong_guess_locks_the_address(engine: Engine, citizen: TestClient) -> None:
    with writing(engine) as session:
        request = a_request(session, S.CLOSED)
    assert seen(citizen, request.tracking)[0] == 200
    assert seen(citizen, "1234")[0] == 422
    assert [seen(citizen, "00000000")[0] for _ in range(10)] == [404] * 10
    assert seen(citizen, request.tracking)[0] == 429
