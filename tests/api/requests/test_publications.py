"""The office releases a request, and everybody sees just that."""

import csv
import io
import re
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from api.public import map_page
from db.engine import writing
from db.models import Request, Role
from db.states import RequestState
from hotline.requests.public import publications
from settings import Settings
from tests.api.answers import V1, As, problem
from tests.api.my.signing_in import page_of
from tests.api.public.public_pages import CITY, Read
from tests.factories import a_number, a_request
from tests.kit import picture_files as files

BESIDE = {"left": 300, "top": 0, "width": 21, "height": 9}
HOSTILE = "=cmd|' /C calc'!A0 <img src=x onerror=alert(1)>"


@pytest.fixture
def reported(app: FastAPI, engine: Engine, settings: Settings) -> dict[str, Any]:
    """A report with two pictures and a point, in words that are nobody's business."""
    mine = page_of(app, engine, settings, a_number())
    shown = [mine.post(f"{V1}/my/pictures", content=files.jpeg()).json()["id"] for _ in range(2)]
    said = {"category": 2, "text": "راز من", "place": "خانهٔ من", "pictures": shown, "district": 5}
    said |= {"latitude": 32.612345, "longitude": 51.654321}
    tracking = mine.post(f"{V1}/my/requests", json=said, headers={"Idempotency-Key": "key-00001"}).json()
    return {"tracking": tracking["tracking"], "pictures": shown, "id": 1}


def test_released_request_shows_in_list_table_and_map(
    office: TestClient, citizen: TestClient, reported: dict[str, Any], settings: Settings
) -> None:
    first, second = reported["pictures"]
    path = f"{V1}/requests/{reported['id']}/release"
    assert office.get(path).json() is None
    assert citizen.get(f"/public/requests/pictures/{first}").status_code == 404
    face = {"left": 20, "top": 30, "width": 40, "height": 50}
    seen = office.post(f"{V1}/requests/1/pictures/{first}/hidden", json={"hidden": [face]})
    assert (seen.status_code, seen.headers["content-type"]) == (200, "image/jpeg")
    original = (settings.pictures_dir / f"{first}.jpg").read_bytes()
    chosen = [{"id": first, "hidden": [face]}]
    body = {"text": HOSTILE, "pictures": chosen, "with_point": True}
    assert office.post(path, json=body).status_code == 204
    released = office.get(path).json()
    assert (released["text"], released["pictures"], released["with_point"]) == (HOSTILE, chosen, True)

    for language in ("", "?lang=en"):
        html = citizen.get(f"/public/requests/map{language}").text
        assert "<img src=x" not in html and "راز" not in html and "خانهٔ من" not in html
        images = [str(each["src"]) for each in Read(html).all("img")]
        (copy,) = [each.removeprefix("/public/requests/pictures/") for each in images]
    shown = citizen.get(f"/public/requests/pictures/{copy}")
    assert (shown.status_code, shown.headers["content-type"]) == (200, "image/jpeg")
    assert shown.content == seen.content != original
    assert (settings.pictures_dir / f"{first}.jpg").read_bytes() == original
    assert "sandbox" in shown.headers["Content-Security-Policy"]
    assert shown.headers["Cache-Control"] == "public, max-age=60"
    for each in (first, second):
        assert citizen.get(f"/public/requests/pictures/{each}").status_code == 404

    found = citizen.get("/public/requests/map.geojson")
    assert found.headers["content-type"] == "application/geo+json"
    assert "license" in found.headers["Link"]
    (feature,) = found.json()["features"]
    assert feature["geometry"] == {"type": "Point", "coordinates": [51.6543, 32.6123]}
    assert feature["properties"]["number"] == reported["tracking"]
    assert feature["properties"]["pictures"] == [f"{CITY}/public/requests/pictures/{copy}"]
    found = citizen.get(f"/open311/v2/requests/{reported['tracking']}.json").json()
    assert found[0]["media_url"] == f"{CITY}/public/requests/pictures/{copy}"
    (row,) = csv.DictReader(io.StringIO(citizen.get("/public/requests/map.csv").text.lstrip("\ufeff")))
    assert row["text"] == f"'{HOSTILE}" and row["latitude"] == "32.6123"

    assert office.post(path, json={"text": "چراغ"}).status_code == 204
    found = citizen.get(f"/open311/v2/requests/{reported['tracking']}.json").json()
    assert found[0]["media_url"] is None
    assert citizen.get(f"/public/requests/pictures/{copy}").status_code == 404
    assert not (settings.pictures_dir / f"{copy}.jpg").exists(), "gone at once"
    assert citizen.get("/public/requests/map.geojson").json()["features"][0]["geometry"] is None
    assert office.delete(path).status_code == 204
    assert citizen.get("/public/requests/map.geojson").json()["features"] == []
    assert office.get(path).json() is None


def test_release_by_others_or_with_faults_is_refused(
    as_role: As, office: TestClient, reported: dict[str, Any], settings: Settings
) -> None:
    first = reported["pictures"][0]
    path = f"{V1}/requests/{reported['id']}/release"
    for role in (Role.OPERATOR, Role.AUDITOR, Role.OFFICIAL):
        problem(as_role(role).post(path, json={"text": "چراغ"}), 403, "forbidden")
    for body, status, code in (
        ({"text": ""}, 422, "invalid-input"),
        ({"text": "آ" * 501}, 422, "invalid-input"),
        ({"text": "09131234567"}, 409, "reason-personal"),
        ({"text": "چراغ", "pictures": [{"id": "../etc/passwd"}]}, 422, "invalid-input"),
        ({"text": "چراغ", "pictures": [{"id": "0" * 32}]}, 409, "picture-unknown"),
        ({"text": "چراغ", "pictures": [{"id": first, "hidden": [BESIDE]}]}, 422, "area-outside"),
        ({"text": "چراغ", "pictures": [{"id": first, "hidden": [BESIDE] * 41}]}, 422, "invalid-input"),
        ({"text": "09131234567", "pictures": [{"id": first}]}, 409, "reason-personal"),
    ):
        problem(office.post(path, json=body), status, code)
    hidden = f"{V1}/requests/{reported['id']}/pictures/{first}/hidden"
    problem(office.post(hidden, json={"hidden": [BESIDE]}), 422, "area-outside")
    problem(as_role(Role.OPERATOR).post(hidden, json={"hidden": []}), 403, "forbidden")
    assert len(list(settings.pictures_dir.iterdir())) == 2, "nothing is left of what was refused"
    problem(office.post(f"{V1}/requests/404404/release", json={"text": "چراغ"}), 404, "not-found")


@pytest.mark.parametrize(
    "query", ["district=99", "district=x", "before=-1", "before=%00", f"before={'9' * 99}"]
)
def test_hostile_map_address_shows_the_whole_city(
    citizen: TestClient, office: TestClient, reported: dict[str, Any], query: str
) -> None:
    office.post(f"{V1}/requests/{reported['id']}/release", json={"text": "چراغ خاموش"})
    answer = citizen.get(f"/public/requests/map?{query}")
    assert answer.status_code == 200 and "چراغ خاموش" in answer.text


def test_map_says_that_it_counts_released_reports_only(
    citizen: TestClient, office: TestClient, reported: dict[str, Any], engine: Engine
) -> None:
    with writing(engine) as session:
        session.get_one(Request, reported["id"]).district = 5
        a_request(session, RequestState.NEW, district=5)  # unsolved, and not released
    office.post(f"{V1}/requests/{reported['id']}/release", json={"text": "چراغ خاموش"})
    persian = Read(citizen.get("/public/requests/map").text)
    english = Read(citizen.get("/public/requests/map?lang=en").text)
    labels = [tile.get("aria-label") for page in (persian, english) for tile in page.all("a")]
    assert "منطقهٔ ۵، ۱ گزارش منتشرشدهٔ حل‌نشده" in labels
    assert "District 5, 1 released reports not solved" in labels
    assert "counts its released reports" in english.text and "منتشرشدهٔ آن" in persian.text


@pytest.mark.parametrize("name", ["x", "..%2f..%2fetc%2fpasswd", "0" * 32, "0" * 33, "%00"])
def test_unknown_picture_is_not_found(citizen: TestClient, name: str) -> None:
    assert citizen.get(f"/public/requests/pictures/{name}").status_code in (404, 422)


def test_paging_shows_each_release_once(
    citizen: TestClient, office: TestClient, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(map_page, "_PAGE", 2)
    with writing(engine) as session:
        ids = [a_request(session, RequestState.NEW, district=5).id for _ in range(5)]
    for id_ in ids:
        office.post(f"{V1}/requests/{id_}/release", json={"text": f"شمارهٔ {id_}"})
    path, seen = "/public/requests/map?lang=en&district=5", []
    while path:
        page = Read(citizen.get(path).text)
        seen += re.findall(r"شمارهٔ (\d+)", page.text)
        older = [str(a["href"]) for a in page.all("a") if "before=" in str(a["href"])]
        path = older[0] if older else ""
    assert seen == [str(id_) for id_ in reversed(ids)]


def test_map_counts_the_releases_without_a_district(citizen: TestClient, engine: Engine) -> None:
    def drawn() -> str:
        return citizen.get("/public/requests/map?lang=en").text

    def released(state: RequestState, district: int | None) -> None:
        with writing(engine) as session:
            request = a_request(session, state, district=district)
            publications.release(session, request.id, text="چراغ", shown=(), with_point=False, who="u")

    released(RequestState.NEW, 3)
    assert "is not known" not in drawn()
    for state in (RequestState.NEW, RequestState.NEW, RequestState.CLOSED):
        released(state, None)
    assert "The district of 2 unsolved released reports is not known" in drawn()
    assert 'data-district="3" data-shade="4"' in drawn(), "the darkest of those that are drawn"
