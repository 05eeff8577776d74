"""Two PostgreSQL servers, one of which follows the other: what is committed stays, and all of us go on."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, suppress
from typing import Any

import psycopg
import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError

from db.engine import connect, is_away, reading, writing
from db.migrate import upgrade
from db.postgres import parse_url
from dialer.leader import DatabaseLeader
from tests.factories import a_round
from tests.kit.postgres import Postgres
from tests.kit.process import until
from tests.kit.registering import Callers

AWAY_S = 60.0
"""Seconds are enough on a machine with nothing else to do; who hangs with the server hangs for ever."""
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


@pytest.fixture
def callers(engine: Engine) -> Iterator[Callers]:
    with writing(engine) as session:
        round_id = a_round(session).id
    with Callers(engine, round_id) as calling:
        yield calling


@pytest.mark.long
def test_failover_of_a_dead_primary_loses_no_spoken_ticket(
    pair: Pair, engine: Engine, callers: Callers
) -> None:
    pair.primary.kill()
    pair.promote()

    callers.go_on(AWAY_S)
    callers.assert_nothing_is_lost()


@pytest.mark.long
def test_failover_of_a_hung_primary_resumes_in_time(pair: Pair, engine: Engine, callers: Callers) -> None:
    with pair.primary.frozen():
        pair.promote()
        callers.go_on(AWAY_S)
        callers.assert_nothing_is_lost()


def _opens_a_round(engine: Engine) -> None:
    with writing(engine) as session:
        a_round(session)


@pytest.mark.long
def test_write_to_a_read_only_primary_finds_the_standby(pair: Pair, engine: Engine) -> None:
    _opens_a_round(engine)
    say(pair.primary, "ALTER SYSTEM SET default_transaction_read_only = on")
    say(pair.primary, "SELECT pg_reload_conf()")
    until(lambda: _only_reads(engine), "it only reads")
    with pytest.raises(OperationalError) as refused:
        _opens_a_round(engine)
    assert is_away(refused.value)
    pair.promote()
    _opens_a_round(engine)
    with reading(engine) as session:
        assert session.scalar(text("SELECT inet_server_port()")) == pair.standby.port


def _only_reads(engine: Engine) -> bool:
    with reading(engine) as session:
        return bool(session.scalar(text("SHOW transaction_read_only")) == "on")


@pytest.mark.long
def test_leader_whose_server_hangs_loses_the_lead_to_another(
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


def _either(*ports: int) -> str:
    hosts = "&".join(f"host=127.0.0.1:{port}" for port in ports)
    return f"postgresql+psycopg://postgres@/postgres?{hosts}"


class Stranger:
    """Something on a port that is no server: it lets in, says nothing, and hangs up if told so."""

    def __init__(self, *, hangs_up: bool) -> None:
        self.asked_at: list[float] = []
        self._hangs_up = hangs_up
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._let_in: list[socket.socket] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                self.asked_at.append(time.monotonic())
                if self._hangs_up:
                    connection.close()
                else:
                    self._let_in.append(connection)

    def close(self) -> None:
        for each in (self._socket, *self._let_in):
            each.close()


@pytest.mark.parametrize("hangs_up", [False, True])
def test_server_that_accepted_last_is_asked_first(postgres: Postgres, *, hangs_up: bool) -> None:
    with closing(Stranger(hangs_up=hangs_up)) as hung:
        engine = connect(_either(hung.port, postgres.port))
        another = connect(_either(hung.port, postgres.port))
        with engine.connect(), engine.connect(), another.connect() as third:
            assert third.scalar(text("SELECT inet_server_port()")) == postgres.port
        for each in (engine, another):
            each.dispose()
        assert len(hung.asked_at) == 1


def test_hung_server_is_asked_once_while_the_other_refuses(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("db.postgres._SILENT_S", AWAY_S)
    with closing(Stranger(hangs_up=False)) as hung, closing(Stranger(hangs_up=True)) as other:
        engine = connect(_either(hung.port, other.port))
        asked = []
        for _ in range(3):
            with pytest.raises(OperationalError):
                engine.connect()
            asked.append((len(hung.asked_at), len(other.asked_at)))
        engine.dispose()
        assert asked == [(1, 1), (1, 2), (1, 3)]


def test_server_is_asked_last_after_its_silence_expires(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("db.postgres._SILENT_S", 0.0)
    with closing(Stranger(hangs_up=False)) as hung, closing(Stranger(hangs_up=True)) as other:
        engine = connect(_either(hung.port, other.port))
        for _ in range(2):
            with pytest.raises(OperationalError, match="timeout"):
                engine.connect()
        engine.dispose()
        assert hung.asked_at[0] < other.asked_at[0] < other.asked_at[1] < hung.asked_at[1]


def test_both_forms_of_a_host_list_give_libpq_the_same() -> None:
    ways = ("host=a,b&port=1,2", "host=a:1&host=b:2")
    for way in ways:
        told = parse_url(f"postgresql+psycopg://me:secret@/hotline?{way}")
        assert told == {
            **{"user": "me", "password": "secret", "dbname": "hotline"},
            **{"host": "a,b", "port": "1,2", "target_session_attrs": "read-write"},
        }
    assert "target_session_attrs" not in parse_url("postgresql+psycopg://me@a:1/hotline")
