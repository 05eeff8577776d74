"""The headers of every answer, and the checks of every request."""

import re
from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from api import security
from api.app import create
from api.cookies import COOKIE
from api.web import BUILT
from db.engine import writing
from hotline.nodes import leases
from hotline.people import sign_ins
from settings import Settings
from tests.factories import a_desk, a_user

V1 = "/api/v1"


@pytest.fixture
def app(settings: Settings, engine: Engine) -> FastAPI:
    made = create(settings)

    @made.post("/api/broken")
    def broken() -> None:
        raise RuntimeError("a fault of ours")

    made.router.routes.insert(0, made.router.routes.pop())  # before the pages, which take the rest
    return made


@pytest.fixture
def page(app: FastAPI) -> Iterator[TestClient]:
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


ANSWERS = [
    ("GET", "/", 200),
    ("GET", "/sign-in", 200),
    ("GET", "/rounds/1", 200),
    ("GET", "/assets/nothing.js", 404),
    ("GET", "/assets/swagger-ui.css", 200),
    ("GET", "/public/", 200),
    ("GET", "/public/my", 200),
    ("GET", "/public/rounds/404", 404),
    ("GET", "/public/static/public.css", 200),
    ("GET", "/public/rounds.atom", 200),
    ("GET", "/api/docs", 200),
    ("GET", "/api/openapi.json", 200),
    ("GET", f"{V1}/me", 401),
    ("GET", f"{V1}/session", 200),
    ("GET", f"{V1}/nothing", 404),
    ("POST", f"{V1}/me", 405),
    ("POST", f"{V1}/session", 422),
    ("POST", "/api/broken", 500),
    ("DELETE", f"{V1}/session", 204),
    ("GET", "/healthz", 503),
    ("GET", "/readyz", 503),
    ("GET", "/readyz/database", 200),
    ("GET", "/livez", 204),
]


def test_each_answer_has_the_security_headers(page: TestClient) -> None:
    for method, path, status in ANSWERS:
        answer = page.request(method, path)
        assert answer.status_code == status, path
        sent = answer.headers
        policy = dict(rule.split(" ", 1) for rule in sent["content-security-policy"].split("; "))
        assert policy["default-src"] == "'self'" and "script-src" not in policy, path
        assert policy["frame-ancestors"] == policy["base-uri"] == policy["object-src"] == "'none'", path
        assert "unsafe-eval" not in sent["content-security-policy"], path
        strict = path.startswith("/public")
        assert policy["style-src"] == ("'self'" if strict else "'self' 'unsafe-inline'"), path
        assert sent["x-content-type-options"] == "nosniff", path
        assert sent["referrer-policy"] == "no-referrer", path
        assert sent["cross-origin-opener-policy"] == "same-origin", path
        is_a_feed = path.startswith("/public/") and not path.startswith("/public/my")
        others = "cross-origin" if is_a_feed else "same-origin"
        assert sent["cross-origin-resource-policy"] == others, path
        assert "microphone=(self)" in sent["permissions-policy"], path
        assert "strict-transport-security" not in sent, path
        if path.startswith("/api/"):
            assert sent["cache-control"] == "no-store", path


def _connects(page: TestClient, path: str) -> list[str]:
    policy = page.get(path).headers["content-security-policy"]
    return dict(rule.split(" ", 1) for rule in policy.split("; "))["connect-src"].split()


def test_page_may_connect_to_each_nodes_phone_only(
    page: TestClient, engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.telephones._KEPT_S", 0)
    ours = settings.websocket.removesuffix("/ws")
    assert _connects(page, "/desk") == ["'self'", ours]
    places = {"two": "wss://two.137.city.example/ws", "odd": "wss://odd.example; script-src *", "three": "*"}
    with writing(engine) as session:
        for name, place in places.items():
            leases.take(session, settings.model_copy(update={"node": name, "websocket_url": place}))
    assert _connects(page, "/desk") == ["'self'", ours, "wss://two.137.city.example"]
    assert _connects(page, "/public/") == ["'self'"], "there is no phone"
    monkeypatch.setattr("hotline.nodes.phones.list_addresses", _gone)
    assert "wss://two.137.city.example" in _connects(page, "/desk"), (
        "the database is away, the phones are not"
    )


def _gone(_session: object) -> None:
    raise OSError("away")


def test_https_answer_has_hsts(app: FastAPI) -> None:
    with TestClient(app, base_url="https://137.isfahan.example") as page:
        for path in ("/", f"{V1}/nothing", "/assets/nothing.js"):
            said = page.get(path).headers["strict-transport-security"]
            assert said == "max-age=31536000; includeSubDomains"


def test_forbidden_request_is_logged_with_its_address(
    app: FastAPI, engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    with writing(engine) as session:
        cookie = sign_ins.sign_in(session, a_user(session, a_desk(session), username="curious"))
    page = TestClient(app, cookies={COOKIE: cookie}, client=("203.0.113.9", 50_000))
    assert page.get(f"{V1}/audit").status_code == 403
    assert page.delete(f"{V1}/people/41/sessions").status_code == 403
    lines = [record.getMessage() for record in caplog.records if "not allowed" in record.getMessage()]
    assert [line.partition("not allowed: ")[2] for line in lines] == [
        "api.reports.audit.list_entries from 203.0.113.9",
        "api.people.staff.end_sessions from 203.0.113.9",
    ]


def test_pages_hold_no_inline_script(page: TestClient) -> None:
    for file in (BUILT / "index.html", "/api/docs", "/public/", "/public/number"):
        text = page.get(file).text if isinstance(file, str) else file.read_text()
        assert "<html" in text
        scripts = re.findall(r"<script([^>]*)>(.*?)</script>", text, re.DOTALL)
        assert all("src=" in tag and not body.strip() for tag, body in scripts if "ld+json" not in tag)
        assert not re.search(r"\son\w+=|javascript:|\sstyle=", text)


def test_cross_site_request_changes_nothing(page: TestClient, engine: Engine) -> None:
    with writing(engine) as session:
        page.cookies.set(COOKIE, sign_ins.sign_in(session, a_user(session, a_desk(session))))
    own, away = "http://testserver", "http://evil.example"
    foreign = [
        {"Origin": away},
        {"Origin": "null"},
        {"Origin": own, "Sec-Fetch-Site": "same-site"},
        {"Origin": own, "Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ]
    for headers in foreign:
        for method, path in (
            ("DELETE", f"{V1}/session"),
            ("PUT", f"{V1}/account/password"),
            ("POST", "/public/number"),
        ):
            answer = page.request(method, path, headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (403, "foreign-origin"), (headers, path)
        assert page.get(f"{V1}/me", headers=headers).status_code == 200
    for headers in ({"Origin": own, "Sec-Fetch-Site": "same-origin"}, {"Origin": own}, {}):
        assert page.put(f"{V1}/account/password", headers=headers).status_code == 422


@pytest.mark.parametrize("path", [f"{V1}/session", "/public/number", f"{V1}/texts/kavenegar"])
def test_long_body_is_refused_with_or_without_a_length(page: TestClient, path: str) -> None:
    said = page.post(path, headers={"Content-Length": str(security.LONGEST_BODY + 1)})
    unsaid = page.post(path, content=iter([b"x" * (1 << 14)] * 5))  # chunked
    for answer in (said, unsaid):
        assert (answer.status_code, answer.json()["code"]) == (413, "too-large")
        assert "content-security-policy" in answer.headers
    assert page.post(f"{V1}/session", content=iter([b"{}"])).status_code == 422, "a short one may be chunked"
