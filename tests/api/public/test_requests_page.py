"""Public figures of citizens' requests: the page, the table, JSON."""

import csv
import io

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from api.app import create
from db.engine import reading, writing
from db.models import Category
from db.states import RequestState
from hotline.requests.public import figures
from settings import Settings
from tests.api.public.public_pages import Read
from tests.factories import a_department, a_request

HOSTILE = '=HYPERLINK("http://x") <script>'


@pytest.fixture
def filled(engine: Engine) -> str:
    """Ten of one category, one of another, and a department whose name is hostile."""
    with writing(engine) as session:
        department = a_department(session)
        department.name_fa, department.name_en = HOSTILE, HOSTILE
        for _ in range(10):
            a_request(session, RequestState.REFERRED, department_id=department.id, written="راز شهروند")
        a_request(session, category=2)
    with reading(engine) as session:
        rows = figures.count(session)
    with writing(engine) as session:
        figures.keep(session, rows)
        return session.get_one(Category, 1).name_fa


def test_figures_are_shown_and_small_ones_hidden(citizen: TestClient, filled: str) -> None:
    persian, english = citizen.get("/public/requests"), citizen.get("/public/requests?lang=en&days=30")
    assert (persian.status_code, english.status_code) == (200, 200)
    assert persian.headers["Cache-Control"] == "public, max-age=60"
    assert filled in persian.text and "۱۰" in persian.text and "کمتر از ۵" in persian.text
    assert "Last 30 days" in english.text and "Fewer than 5" in english.text
    assert "<script>" not in persian.text
    for text in (persian.text, english.text):
        assert "راز" not in text and "+98" not in text
    chosen = [a["href"] for a in Read(english.text).all("a") if a.get("aria-current") == "page"]
    assert chosen == ["/public/requests?days=30&lang=en"]
    assert [a["href"] for a in Read(persian.text).all("a") if a.get("rel") == "license"] == [
        "https://creativecommons.org/licenses/by/4.0/"
    ]


@pytest.mark.parametrize("days", ["", "0", "-30", "90;", "۳۰", "9" * 400, "<b>", "%00"])
def test_hostile_span_shows_the_default(citizen: TestClient, days: str) -> None:
    answer = citizen.get(f"/public/requests?lang=en&days={days}")
    assert answer.status_code == 200
    chosen = [a["href"] for a in Read(answer.text).all("a") if a.get("aria-current") == "page"]
    assert chosen == ["/public/requests?days=90&lang=en"]


def test_csv_and_json_agree_and_hold_no_formula(citizen: TestClient, filled: str) -> None:
    table = citizen.get("/public/requests.csv")
    assert table.headers["Link"] == '<https://creativecommons.org/licenses/by/4.0/>; rel="license"'
    assert table.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(table.text.lstrip("\ufeff"))))
    assert [row["name_fa"] for row in rows if row["of"] == "department"] == [f"'{HOSTILE}"] * 3
    told = [
        (row["name_fa"], row["received"]) for row in rows if (row["of"], row["days"]) == ("category", "30")
    ]
    assert told[0][1] == "" and told[1][1] == "", "of two rows a hidden one hides the other"
    body = citizen.get("/public/requests.json").json()
    assert body["licence"]["name"] == "CC BY 4.0"
    assert [span["days"] for span in body["spans"]] == [30, 90, 365]
    (department,) = body["spans"][0]["departments"]
    assert (department["received"], department["solved"], department["median_days"]) == (10, 0, None)
    assert [row["hidden"] for row in body["spans"][0]["categories"]] == [True, True]
    assert filled in [row["name_fa"] for row in body["spans"][0]["categories"]]


def test_city_without_a_licence_says_so(settings: Settings, engine: Engine) -> None:
    app = create(settings.model_copy(update={"data_licence": ""}))
    with TestClient(app) as citizen:
        assert "No licence is stated" in citizen.get("/public/requests?lang=en").text
        assert "Link" not in citizen.get("/public/requests.csv").headers
        assert citizen.get("/public/requests.json").json()["licence"] is None


def test_pages_without_figures_are_complete(
    citizen: TestClient,
) -> None:
    assert "هنوز شمرده نشده" in citizen.get("/public/requests").text
    assert citizen.get("/public/requests.json").json()["spans"][0] == {
        **{"days": 30, "all": None, "categories": [], "departments": []}
    }
