"""The server itself: clients that send too slowly, read nothing, or open too many pages, hold nobody up."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from http.client import HTTPConnection, HTTPResponse
from itertools import takewhile

import httpx
import pytest
from sqlalchemy import Engine

from api import connections, event_tail, server
from api.app import create
from api.cookies import COOKIE
from api.my import uploads
from db import events
from db.engine import writing
from db.models import Role
from hotline.people import sign_ins
from hotline.recordings import disk
from settings import Settings
from tests.api.my.signing_in import page_of
from tests.factories import a_number, a_round, a_user
from tests.kit import picture_files
from tests.kit.process import until
from tests.kit.served import served


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "REQUEST_S", 0.3)
    monkeypatch.setattr(server, "_UNREAD_S", 1)
    monkeypatch.setattr(event_tail, "MOST_OF_ONE", 2)
    monkeypatch.setattr(event_tail, "MOST_STREAMS", 3)


@pytest.fixture
def url(impatient: None, settings: Settings, engine: Engine) -> Iterator[str]:
    with served(settings) as address:
        yield f"{address}/api/v1"


@pytest.fixture
def connect(settings: Settings, url: str) -> Iterator[Callable[[], socket.socket]]:
    with ExitStack() as closing:

        def one() -> socket.socket:
            client = closing.enter_context(socket.socket())
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.settimeout(10)
            client.connect(tuple(settings.http))
            return client

        yield one


def is_dropped(client: socket.socket) -> bool:
    """Whether the server ends it within 10 s; what it said before is left out."""
    try:
        while client.recv(4096):
            pass
    except ConnectionResetError:
        return True
    return True


def test_unfinished_requests_are_dropped(connect: Callable[[], socket.socket], url: str) -> None:
    beginnings = [
        b"",
        b"GET /api/v1/me HTT",
        b"GET /api/v1/me HTTP/1.1\r\nHost: x\r\n",
        b"POST /api/v1/session HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{",
    ]
    for beginning in beginnings:
        client = connect()
        client.sendall(beginning)
        assert is_dropped(client), beginning
    patient = HTTPConnection("x")
    patient.sock = connect()
    for _ in range(2):  # one connection, two requests, and more than the time for one
        patient.request("GET", "/api/v1/me")
        answer = patient.getresponse()
        assert answer.status == 401 and answer.read()
        time.sleep(0.2)
    huge = connect()
    huge.sendall(b"GET /api/v1/me HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 40_000)
    assert huge.recv(4096).startswith(b"HTTP/1.1 400")


@pytest.mark.parametrize(
    "borders",
    [
        "Content-Length: 2\r\nContent-Length: 3",
        "Content-Length: +2",
        "Content-Length: 0x2",
        "Transfer-Encoding: gzip, chunked",
        "Transfer-Encoding : chunked",
    ],
)
def test_request_without_one_clear_end_is_refused(connect: Callable[[], socket.socket], borders: str) -> None:
    """A proxy might see its end elsewhere, and take a second request for a part of the first."""
    client = connect()
    client.sendall(f"POST /api/v1/session HTTP/1.1\r\nHost: x\r\n{borders}\r\n\r\n{{}}\r\n".encode())
    assert client.recv(4096).startswith((b"HTTP/1.1 400", b"HTTP/1.1 501"))
    assert is_dropped(client)


def test_slow_upload_of_a_citizen_has_time_and_a_strangers_none(
    connect: Callable[[], socket.socket],
    url: str,
    engine: Engine,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connections, "ALL_WAITING", 2)
    cookie = next(iter(page_of(create(settings), engine, settings, a_number()).cookies.items()))
    body, pause = picture_files.jpeg(), threading.Event()
    for told, status in (("=".join(cookie), b"201"), ("a=b", b"401")):
        client = connect()
        head = f"POST /api/v1/my/pictures HTTP/1.1\r\nHost: x\r\nCookie: {told}\r\n"
        client.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body[:100])
        if status == b"201":
            pause.wait(server.REQUEST_S)
            for _ in range(connections.ALL_WAITING + 1):  # others who wait push it out as little
                connect()
            pause.wait(2 * server.REQUEST_S)  # slower than any other request may be
            client.sendall(body[100:])
        assert client.recv(12) == b"HTTP/1.1 " + status
        if status == b"401":
            assert is_dropped(client)


@pytest.mark.parametrize("kept", [True, False])
def test_early_refusal_of_an_upload_is_still_heard(settings: Settings, engine: Engine, kept: bool) -> None:
    body = b"x" * (3 << 20)
    head = f"POST /api/v1/my/pictures HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n"
    head += "" if kept else "Connection: close\r\n"
    with served(settings), socket.create_connection(tuple(settings.http), 10) as client:
        client.sendall(f"{head}\r\n".encode())
        assert client.recv(12, socket.MSG_PEEK) == b"HTTP/1.1 401"
        client.sendall(body)
        answer = HTTPResponse(client)
        answer.begin()
        assert (answer.status, bool(answer.read())) == (401, True)
        if kept:  # and the connection is still of use
            client.sendall(b"GET /api/v1/me HTTP/1.1\r\nHost: x\r\n\r\n")
            assert client.recv(12) == b"HTTP/1.1 401"
        else:
            assert client.recv(1) == b""


@pytest.mark.parametrize("kept", ["", "Connection: close\r\n"])
def test_endless_rest_of_a_refused_upload_is_dropped(
    settings: Settings, engine: Engine, kept: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "_REST", 1 << 20)
    head = f"POST /api/v1/my/pictures HTTP/1.1\r\nHost: x\r\n{kept}Content-Length: {1 << 40}\r\n\r\n"
    with served(settings), socket.create_connection(tuple(settings.http), 10) as client:
        client.sendall(head.encode())
        with pytest.raises((ConnectionResetError, BrokenPipeError)):
            for _ in range(1 << 10):
                client.sendall(b"x" * (1 << 18))


class Sending:
    """A citizen's picture that is sent in pieces, by connections of which the test has hold."""

    body = picture_files.jpeg((2000, 1000))

    def __init__(self, url: str, cookie: str, connect: Callable[[], socket.socket]) -> None:
        self._headers = {"Tus-Resumable": "1.0.0", "Cookie": cookie}
        begins = self._headers | {"Upload-Length": str(len(self.body))}
        begun = httpx.post(f"{url}/my/uploads", params={"kind": "picture"}, headers=begins)
        self._where, self._connect = begun.headers["location"], connect
        self._url = f"{url}{self._where.removeprefix('/api/v1')}"

    def there(self) -> int:
        return int(httpx.head(self._url, headers=self._headers).headers["upload-offset"])

    def add(self, at: int, until: int | None = None) -> socket.socket:
        """Say that all the rest comes, and send it from `at` on, or until there."""
        head = f"PATCH {self._where} HTTP/1.1\r\nHost: x\r\n"
        head += "".join(f"{name}: {value}\r\n" for name, value in self._headers.items())
        head += f"Upload-Offset: {at}\r\nContent-Type: application/offset+octet-stream\r\n"
        client = self._connect()
        said = f"{head}Content-Length: {len(self.body) - at}\r\n\r\n"
        client.sendall(said.encode() + self.body[at:until])
        return client

    def is_finished(self) -> bool:
        return httpx.post(f"{self._url}/finish", headers=self._headers).status_code == 200


@pytest.fixture
def sending(url: str, engine: Engine, settings: Settings, connect: Callable[[], socket.socket]) -> Sending:
    page = page_of(create(settings), engine, settings, a_number())
    return Sending(url, "=".join(next(iter(page.cookies.items()))), connect)


def test_interrupted_piece_keeps_what_arrived(sending: Sending, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "_SILENT_S", 0.5)
    broken = sending.add(0, 3000)
    until(lambda: sending.there() == 3000, "what came is there, before all of it is")
    broken.close()
    silent = sending.add(3000, 5000)
    until(lambda: sending.there() == 5000, "what came is there, before all of it is")
    other = sending.add(5000, 7000)  # the same citizen, on another network
    until(lambda: sending.there() == 7000, "who is silent holds nobody up")
    for late in (silent, other):
        assert late.recv(12) == b"HTTP/1.1 503"
        assert is_dropped(late)
    assert sending.add(7000).recv(12) == b"HTTP/1.1 204"
    assert sending.is_finished()


def test_repeated_piece_is_refused_before_its_rest_is_sent(
    sending: Sending,
) -> None:
    broken = sending.add(0, 3000)
    until(lambda: sending.there() == 3000, "what came is there")
    broken.close()
    again = sending.add(0, 2000)
    answer = again.recv(4096)
    assert answer.startswith(b"HTTP/1.1 409")
    assert b"connection: close" in answer.lower(), "each byte more would be paid for nothing"
    assert is_dropped(again)
    assert sending.add(3000).recv(12) == b"HTTP/1.1 204"


def test_full_disk_during_a_piece_keeps_what_arrived(
    sending: Sending, monkeypatch: pytest.MonkeyPatch
) -> None:
    under_way = sending.add(0, 3000)
    until(lambda: sending.there() == 3000, "there was room when it began")
    with monkeypatch.context() as patched:
        patched.setattr(disk, "find_disk", lambda _folder: disk.Disk(1 << 40, disk.SPARE - 1))
        for at in (3000, 5000):
            under_way.sendall(sending.body[at : at + 2000])
        under_way.sendall(sending.body[7000:])
        assert under_way.recv(12) == b"HTTP/1.1 507"
        assert sending.there() == 3000, "what is left is for calls and registrations"
    assert sending.add(3000).recv(12) == b"HTTP/1.1 204"
    assert sending.is_finished()


def a_cookie(engine: Engine) -> str:
    with writing(engine) as session:
        return sign_ins.sign_in(session, a_user(session))


def test_more_writers_than_threads_do_not_block_each_other(engine: Engine, url: str) -> None:
    with writing(engine) as session:
        user = a_user(session)
        user.role = Role.SUPERVISOR
        cookie = sign_ins.sign_in(session, user)

    def block(number: int) -> int:
        body = {"number": f"0912{number:07}", "reason": "nuisance"}
        return httpx.post(f"{url}/blocked", json=body, cookies={COOKIE: cookie}, timeout=20).status_code

    with ThreadPoolExecutor(80) as together:
        assert set(together.map(block, range(160))) == {201}


def test_reader_that_reads_nothing_is_dropped(
    connect: Callable[[], socket.socket], engine: Engine, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    left: list[event_tail.Stream] = []
    leave = event_tail.Tail.leave
    monkeypatch.setattr(
        event_tail.Tail, "leave", lambda tail, stream: (left.append(stream), leave(tail, stream))
    )
    client = connect()
    head = f"GET /api/v1/events HTTP/1.1\r\nHost: x\r\nCookie: {COOKIE}={a_cookie(engine)}\r\n\r\n"
    client.sendall(head.encode())
    assert client.recv(15) == b"HTTP/1.1 200 OK"
    with writing(engine) as session:
        round_ = a_round(session)
    end = time.monotonic() + 30
    while not left and time.monotonic() < end:
        with writing(engine) as session:
            for _ in range(200):
                events.append_round(session, round_.id, "made")
    assert left, "a reader that does not read holds its stream"


def test_stream_above_the_limit_ends_the_persons_oldest(engine: Engine, url: str) -> None:
    mine, other, third = (a_cookie(engine) for _ in range(3))
    pages: list[Iterator[str]] = []  # an iterator that nobody keeps closes its line
    with ExitStack() as closing:

        def a_page(cookie: str) -> Iterator[str]:
            client = closing.enter_context(httpx.Client(cookies={COOKIE: cookie}, timeout=30))
            response = closing.enter_context(client.stream("GET", f"{url}/events"))
            assert response.status_code == 200
            lines = response.iter_lines()
            assert {"event: hello", "retry: 1000"} <= set(takewhile(bool, lines))
            pages.append(lines)
            return lines

        first, second = a_page(mine), a_page(mine)
        a_page(mine)
        assert [line for line in first if line.startswith("event")] == ["event: crowded"]
        a_page(other)  # three in all
        refused = httpx.get(f"{url}/events", cookies={COOKIE: third}, timeout=60)
        assert (refused.status_code, refused.json()["code"]) == (503, "too-many-pages")
        a_page(other)
        with writing(engine) as session:
            sign_ins.sign_out(session, mine)
        assert "event: crowded" not in list(second), "it is over because its session is"
        until(
            lambda: httpx.get(f"{url}/me", cookies={COOKIE: mine}, timeout=60).status_code == 401,
            "signed out",
        )
        until(lambda: _opens(url, third), "there is room again")


def _opens(url: str, cookie: str) -> bool:
    with httpx.stream("GET", f"{url}/events", cookies={COOKIE: cookie}) as response:
        return response.status_code == 200


MANY = 1000


def test_thousand_idle_connections_do_not_block_others(settings: Settings, engine: Engine) -> None:
    """The flood comes from one address, or from a proxy's, which many people share and which has no limit."""
    server.allow_files()  # both ends are this process's
    for flood in ("127.0.0.2", "127.0.0.1"):
        with served(settings) as url, ExitStack() as closing:
            other = httpx.HTTPTransport(local_address="127.0.0.3")
            citizen = closing.enter_context(httpx.Client(transport=other, timeout=30))
            for _ in range(MANY):
                client = closing.enter_context(socket.socket())
                client.bind((flood, 0))
                client.connect(tuple(settings.http))
            assert citizen.get(f"{url}/public/number").status_code == 200


def test_open_requests_of_an_address_are_capped(
    settings: Settings, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "OPEN", 3)
    with served(settings) as url, ExitStack() as closing:
        one = httpx.Client(
            transport=httpx.HTTPTransport(local_address="127.0.0.2"), cookies={COOKIE: a_cookie(engine)}
        )
        closing.enter_context(one)
        for _ in range(2):
            assert closing.enter_context(one.stream("GET", f"{url}/api/v1/events")).status_code == 200
        last = closing.enter_context(socket.socket())
        last.bind(("127.0.0.2", 0))
        last.connect(tuple(settings.http))
        with pytest.raises(httpx.HTTPError):
            one.get(f"{url}/public/number")
        other = closing.enter_context(httpx.Client(transport=httpx.HTTPTransport(local_address="127.0.0.3")))
        assert other.get(f"{url}/public/number").status_code == 200
        last.close()
        until(lambda: _is_served(one, url), "the address has room again")


def _is_served(client: httpx.Client, url: str) -> bool:
    try:
        return client.get(f"{url}/public/number").status_code == 200
    except httpx.HTTPError:
        return False


def test_byte_wise_client_stays_the_oldest(
    settings: Settings, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "WAITING", 2)
    with served(settings), ExitStack() as closing:

        def one() -> socket.socket:
            client = closing.enter_context(socket.socket())
            client.bind(("127.0.0.2", 0))
            client.settimeout(10)
            client.connect(tuple(settings.http))
            return client

        slow = one()
        slow.sendall(b"GET / HT")
        newer = one()
        slow.sendall(b"TP/1.1\r\n")
        one()
        assert is_dropped(slow)
        newer.sendall(b"GET /public/number HTTP/1.1\r\nHost: x\r\n\r\n")
        assert newer.recv(15) == b"HTTP/1.1 200 OK"
