"""Real proxies, as our samples have them, before an API and before what stands for Asterisk's `/ws`."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import httpx
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from api.app import create
from db.engine import writing
from db.models import SignIn
from settings import Settings
from tests.api.answers import V1
from tests.factories import PASSWORD, a_desk, a_user
from tests.kit.databases import on_one  # noqa: F401  (fixture)
from tests.kit.haproxy import SAMPLE, balanced
from tests.kit.ports import free_port
from tests.kit.process import Program, need
from tests.kit.served import served

ADMISSION = f"{V1}/desk/phone/admission"
OURS = "https://137.city.example"


class _Asterisk(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200, "reached")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def asterisk() -> Iterator[str]:
    """Answers whoever reaches it."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Asterisk) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@contextmanager
def behind_haproxy(folder: Path, api: str, asterisk: str) -> Iterator[str]:
    with balanced(folder, api, api, asterisk) as url:
        yield url


@contextmanager
def behind_caddy(folder: Path, api: str, asterisk: str) -> Iterator[str]:
    port, text = free_port(), SAMPLE.with_name("Caddyfile").read_text()
    host = api.removeprefix("http://")
    for old, new in {
        "137.city.example {": f"http://127.0.0.1:{port} {{",
        "api1.city.example:8137": host,
        "api2.city.example:8137": host,
        "asterisk.city.example:8088": asterisk,
    }.items():
        assert old in text, old
        text = text.replace(old, new)
    file = folder / "Caddyfile"
    file.write_text(f"{{\n\tadmin off\n}}\n{text}")
    command = [need("caddy", "caddy"), "run", "--adapter", "caddyfile", "--config", file]
    program = Program(
        command, folder=folder, log=folder / "caddy", env={"HOME": str(folder), "XDG_DATA_HOME": str(folder)}
    )

    def answers() -> bool:
        with suppress(httpx.TransportError):
            return httpx.get(f"http://127.0.0.1:{port}/livez").status_code == 204
        return False

    try:
        program.ready(answers)
        yield f"http://127.0.0.1:{port}"
    finally:
        program.stop()


def _connect(client: httpx.Client) -> int:
    """The answer to a browser's phone that connects, as the browser asks."""
    upgrade = {
        **{"Connection": "Upgrade", "Upgrade": "websocket", "Origin": OURS},
        **{"Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="},
    }
    return client.get("/ws", headers=upgrade).status_code


@pytest.mark.parametrize("proxy", [behind_haproxy, behind_caddy])
def test_proxy_lets_only_a_signed_in_desk_reach_asterisk(
    proxy: object, engine: Engine, settings: Settings, asterisk: str, tmp_path: Path
) -> None:
    with writing(engine) as session:
        name, outsider = a_user(session, a_desk(session)).username, a_user(session).username
    with (
        served(settings) as api,
        proxy(tmp_path, api, asterisk) as url,
        httpx.Client(base_url=url, timeout=30) as client,
    ):
        assert _connect(client) == 401
        client.post(f"{V1}/session", json={"username": outsider, "password": PASSWORD}).raise_for_status()
        assert _connect(client) in (401, 403)
        client.post(f"{V1}/session", json={"username": name, "password": PASSWORD}).raise_for_status()
        assert _connect(client) == 200
        with writing(engine) as session:
            session.query(SignIn).delete()
        assert _connect(client) == 401


def test_anybody_may_connect_while_citizens_phones_are_on(app: FastAPI, settings: Settings) -> None:
    on = TestClient(create(settings.model_copy(update={"browser_phone": True})))
    assert on.get(ADMISSION).status_code == 204
    assert TestClient(app).get(ADMISSION).status_code == 401
