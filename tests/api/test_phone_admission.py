"""Real proxies, as our samples have them, before an API and before what stands for Asterisk's `/ws`."""

from collections.abc import Iterator
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
from tests.kit.proxies import OURS, PROXIES
from tests.kit.served import served

ADMISSION = f"{V1}/desk/phone/admission"


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


def _connect(client: httpx.Client) -> int:
    """The answer to a browser's phone that connects, as the browser asks."""
    upgrade = {
        **{"Connection": "Upgrade", "Upgrade": "websocket", "Origin": OURS},
        **{"Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="},
    }
    return client.get("/ws", headers=upgrade).status_code


@pytest.mark.parametrize("proxy", PROXIES)
def test_proxy_lets_only_a_signed_in_desk_reach_asterisk(
    proxy: str, engine: Engine, settings: Settings, asterisk: str, tmp_path: Path
) -> None:
    with writing(engine) as session:
        name, outsider = a_user(session, a_desk(session)).username, a_user(session).username
    with (
        served(settings) as api,
        PROXIES[proxy](tmp_path, api, asterisk) as url,
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
