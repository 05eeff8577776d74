"""Where the citizens' app is, how browsers keep it, how small it is, and what it asks before any sign-in."""

import gzip
import re

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from api.app import create
from api.citizens_app import APP
from db.engine import writing
from db.models import Category
from settings import Settings, SettingsError, load
from tests.api.answers import V1
from tests.factories import a_round

LIMIT = 150_000
"""Bytes of a first visit, as they cross the network: all parts of the app, its look and its letters."""
LOOK = (
    "/public/static/public.css",
    "/public/city.css",
    "/assets/girih.svg",
    "/assets/Vazirmatn-FD-NL-Regular.woff2",
    "/assets/Vazirmatn-FD-NL-Bold.woff2",
)
FINGERPRINT = ":".join(["0A"] * 32)


@pytest.fixture
def anybody(settings: Settings, engine: Engine) -> TestClient:
    return TestClient(create(settings), headers={"Accept-Encoding": "br, gzip"})


@pytest.mark.parametrize(
    "path", ["", "/", "/report", "/requests/123456789", "/rounds", "/sign-in", "/account"]
)
def test_given_an_address_of_the_app_when_opened_then_it_is_the_app_that_may_ask_where_it_is(
    anybody: TestClient, path: str
) -> None:
    answer = anybody.get(f"/my{path}")
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-cache")
    assert '<div id="app">' in answer.text and "گزارش‌های شهری من" in answer.text
    assert "geolocation=(self)" in answer.headers["permissions-policy"]
    assert "unsafe" not in answer.headers["content-security-policy"]


@pytest.mark.parametrize("path", ["/nothing", "/requests/x", "/../secret", "/assets/nothing-abcdefgh.js"])
def test_given_an_address_below_the_app_that_it_has_not_when_opened_then_it_is_not_found(
    anybody: TestClient, path: str
) -> None:
    assert anybody.get(f"/my{path}").status_code == 404


def test_given_the_app_when_all_of_it_is_fetched_then_it_is_small_and_comes_from_here(
    anybody: TestClient,
) -> None:
    page = anybody.get("/my").text
    asked = [each for each in re.findall(r'(?:src|href)="([^"]+)"', page) if each != "tel:137"]
    assert all(address.startswith("/") and not address.startswith("//") for address in asked)
    parts = [f"/my/assets/{file.name}" for file in (APP / "assets").glob("*") if file.suffix != ".br"]
    size = len(gzip.compress(page.encode()))
    for address in (*LOOK, *parts):
        answer = anybody.get(address)
        assert answer.status_code == 200, address
        size += int(answer.headers.get("content-length", 0)) or len(gzip.compress(answer.content))
        if address in parts:
            assert "immutable" in answer.headers["cache-control"]
    assert {address for address in asked if "/my/assets/" in address} <= set(parts)
    assert 60_000 < size < LIMIT, size


def test_given_the_worker_when_it_is_asked_for_then_it_may_look_after_the_app_and_is_never_old(
    anybody: TestClient,
) -> None:
    answer = anybody.get("/my/sw.js")
    assert (answer.headers["service-worker-allowed"], answer.headers["cache-control"]) == ("/my", "no-cache")
    assert all(f'"{address}"' in answer.text for address in LOOK)
    manifest = anybody.get("/my/manifest.webmanifest").json()
    assert (manifest["start_url"], manifest["scope"], manifest["display"]) == ("/my", "/my", "standalone")
    assert all(anybody.get(icon["src"]).headers["content-type"] == "image/png" for icon in manifest["icons"])


def test_given_a_category_out_of_use_when_the_app_asks_what_can_be_reported_then_it_is_not_offered(
    anybody: TestClient, engine: Engine
) -> None:
    with writing(engine) as session:
        gone = session.get_one(Category, 2)
        gone.active = False
        session.get_one(Category, 3).questions = [{"fa": "کجا؟", "en": "Where?"}]
    offered = {each["id"]: each for each in anybody.get(f"{V1}/my/categories").json()}
    assert 2 not in offered
    assert offered[3]["questions"] == [{"fa": "کجا؟", "en": "Where?"}]
    assert offered[1]["solve"]["amount"] > 0


def test_given_a_round_before_its_notice_when_the_app_asks_for_rounds_then_only_announced_ones_are_told(
    anybody: TestClient, engine: Engine
) -> None:
    with writing(engine) as session:
        announced = a_round(session).id
    (told,) = anybody.get(f"{V1}/my/rounds").json()
    assert (told["id"], told["who_fa"] != "") == (announced, True)


def test_given_no_store_when_asked_which_app_is_ours_then_none_is(anybody: TestClient) -> None:
    assert anybody.get("/.well-known/assetlinks.json").status_code == 404


def test_given_a_stores_package_when_asked_which_app_is_ours_then_its_certificate_is_told(
    settings: Settings,
) -> None:
    ours = settings.model_copy(update={"android_app": f"ir.example.app {FINGERPRINT}"})
    (link,) = TestClient(create(ours)).get("/.well-known/assetlinks.json").json()
    assert link["target"]["package_name"] == "ir.example.app"
    assert link["target"]["sha256_cert_fingerprints"] == [FINGERPRINT]


def test_given_a_package_without_a_certificate_when_settings_are_read_then_it_is_refused() -> None:
    with pytest.raises(SettingsError, match="HOTLINE_ANDROID_APP"):
        load(_env_file=None, android_app="ir.example.app")
