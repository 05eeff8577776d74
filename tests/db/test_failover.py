"""Two PostgreSQL servers, one of which follows the other: what is committed stays, and all of us go on."""

import random
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from typing import Any

import psycopg
import pytest
from sqlalchemy import Engine, select, text
from sqlalchemy.exc import DBAPIError, OperationalError

from db.engine import connect, reading, writing
from db.migrate import upgrade
from db.models import Registration
from db.postgres import parameters
from dialer.leader import DatabaseLeader
from hotline.line import registration
from tests.factories import a_number, a_round
from tests.kit.postgres import Postgres
from tests.kit.process import until

AWAY_S = 20.0
"""As long as an answer is awaited, and both servers are asked, for each of those who wait."""
_REAL: dict[str, Any] = {"wal_level": "replica", "max_wal_senders": 10, "synchronous_commit": "on"}


class Pair:
    """A primary, and a standby that has each commit before it is acknowledged."""

    def __init__(self, primary: Postgres, standby: Postgres) -> None:
        self.primary, self.standby = primary, standby
        ports = f"{primary.port},{standby.port}"
        self.url = f"postgresql+psycopg://postgres@/hotline?host=127.0.0.1,127.0.0.1&port={ports}"

    def promote(self) -> None:
        say(self.standby, "SELECT pg_promote()")
        say(self.standby, "ALTER SYSTEM RESET synchronous_standby_names")
        say(self.standby, "SELECT pg_reload_conf()")


def say(server: Postgres, statement: str) -> None:
    with psycopg.connect(server.url.replace("+psycopg", ""), autocommit=True) as admin:
        admin.execute(statement.encode())


@pytest.fixture
def pair() -> Iterator[Pair]:
    with ExitStack() as running:
        primary = running.enter_context(Postgres(**_REAL))
        engine = connect(primary.create_database("hotline"))
        upgrade(engine)
        engine.dispose()
        say(primary, "ALTER SYSTEM SET synchronous_standby_names = '*'")
        standby = running.enter_context(Postgres(follows=primary, **_REAL))
        say(primary, "SELECT pg_reload_conf()")
        yield Pair(primary, standby)


@pytest.fixture
def engine(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    monkeypatch.setattr("db.engine._ANSWER_S", 2.0)  # as the leader's: a test's time
    engine = connect(pair.url)
    yield engine
    engine.dispose()


class Callers:
    """Many who register, one after the other; what each was told."""

    def __init__(self, engine: Engine, round_id: int) -> None:
        self._engine, self._round_id = engine, round_id
        self._stop = threading.Event()
        self._pool = ThreadPoolExecutor(4)
        self.spoken: dict[str, str] = {}
        self._works = [self._pool.submit(self._call) for _ in range(4)]

    def _call(self) -> None:
        while not self._stop.is_set():
            number = a_number()
            while number not in self.spoken and not self._stop.is_set():
                with suppress(DBAPIError):  # the caller is asked to call again, and does
                    with writing(self._engine) as session:
                        told = registration.register(session, round_id=self._round_id, number=number)
                    self.spoken[number] = told.ticket
                    continue
                time.sleep(random.uniform(0.01, 0.05))

    def go_on(self) -> None:
        """Until more of them were told something."""
        before = len(self.spoken)
        until(lambda: len(self.spoken) > before + 20, "registrations go on", AWAY_S)

    def end(self) -> None:
        self._stop.set()
        for each in self._works:
            each.result(AWAY_S)
        self._pool.shutdown()


@pytest.fixture
def callers(engine: Engine) -> Iterator[Callers]:
    with writing(engine) as session:
        round_id = a_round(session).id
    calling = Callers(engine, round_id)
    calling.go_on()
    yield calling
    calling.end()


def assert_nothing_lost(engine: Engine, callers: Callers) -> None:
    callers.end()
    with reading(engine) as session:
        rows = session.execute(select(Registration.number, Registration.ticket)).all()
    assert len({number for number, _ in rows}) == len(rows)
    assert callers.spoken.items() <= {number: ticket for number, ticket in rows}.items()


def test_given_registrations_when_the_primary_dies_and_the_standby_takes_over_then_no_spoken_ticket_is_lost(
    pair: Pair, engine: Engine, callers: Callers
) -> None:
    pair.primary.kill()
    pair.promote()

    callers.go_on()
    assert_nothing_lost(engine, callers)


def test_given_registrations_when_the_primary_hangs_and_the_standby_takes_over_then_they_go_on_in_time(
    pair: Pair, engine: Engine, callers: Callers
) -> None:
    with pair.primary.frozen():
        pair.promote()
        hung = time.monotonic()
        callers.go_on()
        assert time.monotonic() - hung < AWAY_S
        assert_nothing_lost(engine, callers)


def test_given_a_primary_that_only_reads_from_now_on_when_written_to_then_it_is_away_and_the_other_is_found(
    pair: Pair, engine: Engine
) -> None:
    with writing(engine) as session:
        a_round(session)
    say(pair.primary, "ALTER SYSTEM SET default_transaction_read_only = on")
    say(pair.primary, "SELECT pg_reload_conf()")
    until(lambda: _only_reads(engine), "it only reads")
    with pytest.raises(OperationalError), writing(engine) as session:
        a_round(session)
    pair.promote()
    with writing(engine) as session:
        a_round(session)
        assert session.scalar(text("SELECT inet_server_port()")) == pair.standby.port


def _only_reads(engine: Engine) -> bool:
    with reading(engine) as session:
        return bool(session.scalar(text("SHOW transaction_read_only")) == "on")


def test_given_a_leader_when_its_server_hangs_or_only_follows_then_it_leads_no_more_and_one_leads_elsewhere(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dialer.leader._LOOK_S", 0.0)
    first, second, follower = (
        DatabaseLeader(url) for url in (pair.url, pair.url, pair.standby.url.replace("/postgres", "/hotline"))
    )
    assert (first.leads(), second.leads()) == (True, False)
    assert not follower.leads(), "the lock of a server that follows is none"
    with pair.primary.frozen():
        began = time.monotonic()
        assert not first.leads()
        assert time.monotonic() - began < AWAY_S
        pair.promote()
        until(second.leads, "another leads")
        assert not first.leads()
    for _ in range(3):
        assert (first.leads(), second.leads()) == (False, True)
    for each in (first, second, follower):
        each.close()


def test_given_the_same_servers_named_in_each_way_when_read_then_libpq_is_told_the_same() -> None:
    ways = ("host=a,b&port=1,2", "host=a:1&host=b:2")
    for way in ways:
        told = parameters(f"postgresql+psycopg://me:secret@/hotline?{way}")
        assert told == {
            **{"user": "me", "password": "secret", "dbname": "hotline"},
            **{"host": "a,b", "port": "1,2", "target_session_attrs": "read-write"},
        }
    assert "target_session_attrs" not in parameters("postgresql+psycopg://me@a:1/hotline")
