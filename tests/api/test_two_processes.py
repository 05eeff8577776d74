"""Two of the API on one database and one state folder: whoever asks may come to either, each time anew."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import suppress
from itertools import cycle
from pathlib import Path

import httpx
import pyotp
import pytest
from fastapi import FastAPI
from sqlalchemy import Engine

from api import limits
from db.engine import writing
from hotline.line import registration
from settings import Settings
from tests.api.answers import V1
from tests.api.my.signing_in import page_of
from tests.api.my.test_uploads import PIECE, TUS, UPLOADS
from tests.api.test_event_stream import logged, messages
from tests.factories import PASSWORD, a_number, a_round, a_user
from tests.kit import picture_files
from tests.kit.ports import free_port
from tests.kit.process import Program
from tests.kit.proxies import behind_haproxy
from tests.kit.served import served

ROOT = Path(__file__).parents[2]

pytestmark = [pytest.mark.long, pytest.mark.parametrize("backend", ["postgresql"], indirect=True)]


class Turns(httpx.BaseTransport):
    """A balancer: one request to the one, the next to the other."""

    def __init__(self, *urls: str) -> None:
        self._turns = cycle(map(httpx.URL, urls))
        self._wire = httpx.HTTPTransport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        where = next(self._turns)
        url = request.url.copy_with(host=where.host, port=where.port)
        more = {"headers": request.headers, "extensions": request.extensions}
        return self._wire.handle_request(httpx.Request(request.method, url, stream=request.stream, **more))


@pytest.fixture
def here(settings: Settings) -> Iterator[str]:
    """The address of one, in this process."""
    with served(settings) as url:
        yield url


@pytest.fixture
def another(settings: Settings, tmp_path: Path) -> Iterator[tuple[str, Program]]:
    """The address of one that is a process of its own."""
    port = free_port()
    env = {
        **{"HOTLINE_ENV_FILE": "", "HOTLINE_HTTP": f"127.0.0.1:{port}", "HOTLINE_SECOND_FACTOR_ROLES": ""},
        **{"HOTLINE_STATE_DIR": str(settings.state_dir), "HOTLINE_DATABASE_URL": settings.database_url},
    }
    command = [sys.executable, "-m", "ops.process", "api"]
    program = Program(command, folder=ROOT, log=tmp_path / "another", env=env)

    def answers() -> bool:
        with suppress(httpx.TransportError):
            return httpx.get(f"http://127.0.0.1:{port}/livez").status_code == 204
        return False

    try:
        program.ready(answers)
        yield f"http://127.0.0.1:{port}", program
    finally:
        program.stop()


def client(*urls: str) -> httpx.Client:
    return httpx.Client(transport=Turns(*urls), base_url="http://137.test", timeout=30.0)


def test_sign_in_and_limits_are_shared_by_both_processes(
    engine: Engine, here: str, another: tuple[str, Program]
) -> None:
    urls = here, another[0]
    with writing(engine) as session:
        name = a_user(session).username
    given = {"username": name, "password": PASSWORD}
    with client(*urls) as page:
        assert page.post(f"{V1}/session", json=given).status_code == 200
        offer = page.post(f"{V1}/account/second-factor/offer", json={"password": PASSWORD}).json()
        code = pyotp.TOTP(offer["secret"]).now()
        recovery = page.put(f"{V1}/account/second-factor", json={"code": code}).json()["codes"]
        assert page.delete(f"{V1}/session").status_code == 204
        for _ in urls:
            assert page.get(f"{V1}/me").status_code == 401
        assert page.post(f"{V1}/session", json=given).json()["step"] == "code"
        assert page.post(f"{V1}/session/code", json={"code": recovery[0]}).status_code == 200
        for _ in urls:
            assert page.get(f"{V1}/me").json()["username"] == name

    with client(*urls) as stranger:
        refusals = [
            stranger.post(f"{V1}/session", json={"username": f"nobody{n}", "password": "wrong"}).json()[
                "code"
            ]
            for n in range(limits.PASSWORD_BURST + 2)
        ]
    assert refusals == [*["wrong-credentials"] * limits.PASSWORD_BURST, *["too-many-attempts"] * 2]


def test_upload_by_turns_to_both_processes_is_whole(
    app: FastAPI, engine: Engine, settings: Settings, here: str, another: tuple[str, Program]
) -> None:
    page = page_of(app, engine, settings, a_number())
    picture = picture_files.jpeg()
    with client(here, another[0]) as citizen:
        citizen.cookies.update(page.cookies)
        answer = citizen.post(
            UPLOADS, headers=TUS | {"Upload-Length": str(len(picture))}, params={"kind": "picture"}
        )
        where, step = answer.headers["location"], len(picture) // 5 + 1
        for at in range(0, len(picture), step):
            piece = picture[at : at + step]
            answer = citizen.patch(where, content=piece, headers=PIECE | {"Upload-Offset": str(at)})
            assert answer.status_code == 204, answer.text
        made = citizen.post(f"{where}/finish").json()["id"]
        for _ in range(2):
            assert citizen.get(f"{V1}/my/pictures/{made}").status_code == 200


def test_stream_of_a_killed_process_resumes_at_the_other(
    engine: Engine, here: str, another: tuple[str, Program], tmp_path: Path
) -> None:
    url, program = another
    with writing(engine) as session:
        name, round_id = a_user(session).username, a_round(session).id

    def register() -> None:
        with writing(engine) as session:
            registration.register(session, round_id=round_id, number=a_number())

    heard: list[int] = []
    register()
    with behind_haproxy(tmp_path, here, second=url) as front, httpx.Client(timeout=30.0) as page:
        given = {"username": name, "password": PASSWORD}
        assert page.post(f"{front}{V1}/session", json=given).status_code == 200
        with suppress(httpx.TransportError), page.stream("GET", f"{url}{V1}/events") as stream:
            told = messages(stream.iter_lines())
            began = next(told).id
            register()
            heard.append(next(told).id)
            os.kill(program.pid, signal.SIGKILL)
            heard += [each.id for each in told]
        for _ in range(3):
            register()
        again = {"Last-Event-ID": str(heard[-1])}
        with page.stream("GET", f"{front}{V1}/events", headers=again) as stream:
            told = messages(stream.iter_lines())
            assert next(told).id == heard[-1], "it comes to the one that lives"
            heard += [next(told).id for _ in range(3)]
    assert heard == logged(engine, began)
