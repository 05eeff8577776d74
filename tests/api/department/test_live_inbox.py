"""A department's live events over a real server: that its own inbox is different, and nothing of others'."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import dropwhile

import httpx
import pytest
from sqlalchemy import Engine

from api import event_stream
from api.cookies import COOKIE
from db.engine import writing
from db.models import Department, User
from hotline import heartbeats
from hotline.people import sign_ins, staff
from hotline.requests import department_work, work
from settings import Settings
from tests.factories import a_department, a_request, a_round, of_department
from tests.hotline.requests.office import today
from tests.kit.databases import on_both  # noqa: F401  (fixture)
from tests.kit.process import in_time
from tests.kit.served import served

PATIENCE_S = 30.0
HELLO = ["retry: 1000", "event: hello", "data: {}", ""]
CHANGE = ["event: change", "data: {}", ""]


class Two:
    """Two departments, the person of the first, and a server."""

    def __init__(self, url: str, engine: Engine) -> None:
        self.engine, self.url = engine, url
        with writing(engine) as session:
            mine, others = a_department(session), a_department(session)
            user = of_department(session, mine)
            self.mine, self.others, self.user = mine.id, others.id, user.id
            self.cookie = sign_ins.sign_in(session, user)
            self.request = a_request(session, number="+989131112233").id

    @contextmanager
    def events(self) -> Iterator[Iterator[str]]:
        """The lines of its live events, after the greeting."""
        with (
            httpx.Client(base_url=self.url, cookies={COOKIE: self.cookie}, timeout=PATIENCE_S) as client,
            client.stream("GET", "/events/inbox") as response,
        ):
            assert response.status_code == 200
            lines = response.iter_lines()
            assert sorted(next(lines) for _ in HELLO) == sorted(HELLO)
            yield lines

    def refer(self, department_id: int) -> None:
        """The office hands the request to one of them."""
        with writing(self.engine) as session:
            request = work.get_for_update(session, self.request)
            to = session.get_one(Department, department_id)
            work.refer(session, request, to, due_on=today(session), who="operator1")

    def other_things(self) -> None:
        """Much happens that is not the first one's."""
        with writing(self.engine) as session:
            there = session.get_one(Department, self.others)
            for _ in range(5):
                request = a_request(session)
                work.refer(session, request, there, due_on=today(session), who="operator1")
                department_work.accept(session, request, who="u")
            a_round(session)


@pytest.fixture
def two(settings: Settings, engine: Engine) -> Iterator[Two]:
    with ExitStack() as running:
        yield Two(f"{running.enter_context(served(settings))}/api/v1", engine)


def told(lines: Iterator[str]) -> list[str]:
    """The next thing that is said, but for heartbeats."""
    rest = dropwhile(lambda line: not line or line.startswith(":"), lines)
    return [next(rest) for _ in CHANGE]


def test_department_hears_of_its_requests_within_a_second(two: Two, engine: Engine) -> None:
    with two.events() as lines:
        for act in (lambda: two.refer(two.mine), lambda: two.refer(two.others), lambda: two.refer(two.mine)):
            before = time.monotonic()
            act()
            assert told(lines) == CHANGE
            assert in_time(time.monotonic() - before, 1)
        with writing(engine) as session:
            work.give_back(session, work.get_for_update(session, two.request), who="d", note="نه")
        assert told(lines) == CHANGE


def test_changes_of_another_department_send_nothing(two: Two, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_stream, "HEARTBEAT_S", 1.5)
    two.refer(two.mine)
    two.refer(two.others)  # it had it once
    begun = time.monotonic()
    with two.events() as lines:
        two.other_things()
        assert [next(lines), next(lines)] == [": still here", ""]  # as if nothing had been
        assert time.monotonic() - begun >= 1.5
        two.refer(two.mine)
        assert told(lines) == CHANGE


def test_silent_database_and_its_return_are_sent(two: Two, monkeypatch: pytest.MonkeyPatch) -> None:
    with two.events() as lines:
        for silent, event in ((True, "away"), (False, "back")):
            monkeypatch.setattr(heartbeats, "is_silent", lambda _engine, silent=silent: silent)
            assert told(lines) == [f"event: {event}", "data: {}", ""]
        two.refer(two.mine)
        assert told(lines) == CHANGE


def test_person_who_changes_department_is_disconnected(two: Two, engine: Engine, settings: Settings) -> None:
    with two.events() as lines:
        with writing(engine) as session:
            user = session.get_one(User, two.user)
            staff.change(session, user, who="admin", settings=settings, department_id=two.others)
        assert [line for line in lines if line and not line.startswith(":")] == []
