"""A citizen wishes by the API to know of an office's next round."""

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from db.engine import writing
from settings import Settings
from tests.api.answers import V1, problem
from tests.api.my.signing_in import page_of
from tests.factories import a_number, an_official

WISHES = f"{V1}/my/wishes"


@pytest.fixture
def mine(app: FastAPI, engine: Engine, settings: Settings) -> TestClient:
    """The page of a citizen."""
    return page_of(app, engine, settings, a_number())


def test_round_alert_wish_is_kept_once_and_withdrawn(mine: TestClient, engine: Engine) -> None:
    with writing(engine) as session:
        office = an_official(session)
    before = mine.get(WISHES).json()
    assert before == [
        {"official_id": office.id, "office_fa": "شهردار", "office_en": "Mayor", "asked_at": None}
    ]
    for _ in range(2):
        assert mine.put(f"{WISHES}/{office.id}", json={}).status_code == 204
    (wished,) = mine.get(WISHES).json()
    assert wished["asked_at"] is not None
    assert mine.delete(f"{WISHES}/{office.id}").status_code == 204
    assert mine.get(WISHES).json() == before
    problem(mine.put(f"{WISHES}/99", json={}), 404, "not-found")
