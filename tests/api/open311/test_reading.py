"""Requests as Open311 tells them: to each what is theirs, in both formats, as the specification has it."""

from datetime import datetime, timedelta
from typing import Any
from xml.etree import ElementTree

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from georeport import GeoReport
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine

from api.open311 import formats
from db.engine import now, writing
from db.models import Request
from db.states import RequestState
from hotline import tickets
from hotline.people.api_keys import Scope
from hotline.requests import closing, lifecycle, work
from hotline.requests.public import publications
from settings import Settings
from tests.api.open311.conftest import FORMATS, REPORT, V2, Issue, _of, _plain, content, errors
from tests.factories import a_department, a_request
from tests.kit.served import served

FIELDS = {
    *("service_request_id", "status", "status_notes", "service_name", "service_code", "description"),
    *("agency_responsible", "service_notice", "requested_datetime", "updated_datetime", "expected_datetime"),
    *("address", "address_id", "zipcode", "lat", "long", "media_url"),
}
"""The fields of the specification, and no others."""


def file(program: TestClient, **more: str) -> str:
    (told,) = program.post(f"{V2}/requests.json", data=REPORT | more).json()
    number: str = told["service_request_id"]
    return number


def seen(client: TestClient, query: str = "", **more: Any) -> list[dict[str, Any]]:
    """Return the requests after checking that both formats agree."""
    as_json, as_xml = (client.get(f"{V2}/requests.{form}{query}", **more) for form in FORMATS)
    assert as_json.status_code == as_xml.status_code == 200, as_json.text
    assert (content(as_json) or None) == content(as_xml)
    told: list[dict[str, Any]] = as_json.json()
    return told


def test_request_shows_each_reader_what_they_may_see(
    program: TestClient, nobody: TestClient, issue: Issue
) -> None:
    number = file(program, address_string="کوی اول")
    (own,) = program.get(f"{V2}/requests/{number}.json").json()
    assert own.keys() == FIELDS
    assert (own["description"], own["address"]) == (REPORT["description"], "کوی اول")
    assert (own["lat"], own["long"]) == (32.65432, 51.66789)
    assert own["status"] == "open" and own["service_code"] == "lighting"
    for name in ("requested_datetime", "updated_datetime", "expected_datetime"):
        assert datetime.fromisoformat(own[name]).utcoffset() == timedelta(hours=3, minutes=30)

    answer = nobody.get(f"{V2}/requests/{number}.json")
    assert answer.headers["cache-control"] == "no-store"
    (told,) = answer.json()
    hidden = {"description": None, "address": None, "lat": None, "long": None}
    assert told == own | hidden
    reader = {"Authorization": f"Bearer {issue(Scope.READ)}"}
    (read,) = nobody.get(f"{V2}/requests/{number}.json", headers=reader).json()
    assert read == own | hidden | {"lat": 32.654, "long": 51.668}
    for form in FORMATS:
        for client in (program, nobody):
            one, listed = (
                client.get(f"{V2}/requests{path}")
                for path in (f"/{number}.{form}", f".{form}?service_request_id={number}")
            )
            assert content(one) == content(listed)


def test_requests_of_others_need_a_reading_api_key(
    program: TestClient, nobody: TestClient, issue: Issue
) -> None:
    number = file(program)
    assert seen(nobody) == []
    reporter = {"Authorization": f"Bearer {issue(Scope.REPORT)}"}
    assert seen(nobody, headers=reporter) == []
    (own,) = nobody.post(f"{V2}/requests.json", data=REPORT, headers=reporter).json()
    listed = [each["service_request_id"] for each in seen(nobody, headers=reporter)]
    assert listed == [own["service_request_id"]]
    assert {each["service_request_id"] for each in seen(program)} == {number, *listed}


def test_released_words_are_read_by_everybody(
    program: TestClient, nobody: TestClient, engine: Engine, issue: Issue
) -> None:
    number = file(program, address_string="کوی اول")
    file(program, description="another")

    def release(*, with_point: bool) -> list[dict[str, Any]]:
        with writing(engine) as session:
            id_ = lifecycle.get_by_tracking(session, number).id
            publications.release(session, id_, text="چراغ", shown=(), with_point=with_point, who="a")
        return seen(nobody)

    (told,) = release(with_point=False)
    assert (told["service_request_id"], told["description"], told["address"]) == (number, "چراغ", None)
    assert (told["lat"], told["long"]) == (None, None)
    (told,) = release(with_point=True)
    assert (told["lat"], told["long"]) == (32.65432, 51.66789)
    other = {"Authorization": f"Bearer {issue(Scope.REPORT)}"}
    assert [each["service_request_id"] for each in seen(nobody, headers=other)] == [number]
    (own,) = program.get(f"{V2}/requests/{number}.json").json()
    assert own["description"] == REPORT["description"]
    with writing(engine) as session:
        publications.withdraw(session, lifecycle.get_by_tracking(session, number).id, who="a")
    assert seen(nobody) == []


def test_state_follows_the_work_of_the_office(program: TestClient, engine: Engine) -> None:
    number = file(program)

    def told(act: Any = None) -> dict[str, Any]:
        if act:
            with writing(engine) as session:
                act(session, lifecycle.get_by_tracking(session, number))
        (one,) = seen(program, f"?service_request_id={number}&lang=en&extensions=true")
        assert one.keys() == FIELDS | {"extended_attributes", "notes"}
        return one

    first = told()
    assert first["extended_attributes"]["detailed_status"] == "new"
    assert [note["type"] for note in first["notes"]] == ["reported"]

    def refer(session: Any, request: Request) -> None:
        work.refer(session, request, a_department(session), who="a", note="secret")

    referred = told(refer)
    assert referred["agency_responsible"] and referred["agency_responsible"] in referred["status_notes"]
    replied = told(lambda session, request: work.reply(session, request, who="a", reply="A new lamp."))
    assert replied["status"] == "open", "until the citizen or time has said yes"
    assert "A new lamp." in replied["status_notes"]
    assert replied["updated_datetime"] >= referred["updated_datetime"] >= first["updated_datetime"]
    closed = told(lambda session, request: closing.answer(session, request.id, solved=True))
    assert closed["status"] == "closed"
    assert [note["type"] for note in closed["notes"]] == ["reported", "referred", "replied", "confirmed"]
    assert "secret" not in str(closed)


def test_duplicate_is_closed_and_names_the_first_request(nobody: TestClient, engine: Engine) -> None:
    with writing(engine) as session:
        duplicate = a_request(session, RequestState.DUPLICATE)
        first = lifecycle.find_original(session, duplicate)
    (told,) = seen(nobody, f"?service_request_id={duplicate.tracking}&extensions=true")
    assert told["status"] == "closed" and first.tracking in told["status_notes"]
    assert told["extended_attributes"]["duplicate_of"] == first.tracking


def test_list_filters_by_span_state_service_and_page(program: TestClient, engine: Engine) -> None:
    with writing(engine) as session:
        at = now(session)
        found = [a_request(session, made_at=at - timedelta(days=day)).tracking for day in (3, 2, 1)]
        closed = a_request(session, RequestState.REJECTED, made_at=at - timedelta(days=4), category=2)

    def numbers(query: str) -> list[str]:
        return [each["service_request_id"] for each in seen(program, query)]

    newest = found[::-1]
    assert numbers("") == [*newest, closed.tracking]
    assert numbers("?status=open") == newest
    assert numbers("?status=closed&service_code=streets,lighting") == [closed.tracking]
    assert numbers("?status=open,closed&page=2&page_size=2") == [found[0], closed.tracking]
    since, until = ((at - timedelta(days=days)).isoformat() for days in (2.5, 1.5))
    assert numbers(f"?start_date={since}&end_date={until}") == [found[1]]  # its plus is not escaped
    assert numbers(f"?start_date={(at - timedelta(days=2)).isoformat().replace('+00:00', 'Z')}") == newest[:2]
    assert numbers("?service_code=nothing") == numbers("?page=9999") == []
    assert numbers(f"?service_request_id={found[2]},{found[0]},{found[2]}&status=closed") == [
        found[2],
        found[0],
    ]


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize(
    "query",
    [
        *("page=0", "page=10000", "page=-1", "page=x", "page_size=0", "page_size=1001", "page_size=1.5"),
        *("status=new", "status=open,new", "status=%00", "service_code=%00", "service_request_id=%00"),
        *("start_date=2026-11-28", "start_date=2026-11-28T00:00:00", "start_date=yesterday"),
        *("start_date=0001-01-01T00:00:00Z", "end_date=9999-12-31T23:59:59-14:00", "start_date=%00"),
        "start_date=2026-01-01T00:00:00Z&end_date=2026-04-02T00:00:00Z",
        "start_date=2026-02-01T00:00:00Z&end_date=2026-01-01T00:00:00Z",
        *(f"service_code={'x' * 2001}", f"start_date={'9' * 41}", f"service_request_id={'1,' * 101}"),
    ],
)
def test_senseless_list_query_is_answered_400(program: TestClient, form: str, query: str) -> None:
    assert errors(program.get(f"{V2}/requests.{form}?{query}"), 400) in ("invalid-input", "span-wrong")


def test_empty_parameters_are_ignored(
    program: TestClient,
) -> None:
    number = file(program)
    empty = "?service_request_id=&service_code=&start_date=&end_date=&status=&page=&page_size=&extensions="
    assert [each["service_request_id"] for each in seen(program, empty)] == [number]


@pytest.mark.parametrize("form", FORMATS)
def test_address_that_guesses_numbers_is_blocked(nobody: TestClient, program: TestClient, form: str) -> None:
    number = file(program)
    for wrong in ("123456789", "x", "%E2%80%AE"):
        assert errors(nobody.get(f"{V2}/requests/{wrong}.{form}"), 404) == "not-found"
    guesses = [n for n in (f"{n:09}" for n in range(200)) if tickets.is_tracking(n) and n != number][:10]
    for some in (guesses[:4], guesses[4:]):
        asked = f"{V2}/requests.{form}?service_request_id={','.join(some)}"
        assert content(nobody.get(asked)) in (None, [])
    assert errors(nobody.get(f"{V2}/requests/{number}.{form}"), 429) == "too-many-attempts"
    assert program.get(f"{V2}/requests/{number}.{form}").status_code == 200, "it may read all"


# Both formats, and strangers' programs

_TEXTS = st.text(st.characters(codec="utf-8"), max_size=30)
_VALUES = st.one_of(st.none(), st.booleans(), st.integers(), _TEXTS)


@given(
    st.lists(st.dictionaries(st.sampled_from(sorted(FIELDS)), _VALUES, max_size=5), min_size=1, max_size=4)
)
def test_xml_answer_parses_to_the_same_as_json(
    rows: list[dict[str, Any]],
) -> None:
    fit = formats._fit(rows)
    parsed = ElementTree.fromstring(formats.write_xml("service_requests", fit))
    told = [_of(child) for child in parsed]
    assert told == [_plain(row) or None for row in fit]


@pytest.mark.parametrize("form", FORMATS)
def test_foreign_client_library_reads_everything(
    program: TestClient, issue: Issue, settings: Settings, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    numbers = [file(program), file(program, description="another")]
    with served(settings) as url:
        address = url.replace("http://", f"http://key:{issue()}@") + V2
        client = GeoReport(address, jurisdiction="isfahan.ir", output_format=form)
        assert {each["service_code"] for each in client.get_service_list()} > {"lighting", "streets"}
        assert client.get_service_definition("lighting")["service_code"] == "lighting"
        found = client.get_service_requests(status="open", service_code="lighting")
        assert {each["service_request_id"] for each in found} == set(numbers)
        assert client.get_service_request(numbers[0])["service_code"] == "lighting"
        at_once = client.get_service_requests(service_request_id=",".join(numbers))
        assert [each["service_request_id"] for each in at_once] == numbers
        anybody = GeoReport(url + V2, output_format=form)
        assert anybody.get_service_request(numbers[1])["status"] == "open"


def test_openapi_document_lists_both_formats_and_errors(app: FastAPI) -> None:
    paths = {path: methods for path, methods in app.openapi()["paths"].items() if path.startswith("/open311")}
    assert len(paths) == 6
    told = [operation["responses"] for methods in paths.values() for operation in methods.values()]
    for responses in told:
        for name in responses.keys() - {"422"}:
            assert responses[name]["content"].keys() == {"application/json", "text/xml"}, (name, responses)
    form = paths[f"{V2}/requests.{{format}}"]["post"]["requestBody"]["content"]
    assert form.keys() == {"application/x-www-form-urlencoded"}
