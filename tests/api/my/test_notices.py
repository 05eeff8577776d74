"""How a citizen is told, over the wire: chosen, switched on at a browser, and refused."""

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from hotline.citizens import vapid
from settings import Settings
from tests.api.answers import V1, problem
from tests.api.my.signing_in import page_of
from tests.factories import a_number
from tests.kit.push_service import HOST, Subscribed

MINE = Subscribed()
BROWSER = {"endpoint": MINE.endpoint, "p256dh": MINE.p256dh, "auth": MINE.auth}


@pytest.fixture
def settings(settings: Settings) -> Settings:
    city = {"push_key": vapid.make_key(), "push_contact": "mailto:it@city.example", "push_services": (HOST,)}
    return settings.model_copy(update=city)


@pytest.fixture
def citizen(app: FastAPI, engine: Engine, settings: Settings) -> TestClient:
    return page_of(app, engine, settings, a_number())


def test_chosen_notices_and_subscription_are_shown(
    citizen: TestClient, app: FastAPI, engine: Engine, settings: Settings
) -> None:
    before = citizen.get(f"{V1}/my/notices").json()
    assert (before["push_key"], before["here"]) == (vapid.find_public_key(settings), False)
    assert settings.push_key not in str(before)
    assert all(each["push"] and each["text"] for each in before["topics"])
    chosen = {"topic": "followed", "push": True, "text": False}
    assert chosen in citizen.put(f"{V1}/my/notices", json=chosen).json()["topics"]
    assert citizen.put(f"{V1}/my/push", json=BROWSER).json()["here"]
    stranger = page_of(app, engine, settings, a_number())
    assert stranger.get(f"{V1}/my/notices").json() == before
    assert citizen.delete(f"{V1}/my/push").status_code == 204
    assert not citizen.get(f"{V1}/my/notices").json()["here"]


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"endpoint": "https://127.0.0.1/a"}, (422, "push-address")),
        ({"endpoint": f"https://{HOST}:22/a"}, (422, "push-address")),
        ({"p256dh": "AAAA"}, (422, "push-keys")),
        ({"auth": "A" * 23}, (422, "invalid-input")),
    ],
)
def test_faulty_subscription_is_refused_by_field(
    citizen: TestClient, wrong: dict[str, str], told: tuple[int, str]
) -> None:
    problem(citizen.put(f"{V1}/my/push", json=BROWSER | wrong), *told)


def test_subscription_without_a_push_key_is_not_found(
    app: FastAPI, citizen: TestClient, settings: Settings
) -> None:
    off = settings.model_copy(update={"push_key": ""})
    app.state.settings = off  # type: ignore[attr-defined]
    assert citizen.get(f"{V1}/my/notices").json()["push_key"] == ""
    problem(citizen.put(f"{V1}/my/push", json=BROWSER), 404, "push-off")
