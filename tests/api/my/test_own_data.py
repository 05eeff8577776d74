"""A citizen who signs in by number: from the code to «delete me», and what no answer tells a stranger."""

from collections.abc import Iterator
from datetime import time

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from httpx import Response
from sqlalchemy import Engine, select, update

from api import limits
from api.app import create
from api.my.signed_in import ACCESS, BROWSER, REFRESH
from db.engine import now, reading, writing
from db.models import AuditEntry, BlockReason, CitizenCode, CitizenSession, Registration
from db.states import Phase
from hotline import numbers
from hotline.citizens import codes, sessions
from hotline.limits import Bucket
from hotline.line import blocked, registration
from hotline.numbers import format_national
from settings import Settings
from tests.api.answers import LONG, V1, problem
from tests.factories import a_number, a_request, a_round
from tests.kit import statements

MY = f"{V1}/my"
_ALL_DAY = (time(0, 0), time(23, 59, 59))


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"sms_provider": "console"})


@pytest.fixture
def number() -> str:
    return a_number()


def ask(page: TestClient, number: str, **more: str) -> Response:
    return page.post(f"{MY}/codes", json={"number": number, "by": "sms"} | more)


def given(engine: Engine, settings: Settings, number: str) -> str:
    """The code that this number's telephone was given."""
    with reading(engine) as session:
        newest = select(CitizenCode).where(CitizenCode.number == number).order_by(CitizenCode.id.desc())
        return codes.read_digits(session.scalars(newest).first(), settings)


def show(page: TestClient, number: str, code: str) -> Response:
    return page.post(f"{MY}/sessions", json={"number": number, "code": code})


@pytest.fixture
def citizen(app: FastAPI, engine: Engine, settings: Settings, number: str) -> Iterator[TestClient]:
    """A browser in which this number is signed in."""
    with TestClient(app, raise_server_exceptions=False) as page:
        assert ask(page, number).status_code == 202
        assert show(page, number, given(engine, settings, number)).status_code == 200
        yield page


def test_signed_in_number_sees_its_own_data_alone(
    nobody: TestClient, engine: Engine, settings: Settings, number: str
) -> None:
    with writing(engine) as session:
        live = a_round(session, Phase.OPEN)
        for each in (a_number(), number):
            registration.register(session, round_id=live.id, number=each)
        a_request(session, number=number)
        a_request(session)
    persian = format_national(number).translate(str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹"))
    problem(nobody.get(MY), 401, "not-signed-in")
    assert ask(nobody, persian).json() == {"valid_seconds": 300, "tries": 5}
    answer = show(nobody, persian, given(engine, settings, number))
    masked = f"09…{number[-2:]}"
    assert answer.json()["number"] == masked
    mine = nobody.get(MY).json()
    assert (mine["number"], mine["held"]) == (masked, 1)
    assert [place["place"] for place in mine["places"]] == [2]
    assert [request["state"] for request in mine["requests"]] == ["new"]
    assert number[3:] not in str(mine)


def test_session_cookies_are_safe_and_expire_with_it(
    app: FastAPI, engine: Engine, settings: Settings, number: str
) -> None:
    with TestClient(app, base_url="https://137.example") as page:
        ask(page, number)
        answer = show(page, number, given(engine, settings, number))
        kept = {}
        for line in answer.headers.get_list("set-cookie"):
            name, *flags = line.lower().split("; ")
            kept[name.partition("=")[0]] = set(flags)
        safe = {"httponly", "samesite=strict", "secure", "path=/"}
        assert kept == {
            f"__host-{ACCESS}": safe | {"max-age=900"},
            f"__host-{REFRESH}": safe | {"max-age=2592000"},
            f"__host-{BROWSER}": safe | {"max-age=31536000"},
        }
        assert not set(answer.json()) & {"access", "refresh", "token"}
        assert page.get(MY).status_code == 200


def test_wrong_missing_and_expired_codes_answer_alike(
    nobody: TestClient, engine: Engine, settings: Settings, number: str
) -> None:
    ask(nobody, number)
    right = given(engine, settings, number)
    wrong = f"{(int(right) + 1) % 10**6:06}"
    answers = [show(nobody, number, wrong), show(nobody, a_number(), wrong), show(nobody, "12", wrong)]
    with writing(engine) as session:
        session.execute(update(CitizenCode).values(expires_at=now(session)))
    answers.append(show(nobody, number, right))
    problem(answers[0], 403, "wrong-code")
    assert len({(answer.status_code, answer.text) for answer in answers}) == 1
    assert not any("set-cookie" in answer.headers for answer in answers)


@pytest.mark.parametrize("by", ["sms", "call"])
def test_known_unknown_and_blocked_numbers_answer_alike(nobody: TestClient, engine: Engine, by: str) -> None:
    known, unknown, barred = a_number(), a_number(), a_number()
    with writing(engine) as session:
        registration.register(session, round_id=a_round(session, Phase.OPEN).id, number=known)
        blocked.block(session, barred, BlockReason.NUISANCE)
    told = []
    for number in (known, unknown, barred):
        answers = [ask(nobody, number, by=by) for _ in range(4)]
        waits = [int(answer.headers.get("retry-after", 0)) for answer in answers]
        told.append([(answer.status_code, answer.text, sorted(answer.headers)) for answer in answers])
        assert [answer.status_code for answer in answers] == [202, 202, 202, 429]
        assert 3590 < waits[3] <= 3600
    assert told[0] == told[1] == told[2]


def test_code_request_costs_equal_statements_for_any_number(
    nobody: TestClient, engine: Engine, app: FastAPI
) -> None:
    known, barred = a_number(), a_number()
    with writing(engine) as session:
        registration.register(session, round_id=a_round(session, Phase.OPEN).id, number=known)
        blocked.block(session, barred, BlockReason.NUISANCE)
    asked = []
    for number in (known, a_number(), barred):
        with statements.heard(app.state.engine) as said:
            ask(nobody, number)
        asked.append(said)
    assert len(asked[0]) > 4 and asked[0] == asked[1] == asked[2]


@pytest.mark.parametrize(
    ("number", "by", "status", "code", "field"),
    [
        ("12", "sms", 409, "number-invalid", "number"),
        ("+4930123456", "sms", 409, "number-not-allowed", "number"),
        ("03132123456", "sms", 409, "way-needs-mobile", "by"),
        ("09131234567", "messenger", 409, "way-not-offered", "by"),
        ("09131234567", "pigeon", 422, "invalid-input", "by"),
        (LONG, "sms", 422, "invalid-input", "number"),
    ],
)
def test_unreachable_number_names_its_wrong_field(
    nobody: TestClient, number: str, by: str, status: int, code: str, field: str
) -> None:
    assert problem(ask(nobody, number, by=by), status, code)["field"] == field


def test_code_call_in_quiet_hours_is_refused(settings: Settings) -> None:
    always = settings.model_copy(update={"quiet_hours": type(settings.quiet_hours)(*_ALL_DAY)})
    with TestClient(create(always), raise_server_exceptions=False) as page:
        problem(ask(page, a_number(), by="call"), 409, "way-not-now")
        assert ask(page, a_number()).status_code == 202


def test_codes_for_many_numbers_are_limited_by_address(
    nobody: TestClient,
) -> None:
    answers = [ask(nobody, a_number()) for _ in range(limits.CODES_BURST + 1)]
    assert {answer.status_code for answer in answers[:-1]} == {202}
    problem(answers[-1], 429, "too-many-attempts")
    assert 1 <= int(answers[-1].headers["retry-after"]) <= limits.CODES_EVERY_S


def test_codes_asked_from_one_network_have_a_cap_of_a_day(
    app: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app.state.codes_daily, "_bucket", Bucket(3, 3600.0))
    for each in ("2001:db8:1:1::1", "2001:db8:1:2::1", "2001:db8:1:3::1"):
        assert ask(TestClient(app, client=(each, 5)), a_number()).status_code == 202
    problem(ask(TestClient(app, client=("2001:db8:1:4::1", 5)), a_number()), 429, "too-many-attempts")
    assert ask(TestClient(app, client=("2001:db8:2:1::1", 5)), a_number()).status_code == 202


def test_code_for_a_known_browser_costs_its_address_nothing(
    nobody: TestClient, engine: Engine, settings: Settings, number: str
) -> None:
    ask(nobody, number)
    assert show(nobody, number, given(engine, settings, number)).status_code == 200
    assert [ask(nobody, number).status_code for _ in range(2)] == [202] * 2
    answers = [ask(nobody, a_number()).status_code for _ in range(limits.CODES_BURST)]
    assert answers == [202] * (limits.CODES_BURST - 1) + [429]
    assert ask(nobody, number).status_code == 202, "its neighbours lock it out of nothing"


def test_guesses_at_many_numbers_are_limited_by_address(
    nobody: TestClient, engine: Engine, settings: Settings, number: str
) -> None:
    ask(nobody, number)
    for _ in range(limits.CODE_BURST):
        problem(show(nobody, a_number(), "123456"), 403, "wrong-code")
    problem(show(nobody, a_number(), "123456"), 429, "too-many-attempts")
    right = given(engine, settings, number)
    for guess in range(1, codes.TRIES):
        problem(show(nobody, number, f"{(int(right) + guess) % 10**6:06}"), 403, "wrong-code")
    assert show(nobody, number, right).status_code == 200, "this browser pays with the tries of its code"


def test_guesses_at_one_number_are_limited_to_fifteen_an_hour(
    app: FastAPI, engine: Engine, settings: Settings, number: str
) -> None:
    for which in range(1, 6):
        page = TestClient(app, raise_server_exceptions=False, client=(f"192.0.2.{which}", 50000))
        assert ask(page, number).status_code == (202 if which <= 3 else 429)
        right = int(given(engine, settings, number))
        for guess in range(8):
            problem(show(page, number, f"{(right + 1 + guess) % 10**6:06}"), 403, "wrong-code")
    with reading(engine) as session:
        assert sum(session.scalars(select(CitizenCode.tries))) == 15


def test_guesses_by_strangers_do_not_lock_out_the_owner(
    app: FastAPI, engine: Engine, settings: Settings, number: str, nobody: TestClient
) -> None:
    def stranger(which: int) -> TestClient:
        return TestClient(app, raise_server_exceptions=False, client=(f"192.0.2.{which}", 50000))

    assert ask(nobody, number).status_code == 202
    code = given(engine, settings, number)
    for which in (1, 2):
        page = stranger(which)
        problem(show(page, number, code), 403, "wrong-code")
        assert ask(page, number).status_code == 202
        for _ in range(6):
            problem(show(page, number, "x"), 403, "wrong-code")
    assert show(nobody, number, code).status_code == 200
    nobody.delete(f"{MY}/sessions/current")

    problem(ask(stranger(3), number), 429, "too-many-codes")
    assert ask(nobody, number).status_code == 202, "it signed in here before"
    assert show(nobody, number, given(engine, settings, number)).status_code == 200
    nobody.delete(f"{MY}/sessions")
    problem(ask(nobody, number), 429, "too-many-codes")


def test_refresh_survives_a_lost_answer_and_detects_a_copy(
    app: FastAPI, citizen: TestClient, engine: Engine
) -> None:
    def with_first_cookies() -> TestClient:
        return TestClient(app, cookies=before)

    with writing(engine) as session:
        session.execute(update(CitizenSession).values(access_until=now(session)))
    problem(citizen.get(MY), 401, "not-signed-in")
    before = dict(citizen.cookies)
    lost = with_first_cookies().post(f"{MY}/sessions/refresh")
    told = citizen.post(f"{MY}/sessions/refresh")
    assert (lost.status_code, told.status_code) == (200, 200)
    assert dict(lost.cookies) == dict(told.cookies) != before
    assert citizen.get(MY).status_code == 200
    with writing(engine) as session:
        session.execute(update(CitizenSession).values(rotated_at=now(session) - 2 * sessions.GRACE))
    problem(with_first_cookies().post(f"{MY}/sessions/refresh"), 401, "not-signed-in")  # it was copied
    problem(citizen.get(MY), 401, "not-signed-in")


def test_app_learns_who_is_signed_in(
    citizen: TestClient, nobody: TestClient, engine: Engine, number: str
) -> None:
    """Also of a session whose access has run out, as after a sign-in on a page without a script."""
    none = nobody.get(f"{MY}/sessions/current")
    assert (none.status_code, none.content) == (204, b"")
    for _ in range(2):
        assert citizen.get(f"{MY}/sessions/current").json()["number"] == format_national(numbers.mask(number))
        with writing(engine) as session:
            session.execute(update(CitizenSession).values(access_until=now(session)))
    assert citizen.delete(f"{MY}/sessions/current").status_code == 204
    assert citizen.get(f"{MY}/sessions/current").status_code == 204


def test_sign_out_ends_this_session_or_all(
    app: FastAPI, citizen: TestClient, engine: Engine, settings: Settings, number: str
) -> None:
    def another() -> TestClient:
        page = TestClient(app, headers={"user-agent": "Mozilla/5.0 (Windows NT 10.0) Firefox/131.0"})
        ask(page, number)
        assert show(page, number, given(engine, settings, number)).status_code == 200
        return page

    second = another()
    listed = citizen.get(f"{MY}/sessions").json()
    assert [(each["browser"], each["current"]) for each in listed] == [
        ("Firefox, Windows", False),
        ("", True),
    ]
    assert second.delete(f"{MY}/sessions/current").status_code == 204
    assert set(second.cookies) == {BROWSER}
    assert second.delete(f"{MY}/sessions/current").status_code == 204, "without one"
    assert citizen.get(MY).status_code == 200
    third = another()
    assert citizen.delete(f"{MY}/sessions").status_code == 204
    for page in (citizen, third):
        problem(page.get(MY), 401, "not-signed-in")
        problem(page.post(f"{MY}/sessions/refresh"), 401, "not-signed-in")


def test_sign_in_of_another_number_ends_the_first_session(
    citizen: TestClient, engine: Engine, settings: Settings
) -> None:
    other = a_number()
    ask(citizen, other)
    show(citizen, other, given(engine, settings, other))
    with reading(engine) as session:
        assert [each.number for each in session.scalars(select(CitizenSession))] == [other]


def test_deletion_from_a_foreign_page_is_refused(citizen: TestClient) -> None:
    answer = citizen.delete(MY, headers={"Sec-Fetch-Site": "cross-site"})
    problem(answer, 403, "foreign-origin")


def test_export_and_deletion_are_confirmed_and_audited(
    citizen: TestClient, engine: Engine, number: str
) -> None:
    with writing(engine) as session:
        registration.register(session, round_id=a_round(session, Phase.OPEN).id, number=number)
    exported = citizen.get(f"{MY}/export")
    assert exported.headers["content-disposition"] == 'attachment; filename="137.json"'
    assert exported.json()["number"] == number and len(exported.json()["places"]) == 1
    problem(citizen.delete(MY), 409, "places-held")
    assert citizen.delete(f"{MY}?give_up=true").status_code == 204
    problem(citizen.get(MY), 401, "not-signed-in")
    with reading(engine) as session:
        assert [place.number for place in session.scalars(select(Registration))] == [""]
        logged = session.scalars(select(AuditEntry).where(AuditEntry.who == "citizen")).all()
    assert {entry.action for entry in logged} == {"citizen-exported", "citizen-deleted"}


def test_old_session_needs_a_new_code_for_export_or_deletion(
    citizen: TestClient, engine: Engine, settings: Settings, number: str
) -> None:
    with writing(engine) as session:
        session.execute(update(CitizenSession).values(created_at=now(session) - sessions.FRESH))
    problem(citizen.get(f"{MY}/export"), 403, "code-due")
    problem(citizen.delete(MY), 403, "code-due")
    assert citizen.post(f"{MY}/sessions/refresh").status_code == 200
    problem(citizen.get(f"{MY}/export"), 403, "code-due")
    assert ask(citizen, number).status_code == 202
    assert show(citizen, number, given(engine, settings, number)).status_code == 200
    assert citizen.get(f"{MY}/export").status_code == 200
    assert citizen.delete(MY).status_code == 204


def test_deleted_citizens_place_has_no_number_for_the_office(
    citizen: TestClient, engine: Engine, number: str, office: TestClient
) -> None:
    with writing(engine) as session:
        round_ = a_round(session, Phase.OPEN)
        place = registration.register(session, round_id=round_.id, number=number).registration_id
    citizen.delete(f"{MY}?give_up=true")
    assert office.get(f"{V1}/registrations/{place}").status_code == 200
    assert office.get(f"{V1}/rounds/{round_.id}/registrations").status_code == 200
    problem(office.get(f"{V1}/citizens/registration/{place}"), 404, "not-found")


def test_explanation_of_a_place_quotes_the_public_ledger(
    citizen: TestClient, engine: Engine, number: str
) -> None:
    with writing(engine) as session:
        round_ = a_round(session, Phase.OPEN)
        mine, other = (
            registration.register(session, round_id=round_.id, number=each).ticket
            for each in (number, a_number())
        )
    told = citizen.get(f"{MY}/places/{mine}").json()
    assert (told["why"], told["waiting"], told["unexplained"]) == ("in-turn", 2, 0)
    public = citizen.get("/public/ledger/entries").text.splitlines()
    assert [public[line["entry"] - 1] for line in told["lines"]] == [line["line"] for line in told["lines"]]
    assert told["lines"] and number not in str(told)
    problem(citizen.get(f"{MY}/places/{other}"), 404, "not-found")
