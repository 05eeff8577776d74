"""Where the built pages are, and what an address says at which nothing is."""

import re
import subprocess
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from api import web

SOURCES = Path(web.BUILT).parent / "src"


@pytest.fixture
def anybody(app: FastAPI) -> TestClient:
    return TestClient(app)


def test_given_the_pages_when_their_addresses_are_listed_then_the_server_knows_just_these() -> None:
    table = (SOURCES / "routes.ts").read_text()
    names = re.findall(r"^  ([\w-]+): \{", table, re.MULTILINE)
    below = set(re.findall(r"^  ([\w-]+): \{.*below:", table, re.MULTILINE))
    others = re.findall(r'path="/([\w-]+)"', (SOURCES / "app.tsx").read_text())
    assert {*names, *others} == set(web.PLAIN)
    assert below == {address.split("/")[0] for address in web.OF_ONE}


def test_given_what_is_pure_in_the_pages_when_vitest_runs_it_then_it_holds() -> None:
    run = subprocess.run(
        ["npm", "test", "--silent"],
        check=False,
        cwd=SOURCES.parent,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.parametrize(
    "path",
    ["/", "/sign-in", "/desk", "/desk/", "/rounds/7", "/rounds/7/", "/requests/137", "/citizens/request/7"],
)
def test_given_an_address_of_the_pages_when_opened_then_it_is_theirs(anybody: TestClient, path: str) -> None:
    answer = anybody.get(path)
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-cache")
    assert '<div id="root">' in answer.text


def test_given_a_page_when_opened_then_its_head_can_be_read_before_any_code_and_all_that_it_asks_for_is_there(
    anybody: TestClient,
) -> None:
    for name in ("desk", "rounds/7", "reports"):
        html = anybody.get(f"/{name}").text
        head, code = html.index("<h1 "), html.index('<link rel="stylesheet" crossorigin')
        assert html.index("<body>") < head < code < html.index('<div id="root">')
        asked = re.findall(r'(?:src|href)="(/[^"]+)"', html)
        assert any(f"{name.split('/')[0]}-page" in address for address in asked)
        answers = {address: anybody.get(address).status_code for address in asked}
        of_api = {address: code for address, code in answers.items() if address.startswith("/api/")}
        assert set(of_api.values()) == {401}, "it is there, for whoever is signed in"
        assert {code for address, code in answers.items() if address not in of_api} == {200}


def test_given_a_browser_that_takes_brotli_when_it_fetches_code_then_it_is_small_and_otherwise_the_same(
    anybody: TestClient,
) -> None:
    file = max(Path(web.BUILT, "assets").glob("index-*.js"))
    for takes, size in (("br", Path(f"{file}.br").stat().st_size), ("identity", file.stat().st_size)):
        answer = anybody.head(f"/assets/{file.name}", headers={"Accept-Encoding": takes})
        assert answer.headers["content-length"] == str(size)
        assert answer.headers.get("content-encoding") == ("br" if takes == "br" else None)
        assert answer.headers["content-type"].startswith("text/javascript")
        assert (answer.headers["vary"], answer.headers["cache-control"][-9:]) == (
            "Accept-Encoding",
            "immutable",
        )


@pytest.mark.parametrize(
    "path",
    [
        *(
            "/nothing",
            "/wp-login.php",
            "/rounds/x",
            "/rounds/7/8",
            "/citizens/7",
            "/desk/7",
            "/desks.php",
            "/.env",
            "/public/x",
        ),
        *("/rounds/%D9%A7", "//evil.example", "/%5Cevil.example", "/api", "/index.html"),
    ],
)
def test_given_any_other_address_when_opened_then_it_says_in_the_citys_words_that_nothing_is_there(
    anybody: TestClient, path: str
) -> None:
    answer = anybody.get(f"http://testserver{path}")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert answer.headers["cache-control"] == "no-store"
    assert "این صفحه پیدا نشد" in answer.text
    assert not re.search(r'href="[/\\]{2}', answer.text), "no link leads to another site"
    assert "This page is not here" in anybody.get(f"http://testserver{path}?lang=en").text


@pytest.mark.parametrize("path", ["/api/", "/api/v1/nothing", "/api/v2", "/api/v1/rounds/1/nothing"])
def test_given_an_unknown_address_of_the_api_when_asked_then_a_problem_says_so(
    anybody: TestClient, path: str
) -> None:
    answer = anybody.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
    assert answer.json()["code"] == "not-found"


def test_given_an_address_that_is_none_when_opened_by_who_is_signed_in_then_the_pages_say_so(
    desk: TestClient,
) -> None:
    answer = desk.get("/nothing")
    assert answer.status_code == 404 and '<div id="root">' in answer.text


def test_given_the_girih_when_it_is_drawn_then_it_is_at_most_2_kb() -> None:
    assert 0 < (SOURCES.parent / "public" / "assets" / "girih.svg").stat().st_size <= 2048


def test_given_the_built_pages_when_they_use_a_part_of_mantine_then_its_style_is_there() -> None:
    built = Path(web.BUILT) / "assets"
    classes = re.compile(r"\bm_[0-9a-f]{4,8}\b")
    used = {found for file in built.glob("*.js") for found in classes.findall(file.read_text())}
    styled = {found for file in built.glob("*.css") for found in classes.findall(file.read_text())}
    known = set(classes.findall((SOURCES.parent / "node_modules/@mantine/core/styles.css").read_text()))
    assert used and (used & known) - styled == set()
