"""Public pages, feeds and open data, as other programs and other sites' scripts ask for them."""

from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest
from fastapi.testclient import TestClient

from settings import Settings
from tests.kit.served import served

PAGES = [
    *("/public", "/public/how", "/public/requests", "/public/requests.json", "/public/requests.csv"),
    *("/public/rounds.atom", "/public/rounds.ics", "/public/fairness", "/public/number", "/public/my"),
    *("/open311/v2/services.json", "/api/openapi.json", "/livez", "/"),
]


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_head_is_answered_as_get_without_its_body(settings: Settings) -> None:
    with served(settings) as url:
        wire = HTTPConnection(urlsplit(url).netloc, timeout=30)  # one connection: a body would break the next
        for page in PAGES:
            told = []
            for method in ("HEAD", "GET"):
                wire.request(method, page)
                answer = wire.getresponse()
                body = answer.read()
                told.append((answer.status, answer.headers["content-type"]))
            assert told[0] == told[1] and told[0][0] != 405, page
            assert body or told[1][0] != 200
        wire.close()


OPEN = ["/public/requests.json", "/public/requests.csv", "/public/rounds.atom", "/public/ledger/root"]


@pytest.mark.parametrize("page", [*OPEN, "/open311/v2/services.json", "/open311/v2/requests.json"])
def test_open_data_may_be_read_by_other_sites(citizen: TestClient, page: str) -> None:
    headers = citizen.get(page, headers={"Origin": "https://press.example"}).headers
    assert headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in headers
    asks = {"Origin": "https://press.example", "Access-Control-Request-Headers": "if-none-match"}
    asked = citizen.options(page, headers=asks | {"Access-Control-Request-Method": "GET"})
    allowed = [asked.headers[f"access-control-allow-{what}"] for what in ("origin", "methods", "headers")]
    assert (asked.status_code, allowed) == (204, ["*", "GET, HEAD", "*"])


@pytest.mark.parametrize("page", ["/public/my", "/public/passed/x", "/api/v1/session", "/my", "/healthz"])
def test_what_is_personal_is_not_open_data(citizen: TestClient, page: str) -> None:
    headers = citizen.get(page, headers={"Origin": "https://press.example"}).headers
    assert "access-control-allow-origin" not in headers
