"""Requests nearby, and following them, by the API."""

import json
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from db.engine import writing
from db.states import RequestState
from settings import Settings
from tests.api.answers import V1, problem
from tests.api.my.signing_in import page_of
from tests.factories import a_number, a_request

NEAR = f"{V1}/my/requests/near"
HERE = {"latitude": 32.65, "longitude": 51.67}


@pytest.fixture
def number() -> str:
    return a_number()


@pytest.fixture
def mine(app: FastAPI, engine: Engine, settings: Settings, number: str) -> TestClient:
    return page_of(app, engine, settings, number)


def asked(**more: Any) -> dict[str, Any]:
    return {"category": 1, "lat": 32.65, "lon": 51.67} | more


def test_nearby_request_is_shown_without_words_and_followable(
    mine: TestClient, engine: Engine, number: str
) -> None:
    with writing(engine) as session:
        own = a_request(session, number=number, **HERE)
        other = a_request(session, written="خانهٔ خانم الف", place="کوچهٔ ب", **HERE)
        own_tracking, tracking, theirs = own.tracking, other.tracking, other.number
    answer = mine.get(NEAR, params=asked())
    found = answer.json()
    assert [(each["tracking"], each["mine"], each["followed"]) for each in found] == [
        (tracking, False, False),
        (own_tracking, True, False),
    ]
    assert found[0].keys() == {
        *("tracking", "category_fa", "category_en", "district", "reported_on", "state"),
        *("metres", "mine", "followed"),
    }
    assert found[0]["metres"] == 10
    for secret in ("خانم", "کوچه", str(theirs), "51.67"):
        assert secret not in json.dumps(found, ensure_ascii=False)
    path = f"{V1}/my/requests/{tracking}/follow"
    for _ in range(2):
        assert mine.post(path, json={}).json()["tracking"] == tracking
    assert mine.get(NEAR, params=asked()).json()[0]["followed"]
    (followed,) = mine.get(f"{V1}/my/requests/followed").json()
    assert (followed["tracking"], followed["state"], followed["reply"]) == (tracking, "new", "")
    problem(mine.get(f"{V1}/my/requests/{tracking}"), 404, "not-found")
    for deed, body in (("confirm", {}), ("object", {"reason": "نه"})):
        problem(mine.post(f"{V1}/my/requests/{tracking}/{deed}", json=body), 404, "not-found")
    assert mine.delete(path).status_code == 204
    assert mine.get(f"{V1}/my/requests/followed").json() == []
    problem(mine.post(f"{V1}/my/requests/{own_tracking}/follow", json={}), 409, "follow-own")


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"lat": "nan"}, "invalid-input"),
        ({"lat": "inf"}, "invalid-input"),
        ({"lat": 91}, "invalid-input"),
        ({"lon": "x"}, "invalid-input"),
        ({"category": 2**31}, "invalid-input"),
        ({"category": "1 OR 1=1"}, "invalid-input"),
        ({"lat": 90, "lon": 0}, "place-outside"),
        ({"lat": 35.7, "lon": 51.4}, "place-outside"),
        ({"category": 404}, "category-inactive"),
    ],
)
def test_hostile_location_is_refused_with_its_code(
    mine: TestClient, wrong: dict[str, Any], code: str
) -> None:
    answer = mine.get(NEAR, params=asked(**wrong))
    problem(answer, 422 if code == "invalid-input" else 409, code)


@pytest.mark.parametrize("tracking", ["0", "x", "1234567890", "۱۲۳", "-1"])
def test_unknown_request_number_cannot_be_followed(mine: TestClient, tracking: str) -> None:
    for answer in (
        mine.post(f"{V1}/my/requests/{tracking}/follow", json={}),
        mine.delete(f"{V1}/my/requests/{tracking}/follow"),
    ):
        assert answer.status_code in (404, 422), answer.text


def test_search_all_over_the_city_is_rate_limited(mine: TestClient) -> None:
    answers = [mine.get(NEAR, params=asked(lat=32.6 + step / 1000)) for step in range(41)]
    assert [each.status_code for each in answers] == [200] * 40 + [429]
    assert int(answers[-1].headers["Retry-After"]) > 0


def test_closed_request_cannot_be_followed(mine: TestClient, engine: Engine) -> None:
    with writing(engine) as session:
        tracking = a_request(session, RequestState.CLOSED).tracking
    problem(mine.post(f"{V1}/my/requests/{tracking}/follow", json={}), 409, "wrong-state")
