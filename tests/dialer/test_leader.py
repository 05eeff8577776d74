"""Exactly one of several dialers leads: real processes, killed without a word."""

import logging
import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Engine

from db.engine import now, reading, writing
from db.states import CallbackState, Outcome
from dialer.leader import DatabaseLeader, FileLeader, Leader, create_leadership
from dialer.process import Turns
from dialplan.accounts import AMI_USER
from hotline.callbacks import transitions
from settings import Settings
from settings.addresses import Address
from tests.factories import a_callback
from tests.kit.databases import on_both  # noqa: F401  (fixture)
from tests.kit.fake_manager import FakeManager
from tests.kit.ports import free_port
from tests.kit.process import Program, in_time, until

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[2]
Start = Callable[[], Program]


@pytest.fixture
def start(settings: Settings, tmp_path: Path) -> Iterator[Start]:
    """Another dialer's process, as far as leading goes."""
    with ExitStack() as running:

        def start() -> Program:
            number = len(list(tmp_path.glob("dialer-*")))
            command = [sys.executable, "-m", "tests.kit.leading", settings.state_dir, settings.database]
            program = Program(command, folder=ROOT, log=tmp_path / f"dialer-{number}")
            running.enter_context(program)
            program.ready(lambda: said(program))
            return program

        yield start


def said(program: Program) -> str:
    """The last that it said of itself."""
    return program.log.read_text().strip().rpartition("\n")[2]


def leads(program: Program) -> bool:
    return program.alive() and said(program) == "leads"


def test_killed_leader_is_replaced_within_five_seconds(
    start: Start,
) -> None:
    dialers = [start() for _ in range(3)]
    until(lambda: sum(map(leads, dialers)) == 1, "one leads")
    for _ in range(2):
        leader = next(filter(leads, dialers))
        os.kill(leader.pid, signal.SIGKILL)
        killed = time.monotonic()
        dialers.remove(leader)
        until(lambda: any(map(leads, dialers)), "another leads")
        assert in_time(time.monotonic() - killed, 5.0)
        assert sum(map(leads, dialers)) == 1


def test_stopped_leader_still_leads_alone(
    start: Start,
) -> None:
    first = start()
    until(lambda: leads(first), "the first leads")
    os.kill(first.pid, signal.SIGSTOP)
    second = start()
    assert said(second) == "follows"
    os.kill(first.pid, signal.SIGKILL)
    killed = time.monotonic()
    until(lambda: leads(second), "the second leads")
    assert in_time(time.monotonic() - killed, 5.0)


def test_killed_leaders_calls_are_taken_over_in_time(
    settings: Settings, engine: Engine, tmp_path: Path
) -> None:
    with ExitStack() as running:
        secret, dialers = settings.secret_for(AMI_USER), []
        for number in range(2):  # each with a line of its own to the same Asterisk, as far as they know
            manager = running.enter_context(FakeManager(Address("127.0.0.1", free_port()), secret))
            environment = {"HOTLINE_STATE_DIR": str(settings.state_dir), "HOTLINE_AMI": str(manager.address)}
            environment |= {"HOTLINE_DATABASE_URL": settings.database, "HOTLINE_ENV_FILE": "/dev/null"}
            command = [sys.executable, "-m", "ops.process", "dialer"]
            log = tmp_path / f"work-{number}"
            dialers.append(
                (running.enter_context(Program(command, folder=ROOT, log=log, env=environment)), manager)
            )
            manager.wait_for("Login")
        first = asked_for(engine)
        until(lambda: any(manager.named("Originate") for _, manager in dialers), "the first call")
        (leader, his), (_, other) = sorted(dialers, key=lambda pair: not pair[1].named("Originate"))
        assert not other.named("Originate") and not other.named("CoreShowChannels"), "it does nothing"

        other.channels = his.channels  # it is one Asterisk
        os.kill(leader.pid, signal.SIGKILL)
        killed = time.monotonic()
        second = asked_for(engine)
        other.wait_for("Originate")
        assert in_time(time.monotonic() - killed, 5.0)
        assert [o["ChannelId"] for o in his.named("Originate") + other.named("Originate")] == [first, second]
        other.refuses(first, 486)
        until(lambda: outcome(engine, first) is Outcome.BUSY, "the call of the dead one ends in the truth")


def asked_for(engine: Engine) -> str:
    """A call is asked for, for no desk in particular."""
    with writing(engine) as session:
        callback = a_callback(session, CallbackState.DIALING)
        callback.desk_id = callback.user_id = None
        callback.called_at = now(session)
        return callback.token


def outcome(engine: Engine, token: str) -> Outcome | None:
    with reading(engine) as session:
        callback = transitions.find_by_token(session, token)
        return callback.outcome if callback else None


# In one process


@pytest.fixture
def two(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Leader, Leader]]:
    monkeypatch.setattr("dialer.leader._LOOK_S", 0.0)
    both = create_leadership(settings), create_leadership(settings)
    yield both
    for each in both:
        each.close()


def test_first_of_two_leads_until_it_lets_go(
    two: tuple[Leader, Leader],
) -> None:
    first, second = two
    assert [(first.leads(), second.leads()) for _ in range(3)] == [(True, False)] * 3
    first.close()
    assert not first.leads(), "what it had is gone, and noticed"
    until(second.leads, "the lock is free")  # PostgreSQL ends the session in its own time
    assert not first.leads()


def test_lost_lead_is_logged_as_a_warning(
    two: tuple[Leader, Leader], caplog: pytest.LogCaptureFixture
) -> None:
    first, _ = two
    with caplog.at_level(logging.INFO, "dialer"):
        assert first.leads()
        first.close()
        assert not first.leads()
    said = [(record.levelname, record.getMessage()) for record in caplog.records]
    assert said == [("INFO", "this dialer leads now"), ("WARNING", "this dialer does not lead any more")]


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
def test_leader_with_a_cut_connection_yields_first(two: tuple[Leader, Leader], database: str) -> None:
    first, second = two
    assert isinstance(first, DatabaseLeader)
    assert first.leads()
    with psycopg.connect(database.replace("+psycopg", ""), autocommit=True) as admin:
        # It is awaited: whoever held the lock hears of the end before it is free.
        admin.execute("SELECT pg_terminate_backend(pid, 30000) FROM pg_locks WHERE locktype = 'advisory'")
    assert not first.leads()
    assert second.leads()
    assert not first.leads(), "it asks anew, and another has it"


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
def test_absent_database_leaves_no_leader(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dialer.leader._LOOK_S", 0.0)
    away = create_leadership(
        settings.model_copy(update={"database_url": "postgresql+psycopg://nobody@127.0.0.1:9/none"})
    )
    assert not away.leads()
    assert not away.leads()


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_removed_lock_file_ends_or_renews_the_lead(two: tuple[Leader, Leader], settings: Settings) -> None:
    first, second = two
    assert isinstance(first, FileLeader)
    assert first.leads()
    (settings.state_dir / "dialer.lock").unlink()
    assert second.leads(), "a new file is a new lock"
    assert not first.leads()
    assert (first.leads(), second.leads()) == (False, True)


# What the process does with it


class Script(Leader):
    """Leads or not as it is told, turn by turn."""

    def __init__(self, *answers: bool) -> None:
        super().__init__()
        self.answers = iter(answers)

    def leads(self) -> bool:
        return next(self.answers)

    def _take(self) -> bool:
        raise NotImplementedError

    _holds = _take

    def close(self) -> None:
        raise NotImplementedError


class Manager:
    """Events that nobody but a leader is to see."""

    def __init__(self) -> None:
        self.events: queue.SimpleQueue[str] = queue.SimpleQueue()
        self.connected = threading.Event()


def test_dialer_works_only_while_it_leads(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("dialer.process.POLL_S", 0.01)
    manager, work = Manager(), []

    class Worker:
        def __init__(self) -> None:
            self.number = len(set(work)) + 1

        def step(self) -> None:
            work.append(self.number)

    turns = Turns(Script(False, True, True, False, True), manager, Worker)  # type: ignore[arg-type]
    for _ in range(3):
        manager.events.put("event")
    assert [turns.take() for _ in range(5)] == [False, True, True, False, True]
    assert work == [1, 1, 2], "each time it comes to lead, a dialer that remembers nothing"
    assert manager.events.qsize() == 1, "what it heard while another led is gone"


def test_dead_lease_thread_ends_the_process() -> None:
    keeper = threading.Thread(target=lambda: None)
    turns = Turns(Script(), Manager(), lambda: None, [keeper])  # type: ignore[arg-type,return-value]
    keeper.start()
    keeper.join()
    assert not turns.are_kept()
    assert Turns(Script(), Manager(), lambda: None).are_kept()  # type: ignore[arg-type,return-value]


def test_cluster_leader_without_lease_or_asterisk_yields(
    monkeypatch: pytest.MonkeyPatch, two: tuple[Leader, Leader]
) -> None:
    monkeypatch.setattr("dialer.process.POLL_S", 0.01)
    first, second = two
    manager = Manager()
    manager.connected.set()

    class Worker:
        def step(self) -> None:
            first.leads()

    turns = Turns(Script(True, True, True, False), manager, Worker, [], first.release)  # type: ignore[arg-type]
    turns.take()
    assert not second.leads()
    manager.connected.clear()
    turns.take()
    until(second.leads, "without its Asterisk it cannot lead")
    second.release()
    manager.connected.set()
    until(first.leads, "the lock is free")
    assert not Turns(Script(False), manager, Worker, [], first.release).take()  # type: ignore[arg-type]
    until(second.leads, "without its lease it may not lead")
