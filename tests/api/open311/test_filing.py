"""Requests that programs file by Open311: once, with a key, whatever comes."""

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine, select

from db.engine import reading, writing
from db.models import AuditEntry, Category, Request, Role
from hotline.people import api_keys
from hotline.people.api_keys import Scope
from tests.api.answers import LONG, V1, As, problem
from tests.api.open311.conftest import FORMATS, REPORT, V2, Issue, content, errors

HOSTILE = "<a>&amp;]]>\x0b\x1b[0m\ufffe\u202e'\"\r\n;--آ👩‍👩‍👧"


def filed(engine: Engine) -> list[Request]:
    with reading(engine) as session:
        return list(session.scalars(select(Request).order_by(Request.id)))


@pytest.mark.parametrize("form", FORMATS)
def test_example_of_the_specification_is_filed_once(program: TestClient, engine: Engine, form: str) -> None:
    body = {
        **REPORT,
        "address_string": "1234 5th street",
        "email": "smit333@example.org",
        "device_id": "tt222111",
        "account_id": "123456",
        "first_name": "john",
        "last_name": "smith",
        "phone": "111111111",
        "media_url": "http://127.0.0.1:9/2212426634_5ed477a060.jpg",
    }
    answer = program.post(f"{V2}/requests.{form}", data=body)
    assert answer.status_code == 201
    (told,) = content(answer)
    assert told.keys() == {"service_request_id", "service_notice", "account_id"}
    assert "بی‌تصویر" in told["service_notice"]
    again = program.post(f"{V2}/requests.{form}", data=body)
    assert again.status_code == 200 and content(again) == [told]
    (request,) = filed(engine)
    assert (request.tracking, request.number, request.contact) == (
        *(told["service_request_id"], None),
        "111111111",
    )
    assert (request.written, request.place) == (REPORT["description"], "1234 5th street")
    assert (request.latitude, request.longitude) == (32.65432, 51.66789)
    kept = str({column: value for column, value in vars(request).items() if column != "_sa_instance_state"})
    assert not any(word in kept for word in ("smit333", "tt222111", "john", "123456'", "2212426634"))


def test_idempotency_key_recovers_a_lost_answer(program: TestClient, issue: Issue) -> None:
    key = {"Idempotency-Key": "0190-outbox-7"}
    (first,) = program.post(f"{V2}/requests.json", data=REPORT, headers=key).json()
    changed = program.post(f"{V2}/requests.xml", data={**REPORT, "description": "x"}, headers=key)
    assert errors(changed, 400) == "key-reused"
    number = first["service_request_id"]
    for form in FORMATS:
        (told,) = content(program.get(f"{V2}/tokens/0190-outbox-7.{form}"))
        assert told == {"service_request_id": number, "token": "0190-outbox-7"}
        assert content(program.get(f"{V2}/tokens/{number}.{form}")) == [
            {"service_request_id": number, "token": number}
        ]
        assert errors(program.get(f"{V2}/tokens/0190-outbox-8.{form}"), 404) == "not-found"
        another = {"Authorization": f"Bearer {issue()}"}
        assert errors(program.get(f"{V2}/tokens/0190-outbox-7.{form}", headers=another), 404) == "not-found"
    short = program.post(f"{V2}/requests.json", data=REPORT, headers={"Idempotency-Key": "x"})
    assert errors(short, 400) == "invalid-input"


def test_answered_questions_stand_in_the_words(program: TestClient, engine: Engine) -> None:
    with writing(engine) as session:
        session.get_one(Category, 2).questions = [{"fa": "کدام تیر؟", "en": "Which pole?"}] * 2
    body = {**REPORT, "attribute[q2]": ["one", "two"], "attribute[q1]": " "}
    assert program.post(f"{V2}/requests.json?lang=en", data=body).status_code == 201
    assert filed(engine)[0].written == f"{REPORT['description']}\n\nWhich pole?\none, two"
    body = {**REPORT, "attribute[q1][]": ["three"], "attribute[q2][]": ["a", "b"]}
    assert program.post(f"{V2}/requests.json?lang=en", data=body).status_code == 201
    assert filed(engine)[1].written.endswith("Which pole?\nthree\n\nWhich pole?\na, b")
    for unasked in ("attribute[q3]", "attribute[\n]"):
        told = program.post(f"{V2}/requests.json", data={**REPORT, unasked: "x"})
        assert errors(told, 400) == "answers-unasked"


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"service_code": None}, 400, "invalid-input"),
        ({"service_code": " "}, 400, "invalid-input"),
        ({"service_code": "nothing"}, 404, "service-unknown"),
        ({"service_code": LONG}, 404, "service-unknown"),
        ({"lat": None, "long": None}, 400, "place-missing"),
        ({"lat": None}, 400, "invalid-input"),
        ({"long": ""}, 400, "invalid-input"),
        ({"lat": "x"}, 400, "invalid-input"),
        ({"lat": "nan"}, 400, "invalid-input"),
        ({"lat": "1e999"}, 400, "invalid-input"),
        ({"lat": "32,65"}, 400, "invalid-input"),
        ({"lat": "35.7", "long": "51.4"}, 400, "place-outside"),
        ({"lat": "-91"}, 400, "place-outside"),
        ({"lat": None, "long": None, "address_id": "7"}, 400, "invalid-input"),
        ({"address_string": "x" * 301}, 400, "place-long"),
        ({"description": "x" * 4001}, 400, "text-long"),
        ({"description": "\0"}, 400, "invalid-input"),
        ({"\0": "x"}, 400, "invalid-input"),
        ({f"x{n}": "x" for n in range(100)}, 400, "invalid-input"),
    ],
)
def test_invalid_request_gets_an_error_of_the_specification(
    program: TestClient, engine: Engine, form: str, body: dict[str, str | None], status: int, code: str
) -> None:
    wanted = {name: value for name, value in (REPORT | body).items() if value is not None}
    told = program.post(f"{V2}/requests.{form}", data=wanted)
    assert errors(told, status) == code
    assert len(told.content) < 500, "what was sent is not repeated"
    assert filed(engine) == []


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", b"{}"),
        ("multipart/form-data; boundary=x", b"--x--"),
        ("", b"service_code=lighting"),
        ("application/x-www-form-urlencoded", b"service_code=\xff"),
        ("application/x-www-form-urlencoded", b"service_code=%ff"),
    ],
)
def test_body_of_another_type_is_refused(program: TestClient, form: str, kind: str, body: bytes) -> None:
    told = program.post(f"{V2}/requests.{form}", content=body, headers={"Content-Type": kind})
    assert errors(told, 400) == "invalid-input"


def test_hostile_words_are_cleaned_in_both_formats(program: TestClient, engine: Engine) -> None:
    body = {**REPORT, "description": HOSTILE, "address_string": HOSTILE, "phone": HOSTILE}
    assert program.post(f"{V2}/requests.xml", data=body).status_code == 201
    number = filed(engine)[0].tracking
    as_json, as_xml = (program.get(f"{V2}/requests/{number}.{form}") for form in FORMATS)
    assert content(as_json) == content(as_xml)
    (told,) = as_json.json()
    assert told["description"] == told["address"] == "<a>&amp;]]>\n[0m'\"\n;--آ👩‍👩‍👧"


def test_number_sent_by_a_program_is_masked(program: TestClient, engine: Engine, as_role: As) -> None:
    assert program.post(f"{V2}/requests.json", data={**REPORT, "phone": "09130137137"}).status_code == 201
    (request,), page = filed(engine), as_role(Role.OPERATOR)
    detail = page.get(f"{V1}/requests/{request.id}").json()
    assert detail["request"]["number"] is None
    assert detail["brought_by"] == {"program": "An app", "contact": "09…37"}
    problem(page.get(f"{V1}/citizens/request/{request.id}"), 404, "not-found")
    shown = page.post(f"{V1}/citizens/request/{request.id}/number")
    assert shown.json() == {"number": "09130137137"}
    with reading(engine) as session:
        said = select(AuditEntry).where(AuditEntry.action == "number-shown")
        assert [entry.subject for entry in session.scalars(said)] == [f"request {request.id}"]


# Keys


@pytest.mark.parametrize("form", FORMATS)
def test_missing_or_unfit_api_key_is_answered_403(
    nobody: TestClient, issue: Issue, engine: Engine, form: str
) -> None:
    url = f"{V2}/requests.{form}"
    assert errors(nobody.post(url, data=REPORT), 403) == "key-missing"
    assert errors(nobody.post(url, data={**REPORT, "api_key": ""}), 403) == "key-missing"
    assert errors(nobody.post(url, data={**REPORT, "api_key": "h137_x"}), 403) == "key-unknown"
    assert errors(nobody.post(url, data={**REPORT, "api_key": issue(Scope.READ)}), 403) == "key-may-not"
    assert filed(engine) == []
    right = issue(Scope.REPORT)
    assert nobody.post(url, data={**REPORT, "api_key": right}).status_code == 201
    assert nobody.post(f"{url}?api_key={right}", data=REPORT).status_code == 200
    assert nobody.post(url, data=REPORT, auth=("key", right)).status_code == 200
    assert nobody.post(url, data=REPORT, auth=(right, "")).status_code == 200
    assert nobody.post(url, data=REPORT, headers={"Authorization": f"bearer {right}"}).status_code == 200
    for wrong in ("Basic x", "Basic =", "Basic /w==", "Bearer"):
        told = nobody.post(url, data=REPORT, headers={"Authorization": wrong})
        assert errors(told, 403) in ("key-unknown", "key-missing")


def test_revoked_api_key_is_refused_at_once(nobody: TestClient, issue: Issue, engine: Engine) -> None:
    key = issue()
    listed = f"{V2}/requests.json?api_key={key}"
    assert nobody.get(listed).status_code == 200
    with writing(engine) as session:
        api_keys.revoke(session, key.split("_")[1], who="admin")
    assert errors(nobody.get(listed), 403) == "key-unknown"
    assert errors(nobody.post(f"{V2}/requests.xml", data={**REPORT, "api_key": key}), 403) == "key-unknown"


def test_exhausted_api_key_is_told_when_to_retry(nobody: TestClient, issue: Issue) -> None:
    key = issue(per_minute=1)
    answers = [nobody.get(f"{V2}/requests.xml?api_key={key}") for _ in range(3)]  # a minute may end meanwhile
    refused = [answer for answer in answers if answer.status_code != 200]
    assert refused
    assert errors(refused[0], 429) == "key-too-often"
    assert 1 <= int(refused[0].headers["Retry-After"]) <= 60


def test_address_that_guesses_api_keys_is_blocked(app: FastAPI, nobody: TestClient, issue: Issue) -> None:
    told = [nobody.get(f"{V2}/requests.json?api_key=h137_{n}") for n in range(21)]
    assert {answer.status_code for answer in told[:20]} == {403}
    assert errors(told[20], 429) == "too-many-attempts"
    assert told[20].headers["Retry-After"]
    assert nobody.get(f"{V2}/requests.json?api_key={issue()}").status_code == 200, "nobody guesses a key"
    assert nobody.get(f"{V2}/services.json").status_code == 200
