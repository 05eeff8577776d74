"""The API as a whole: input that is hostile or broken, its document, its headers."""

from fastapi.testclient import TestClient
from httpx import Response
from sqlalchemy import Engine

from db.models import Round, User
from tests.api.answers import LONG, V1, problem, registered, said
from tests.factories import PASSWORD

WRONG: list[tuple[str, str, object]] = [
    ("POST", "/session", {"username": LONG, "password": "x"}),
    ("POST", "/session", {"username": "x", "password": LONG}),
    ("POST", "/session", {"username": "x"}),
    ("POST", "/session", {"username": ["x"], "password": "x"}),
    ("POST", "/session", [LONG]),
    ("PUT", "/callbacks/1/outcome", {"outcome": LONG}),
    ("PUT", "/callbacks/1/outcome", {"outcome": "returned", "note": LONG}),
    ("PUT", "/callbacks/1/outcome", {"outcome": "returned", "note": "x" * 2001}),
    ("PUT", "/callbacks/1/outcome", {}),
    ("GET", "/rounds/1/registrations?limit=0", None),
    ("GET", "/rounds/1/registrations?limit=501", None),
    ("GET", f"/rounds/1/registrations?limit={'9' * 10_000}", None),
    ("GET", f"/rounds/1/registrations?after={'9' * 10_000}", None),
    ("GET", "/rounds/1/registrations?after=x", None),
    ("GET", "/rounds/1/registrations?after=0", None),
    ("GET", f"/rounds/{'9' * 10_000}/registrations", None),
    ("POST", f"/rounds/{2**31}/claims", None),
    ("POST", "/rounds/0/claims", None),
    ("GET", f"/callbacks/{'9' * 10_000}", None),
    ("POST", "/callbacks/x/call", None),
    ("POST", "/callbacks/1.5/hangup", None),
]


# Hostile and broken input


def test_input_of_wrong_type_or_length_is_named_not_repeated(
    desk: TestClient,
) -> None:
    for method, path, body in WRONG:
        told = problem(desk.request(method, f"{V1}{path}", json=body), 422, "invalid-input")
        assert len(told["detail"]) < 300
    last_id = {"Last-Event-ID": "9" * 10_000}
    problem(desk.get(f"{V1}/events", headers=last_id), 422, "invalid-input")


def test_broken_body_is_a_problem(nobody: TestClient) -> None:
    def send(body: bytes) -> Response:
        return nobody.post(f"{V1}/session", content=body, headers={"Content-Type": "application/json"})

    surrogate = b'{"username": "\\ud800", "password": "x"}'
    for body in (b"", b"{", b"null", b"[]", b"\xff\xfe", surrogate):
        problem(send(body), 422, "invalid-input")
    problem(send(b"[" * 10_000), 400, "refused")


HOSTILE = [
    "\u202e۱۲۳\u200f\u200c",
    "'; DROP TABLE callbacks; --",
    '"${SHELL(id)}" <script>alert(1)</script>',
    "line one\r\nSet-Cookie: x=y",
    "👩‍👩‍👧",
]


def test_hostile_text_in_a_note_is_kept_as_seen(desk: TestClient, engine: Engine, live: Round) -> None:
    registered(engine, live, 1)
    claimed = desk.post(f"{V1}/rounds/{live.id}/claims").json()
    url = f"{V1}/callbacks/{claimed['id']}"
    lines: list[str] = []
    for note in (*HOSTILE, "آ" * 2000, ""):
        answer = desk.put(f"{url}/outcome", json={"outcome": "returned", "note": note})
        seen = note.replace("\u202e", "").replace("\u200f", "").replace("\r\n", "\n")
        lines += [line for line in seen.strip().split("\n") if line]
        assert said(answer.json()) == said(desk.get(url).json()) == lines


def test_hostile_name_or_password_is_refused(nobody: TestClient, user: User) -> None:
    for hostile in HOSTILE[:2]:
        for name, password in ((hostile, PASSWORD), (user.username, hostile)):
            answer = nobody.post(f"{V1}/session", json={"username": name, "password": password})
            problem(answer, 401, "wrong-credentials")


def test_nul_character_is_refused(desk: TestClient, engine: Engine, live: Round, user: User) -> None:
    registered(engine, live, 1)
    url = f"{V1}/callbacks/{desk.post(f'{V1}/rounds/{live.id}/claims').json()['id']}/outcome"
    for answer in (
        desk.post(f"{V1}/session", json={"username": "\0", "password": "x"}),
        desk.post(f"{V1}/session", json={"username": user.username, "password": "\0"}),
        desk.put(url, json={"outcome": "returned", "note": "\0"}),
    ):
        problem(answer, 422, "invalid-input")


# The document, the headers


def test_document_names_endpoints_and_the_problem(
    nobody: TestClient,
) -> None:
    document = nobody.get("/api/openapi.json").json()
    assert document["openapi"].startswith("3.")
    assert {f"{V1}/rounds", "/healthz"} <= document["paths"].keys()  # all of them: tests/api/test_roles.py
    for methods in document["paths"].values():
        for operation in methods.values():
            assert "default" in operation["responses"]
            assert operation.get("summary") and operation.get("description")
    claim = document["paths"][f"{V1}/rounds/{{round_id}}/claims"]["post"]
    assert {"201", "204"} <= claim["responses"].keys()
    assert document["components"]["schemas"]["Problem"]["properties"].keys() == {
        *("type", "title", "status", "detail", "code", "field")
    }
    assert nobody.get("/api/docs").status_code == 200


def test_each_answer_forbids_framing_sniffing_and_storing(
    nobody: TestClient,
) -> None:
    for path in (f"{V1}/me", f"{V1}/nothing"):
        headers = nobody.get(path).headers
        assert headers["cache-control"] == "no-store"
        assert headers["x-content-type-options"] == "nosniff"
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert "default-src 'self'" in headers["content-security-policy"]
