"""The citizens' app: its addresses, its caching, its size, and its requests before any sign-in."""

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
def test_app_address_may_ask_for_the_location(anybody: TestClient, path: str) -> None:
    answer = anybody.get(f"/my{path}")
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-cache")
    assert '<div id="app">' in answer.text and "گزارش‌های شهری من" in answer.text
    assert "geolocation=(self)" in answer.headers["permissions-policy"]
    assert "unsafe" not in answer.headers["content-security-policy"]


@pytest.mark.parametrize("path", ["/nothing", "/requests/x", "/../secret", "/assets/nothing-abcdefgh.js"])
def test_unknown_app_address_is_not_found(anybody: TestClient, path: str) -> None:
    assert anybody.get(f"/my{path}").status_code == 404


def test_whole_app_is_small_and_local(
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


def test_service_worker_has_its_scope_and_is_never_cached(
    anybody: TestClient,
) -> None:
    answer = anybody.get("/my/sw.js")
    assert (answer.headers["service-worker-allowed"], answer.headers["cache-control"]) == ("/my", "no-cache")
    assert all(f'"{address}"' in answer.text for address in LOOK)
    manifest = anybody.get("/my/manifest.webmanifest").json()
    assert (manifest["start_url"], manifest["scope"], manifest["display"]) == ("/my", "/my", "standalone")
    assert all(anybody.get(icon["src"]).headers["content-type"] == "image/png" for icon in manifest["icons"])


def test_inactive_category_is_not_offered(anybody: TestClient, engine: Engine) -> None:
    with writing(engine) as session:
        gone = session.get_one(Category, 2)
        gone.active = False
        session.get_one(Category, 3).questions = [{"fa": "کجا؟", "en": "Where?"}]
    offered = {each["id"]: each for each in anybody.get(f"{V1}/my/categories").json()}
    assert 2 not in offered
    assert offered[3]["questions"] == [{"fa": "کجا؟", "en": "Where?"}]
    assert offered[1]["solve"]["amount"] > 0


def test_unannounced_round_is_not_listed(anybody: TestClient, engine: Engine) -> None:
    with writing(engine) as session:
        announced = a_round(session).id
    (told,) = anybody.get(f"{V1}/my/rounds").json()
    assert (told["id"], told["who_fa"] != "") == (announced, True)


def test_city_without_an_app_package_links_none(anybody: TestClient) -> None:
    assert anybody.get("/.well-known/assetlinks.json").status_code == 404


def test_app_package_is_linked_with_its_certificate(
    settings: Settings,
) -> None:
    ours = settings.model_copy(update={"android_app": f"ir.example.app {FINGERPRINT}"})
    (link,) = TestClient(create(ours)).get("/.well-known/assetlinks.json").json()
    assert link["target"]["package_name"] == "ir.example.app"
    assert link["target"]["sha256_cert_fingerprints"] == [FINGERPRINT]


def test_app_package_without_a_certificate_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"public\.android_app in city\.toml"):
        load(_env_file=None, android_app="ir.example.app")
