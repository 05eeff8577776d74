"""Live events over a real server: at once, in order, and resumed without loss or repetition."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, delete, select, text

from api import event_stream, event_tail
from api.cookies import COOKIE
from db import events, news
from db.engine import reading, writing
from db.models import Event, Round
from db.states import CallbackState
from hotline import heartbeats
from hotline.callbacks import transitions
from hotline.line import registration
from hotline.people import sign_ins
from settings import Settings
from tests.factories import a_callback, a_desk, a_number, a_round, a_user, at_once
from tests.kit.databases import held, on_both  # noqa: F401  (fixture)
from tests.kit.postgres import Postgres
from tests.kit.process import in_time, until
from tests.kit.served import served

PATIENCE_S = 30.0


@dataclass
class Message:
    id: int
    kind: str
    data: dict[str, Any]


@dataclass
class Page:
    """A page that has signed in, and its server's switch."""

    url: str
    cookie: str
    stop_server: Callable[[], None]

    @contextmanager
    def events(self, last_id: int | str | None = None) -> Iterator[Iterator[str]]:
        """The lines of the live events, from now on or from what a page saw last."""
        headers = {} if last_id is None else {"Last-Event-ID": str(last_id).encode("latin-1")}
        with (
            httpx.Client(base_url=self.url, cookies={COOKIE: self.cookie}, timeout=PATIENCE_S) as client,
            client.stream("GET", "/events", headers=headers) as response,
        ):
            assert response.status_code == 200
            assert response.headers["content-type"].startswith("text/event-stream")
            yield response.iter_lines()


def messages(lines: Iterator[str]) -> Iterator[Message]:
    """The whole messages in a stream of lines; comments are left out."""
    fields: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(": ")
        if not line and "id" in fields:
            yield Message(int(fields["id"]), fields["event"], httpx.Response(200, text=fields["data"]).json())
            fields = {}
        elif name:
            fields[name] = value


def changes(lines: Iterator[str], count: int) -> list[Message]:
    """The hello, checked, and then so many changes."""
    stream = messages(lines)
    assert next(stream).kind == "hello"
    found = list(islice(stream, count))
    assert {each.kind for each in found} <= {"change"}
    return found


@pytest.fixture
def page(settings: Settings, engine: Engine) -> Iterator[Page]:
    """A signed-in page of a running server."""
    with ExitStack() as running:
        url = running.enter_context(served(settings))
        with writing(engine) as session:
            cookie = sign_ins.sign_in(session, a_user(session, a_desk(session)))
        yield Page(f"{url}/api/v1", cookie, running.close)


@pytest.fixture
def round_(engine: Engine) -> Round:
    with writing(engine) as session:
        return a_round(session)


Register = Callable[[], None]


@pytest.fixture
def register(engine: Engine, round_: Round) -> Register:
    """Registers one more citizen: one event."""

    def one() -> None:
        with writing(engine) as session:
            registration.register(session, round_id=round_.id, number=a_number())

    return one


def logged(engine: Engine, after: int = 0) -> list[int]:
    with reading(engine) as session:
        return [
            event.id for event in session.scalars(select(Event).where(Event.id > after).order_by(Event.id))
        ]


def test_change_is_sent_within_a_second(page: Page, engine: Engine, register: Register) -> None:
    with page.events() as lines:
        stream = messages(lines)
        assert next(stream) == Message(logged(engine)[-1], "hello", {})
        for _ in range(3):
            before = time.monotonic()
            register()
            told = next(stream)
            assert in_time(time.monotonic() - before, 1)
            assert told.id == logged(engine)[-1]


def test_each_step_of_a_callback_is_sent(page: Page, engine: Engine) -> None:
    with writing(engine) as session:
        callback = a_callback(session)
        ids = {
            "round_id": callback.registration.round_id,
            "registration_id": callback.registration_id,
            "callback_id": callback.id,
            "desk_id": callback.desk_id,
            "request_id": None,
        }
    with page.events() as lines:
        stream = messages(lines)
        next(stream)
        for state in map(CallbackState, ("dialing", "ringing", "answered", "waiting", "talking", "ended")):
            with writing(engine) as session:
                transitions.move(session, callback.token, state)
            assert next(stream).data == {"kind": "callback", "what": state, **ids}


def test_each_change_of_a_desks_phone_is_sent_once(page: Page, engine: Engine) -> None:
    with writing(engine) as session:
        desk_id = a_desk(session).id
    with page.events() as lines:
        stream = messages(lines)
        next(stream)
        with writing(engine) as session:
            for channel in ("PJSIP/desk", None, None, "PJSIP/desk"):  # at first it is there
                heartbeats.record_phone(session, desk_id, channel)
        for what in ("disconnected", "connected"):
            told = next(stream).data
            assert (told["kind"], told["what"], told["desk_id"]) == ("desk", what, desk_id)


def test_page_without_a_last_id_gets_only_new_events(page: Page, engine: Engine, register: Register) -> None:
    register()
    old = logged(engine)[-1]
    with page.events() as lines:
        stream = messages(lines)
        assert next(stream).id == old
        register()
        assert next(stream).id > old


def test_resumed_page_gets_the_rest_once_in_order(
    page: Page, engine: Engine, register: Register, round_: Round
) -> None:
    with page.events() as lines:
        stream = messages(lines)
        start = next(stream).id
        for _ in range(5):
            register()
        heard = [next(stream).id for _ in range(3)]
    with writing(engine) as session:  # more than one read of the log brings
        for _ in range(600):
            events.append_round(session, round_.id, "made")
    with page.events(heard[-1]) as lines:
        heard += [each.id for each in changes(lines, 602)]
        register()
        heard.append(next(messages(lines)).id)
    assert heard == logged(engine, start)


def test_listener_misses_and_repeats_no_event(page: Page, engine: Engine, register: Register) -> None:
    start = logged(engine)[-1]
    with ThreadPoolExecutor(1) as threads, page.events() as lines:
        listening = threads.submit(changes, lines, 80)
        at_once(8, lambda _: [register() for _ in range(10)])
        heard = [each.id for each in listening.result(PATIENCE_S)]
    assert heard == logged(engine, start)


def test_events_of_concurrent_writers_appear_in_order(engine: Engine, register: Register) -> None:
    done = threading.Event()

    def follow() -> list[int]:
        seen: list[int] = []
        while True:
            last_round = done.wait(0.002)  # without a pause it would starve the writers
            with reading(engine) as session:
                new = [event.id for event in events.list_since(session, seen[-1] if seen else 0)]
            seen += new
            if last_round and not new:
                return seen

    with ThreadPoolExecutor(1) as threads:
        following = threads.submit(follow)
        at_once(8, lambda _: [register() for _ in range(15)])
        done.set()
        assert following.result(PATIENCE_S) == logged(engine)


def test_twenty_pages_all_get_the_change(page: Page, engine: Engine, register: Register) -> None:
    gate = threading.Barrier(21, timeout=2 * PATIENCE_S)

    def listen() -> int:
        with page.events() as lines:
            stream = messages(lines)
            next(stream)
            gate.wait()
            return next(stream).id

    with ThreadPoolExecutor(20) as threads:
        pages = [threads.submit(listen) for _ in range(20)]
        gate.wait()
        register()
        assert {each.result(PATIENCE_S) for each in pages} == {logged(engine)[-1]}


def test_invalid_last_id_gets_only_new_events(page: Page, engine: Engine, register: Register) -> None:
    for last_id in ("", "x", "-1", "1.5", "²", "9" * 19):
        register()
        with page.events(last_id) as lines:
            stream = messages(lines)
            assert next(stream) == Message(logged(engine)[-1], "hello", {})
            register()
            assert next(stream).id == logged(engine)[-1]


def test_last_id_beyond_the_log_gets_new_events(page: Page, engine: Engine, register: Register) -> None:
    # The page outlived its database: a restored copy, or a fresh one.
    with page.events(logged(engine)[-1] + 1000) as lines:
        stream = messages(lines)
        next(stream)
        register()
        assert next(stream).id == logged(engine)[-1]


_SET_BACK = {
    "sqlite": "UPDATE sqlite_sequence SET seq = :id WHERE name = 'events'",
    "postgresql": "SELECT setval('events_id_seq', :id)",
}


def test_log_that_is_set_back_still_sends_new_events(
    page: Page, register: Register, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int | None] = []
    look = news.Watch._look

    def noted(watch: news.Watch) -> bool:
        different = look(watch)
        seen.append(watch.newest)
        return different

    monkeypatch.setattr(news.Watch, "_look", noted)
    monkeypatch.setattr(news, "LOOK_S", 0.1)
    for _ in range(3):
        register()
    first, *_, last = logged(engine)
    with page.events() as lines:
        stream = messages(lines)
        assert next(stream).id == last
        with writing(engine) as session:  # as in a database of an hour before
            session.execute(delete(Event).where(Event.id > first))
            session.execute(text(_SET_BACK[engine.dialect.name]), {"id": first})
        seen.clear()
        until(lambda: seen.count(first) > 1, "the server has seen it")
        register()
        assert next(stream).id == first + 1


def test_quiet_log_sends_heartbeats(page: Page, register: Register, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_stream, "HEARTBEAT_S", 0.2)
    begun = time.monotonic()
    with page.events() as lines:
        hello = list(islice(lines, 5))
        assert {text.partition(":")[0] for text in hello} == {"retry", "id", "event", "data", ""}
        assert list(islice(lines, 6)) == [": still here", ""] * 3
        assert 0.6 <= time.monotonic() - begun < 10
        register()
        assert next(text for text in lines if text and not text.startswith(":")).startswith("event: ")


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
def test_hanging_database_is_sent_in_seconds_and_on_return(
    page: Page, register: Register, postgres: Postgres
) -> None:
    with page.events() as lines:
        assert next(messages(lines)).kind == "hello"
        with postgres.frozen():
            before = time.monotonic()
            assert _next_but_heartbeats(lines) == "event: away"
            assert in_time(time.monotonic() - before, 5)
        assert _next_but_heartbeats(lines) == "event: back"
        register()
        assert next(messages(lines)).kind == "change"


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_unwritable_database_is_sent_in_seconds(page: Page, register: Register, engine: Engine) -> None:
    with page.events() as lines:
        assert next(messages(lines)).kind == "hello"
        register()
        assert next(messages(lines)).kind == "change"
        with held(engine):
            before = time.monotonic()
            assert _next_but_heartbeats(lines) == "event: away"
            assert in_time(time.monotonic() - before, 6)
        assert _next_but_heartbeats(lines) == "event: back"
        register()
        assert next(messages(lines)).kind == "change"


def _next_but_heartbeats(lines: Iterator[str]) -> str:
    return next(line for line in lines if line.startswith("event: "))


def test_ended_session_closes_the_stream(page: Page, engine: Engine) -> None:
    with page.events() as lines:
        stream = messages(lines)
        next(stream)
        with writing(engine) as session:
            sign_ins.sign_out(session, page.cookie)
        before = time.monotonic()
        assert list(stream) == []
        assert in_time(time.monotonic() - before, 3)


def test_page_that_connects_during_the_session_check_stays(
    page: Page, register: Register, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    looking, go_on, look = threading.Event(), threading.Event(), event_tail.Tail._lasting

    def slow(tail: event_tail.Tail, sessions: set[str]) -> dict[str, int | None]:
        lasting = look(tail, sessions)
        looking.set()
        go_on.wait(PATIENCE_S)
        return lasting

    with writing(engine) as session:
        other = Page(page.url, sign_ins.sign_in(session, a_user(session, a_desk(session))), page.stop_server)
    with page.events():
        monkeypatch.setattr(event_tail.Tail, "_lasting", slow)
        assert looking.wait(PATIENCE_S)
        with other.events() as lines:
            stream = messages(lines)
            next(stream)
            go_on.set()
            register()
            assert next(stream).kind == "change"


def test_stopping_server_closes_streams_cleanly(page: Page, caplog: pytest.LogCaptureFixture) -> None:
    with page.events() as lines, page.events() as others:
        next(lines), next(others)
        page.stop_server()
        assert all("change" not in line for line in [*lines, *others])  # cut off, they raise
    assert not [each.getMessage() for each in caplog.records if each.name == "uvicorn.error"]
