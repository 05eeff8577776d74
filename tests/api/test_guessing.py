"""Strangers who guess ticket and tracking numbers, on every way of the web, and citizens who mistype one."""

from collections.abc import Callable

import httpx
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from api import limits
from db.engine import writing
from db.states import RequestState
from hotline.limits import Bucket
from hotline.people import api_keys
from hotline.people.api_keys import Scope
from hotline.tickets import TRACKING, _whole, draw
from settings import Settings
from tests.api.answers import V1, problem
from tests.api.my.signing_in import page_of
from tests.factories import a_number, a_request, at_once

LIST = "/open311/v2/requests.json"


@pytest.fixture(autouse=True)
def _no_time_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    """No guess comes back with time, however slow the machine is."""
    for name, kind in limits.KINDS.items():
        monkeypatch.setitem(limits.KINDS, name, Bucket(kind.burst, 3600.0))


@pytest.fixture
def stranger(app: FastAPI) -> TestClient:
    return TestClient(app, raise_server_exceptions=False)


@pytest.fixture
def tracking(engine: Engine) -> str:
    with writing(engine) as session:
        return a_request(session, RequestState.CLOSED, tracking=draw(TRACKING)).tracking


def unknown(count: int, but: str) -> list[str]:
    """Tracking numbers that nobody has."""
    some = (_whole(TRACKING, digits) for digits in range(count + 1))
    return [number for number in some if number != but][:count]


def by_page(stranger: TestClient, number: str) -> httpx.Response:
    return stranger.post("/public/number", data={"ticket": number})


def by_open311(stranger: TestClient, number: str) -> httpx.Response:
    return stranger.get(f"/open311/v2/requests/{number}.json")


def by_token(stranger: TestClient, number: str) -> httpx.Response:
    return stranger.get(f"/open311/v2/tokens/{number}.json")


WAYS = pytest.mark.parametrize("ask", [by_page, by_open311, by_token])
Ask = Callable[[TestClient, str], httpx.Response]


@WAYS
def test_guesses_beyond_the_limit_are_refused(stranger: TestClient, tracking: str, ask: Ask) -> None:
    answers = [ask(stranger, number).status_code for number in unknown(40, tracking)]
    assert answers == [404] * limits.BURST + [429] * (40 - limits.BURST)
    assert ask(stranger, tracking).status_code == 429


@pytest.mark.parametrize(("language", "wait"), [("fa", "۶۰ دقیقه دیگر"), ("en", "in 60 minutes")])
def test_refused_guess_says_when_and_where_else(
    stranger: TestClient, tracking: str, language: str, wait: str
) -> None:
    for number in unknown(limits.BURST, tracking):
        by_page(stranger, number)
    page = stranger.post(f"/public/number?lang={language}", data={"ticket": tracking})
    assert 3_000 < int(page.headers["Retry-After"]) <= 3_600
    alert = page.text.partition('role="alert"')[2].partition("</p>")[0]
    assert wait in alert and ("۱۳۷" if language == "fa" else "137") in alert
    assert int(by_open311(stranger, tracking).headers["Retry-After"]) > 3_000


def test_signed_in_citizen_does_not_pay_for_neighbours(
    app: FastAPI, stranger: TestClient, engine: Engine, settings: Settings, tracking: str
) -> None:
    for number in unknown(limits.BURST, tracking):
        by_page(stranger, number)
    assert by_page(stranger, tracking).status_code == 429
    citizen = page_of(app, engine, settings, a_number())
    answers = [by_page(citizen, number).status_code for number in unknown(limits.BURST + 1, tracking)]
    assert answers == [404] * limits.BURST + [429], "they have guesses of their own, and no more"
    other = page_of(app, engine, settings, a_number())
    assert by_page(other, tracking).status_code == 200


@WAYS
def test_guesses_at_one_moment_are_no_more_than_the_limit(
    stranger: TestClient, tracking: str, ask: Ask
) -> None:
    numbers = unknown(30, tracking)
    answers = at_once(30, lambda which: ask(stranger, numbers[which]).status_code)
    assert sorted({*answers}) == [404, 429]
    assert answers.count(404) <= limits.BURST


@WAYS
def test_numbers_that_are_found_cost_nothing(stranger: TestClient, tracking: str, ask: Ask) -> None:
    assert {ask(stranger, tracking).status_code for _ in range(3 * limits.BURST)} == {200}


@WAYS
def test_slips_of_a_finger_cost_nothing(stranger: TestClient, tracking: str, ask: Ask) -> None:
    slip = tracking[:-1] + str((int(tracking[-1]) + 1) % 10)
    assert 200 not in {ask(stranger, slip).status_code for _ in range(3 * limits.BURST)}
    assert ask(stranger, tracking).status_code == 200


def test_a_list_of_guesses_costs_each_of_them(stranger: TestClient, tracking: str) -> None:
    numbers = [*unknown(99, tracking), tracking]
    assert stranger.get(LIST, params={"service_request_id": ",".join(numbers)}).status_code == 429
    assert by_page(stranger, tracking).status_code == 429, "one limit for all ways"


def test_a_list_of_known_numbers_is_answered(stranger: TestClient, engine: Engine) -> None:
    with writing(engine) as session:
        numbers = [a_request(session, RequestState.CLOSED).tracking for _ in range(25)]
    for _ in range(2):
        answer = stranger.get(LIST, params={"service_request_id": ",".join(numbers)})
        assert [each["service_request_id"] for each in answer.json()] == numbers


def test_a_program_pays_by_its_key(stranger: TestClient, tracking: str, engine: Engine) -> None:
    with writing(engine) as session:
        _, key = api_keys.issue(session, name="app", may=[Scope.REPORT], per_minute=600, who="u")
    headers = {"Authorization": f"Bearer {key}"}
    for number in unknown(limits.BURST, tracking):
        assert by_open311(stranger, number).status_code == 404
    assert stranger.get(f"/open311/v2/requests/{tracking}.json", headers=headers).status_code == 200


def test_lists_without_a_key_are_limited(stranger: TestClient) -> None:
    answers = [stranger.get(LIST).status_code for _ in range(limits.LISTS_BURST + 2)]
    assert answers == [200] * limits.LISTS_BURST + [429] * 2


@pytest.mark.parametrize("method", ["post", "delete"])
def test_following_guessed_numbers_is_refused(
    app: FastAPI, engine: Engine, settings: Settings, tracking: str, method: str
) -> None:
    citizen = page_of(app, engine, settings, a_number())

    def follow(number: str) -> httpx.Response:
        body = {"json": {}} if method == "post" else {}
        return citizen.request(method, f"{V1}/my/requests/{number}/follow", **body)

    numbers = unknown(30, tracking)
    found = follow(tracking).status_code
    answers = [follow(number).status_code for number in numbers]
    assert answers == [404] * limits.FOLLOW_BURST + [429] * (30 - limits.FOLLOW_BURST)
    problem(follow(tracking), 429, "too-many-attempts")
    assert found in (204, 409), "closed, or not followed: it was found, and cost nothing"
