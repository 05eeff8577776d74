"""The addresses of the built pages, and the answers at all other addresses."""

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


def test_server_and_pages_know_the_same_routes() -> None:
    table = (SOURCES / "routes.ts").read_text()
    names = re.findall(r"^  ([\w-]+): \{", table, re.MULTILINE)
    below = set(re.findall(r"^  ([\w-]+): \{.*below:", table, re.MULTILINE))
    others = re.findall(r'path="/([\w-]+)"', (SOURCES / "app.tsx").read_text())
    assert {*names, *others} == set(web.PLAIN)
    assert below == {address.split("/")[0] for address in web.OF_ONE}


@pytest.mark.long
def test_unit_tests_of_the_pages_pass() -> None:
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
def test_page_address_serves_the_pages(anybody: TestClient, path: str) -> None:
    answer = anybody.get(path)
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-cache")
    assert '<div id="root">' in answer.text


def test_page_head_is_complete_and_its_assets_exist(
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


def test_brotli_asset_is_small_and_equal(
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
def test_other_address_gets_a_page_in_the_citys_words(anybody: TestClient, path: str) -> None:
    answer = anybody.get(f"http://testserver{path}")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert answer.headers["cache-control"] == "no-store"
    assert "این صفحه پیدا نشد" in answer.text
    assert not re.search(r'href="[/\\]{2}', answer.text), "no link leads to another site"
    assert "This page is not here" in anybody.get(f"http://testserver{path}?lang=en").text


@pytest.mark.parametrize("path", ["/api/", "/api/v1/nothing", "/api/v2", "/api/v1/rounds/1/nothing"])
def test_unknown_api_address_is_a_problem(anybody: TestClient, path: str) -> None:
    answer = anybody.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
    assert answer.json()["code"] == "not-found"


def test_unknown_address_of_a_signed_in_person_is_the_pages(
    desk: TestClient,
) -> None:
    answer = desk.get("/nothing")
    assert answer.status_code == 404 and '<div id="root">' in answer.text


def test_girih_is_2_kb_at_most() -> None:
    assert 0 < (SOURCES.parent / "public" / "assets" / "girih.svg").stat().st_size <= 2048


def test_used_mantine_parts_have_their_styles() -> None:
    built = Path(web.BUILT) / "assets"
    classes = re.compile(r"\bm_[0-9a-f]{4,8}\b")
    used = {found for file in built.glob("*.js") for found in classes.findall(file.read_text())}
    styled = {found for file in built.glob("*.css") for found in classes.findall(file.read_text())}
    known = set(classes.findall((SOURCES.parent / "node_modules/@mantine/core/styles.css").read_text()))
    assert used and (used & known) - styled == set()
