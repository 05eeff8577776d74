"""Each process reports work only when it has worked; an absent database is no reason not to."""

import os
import re
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from api import server as api_server
from db.engine import now, reading, writing
from db.models import Heartbeat
from dialer import process as dialer_process
from hotline import heartbeats, watchdog
from ivr import server as ivr_server
from ivr.server import Server
from scheduler import process as scheduler_process
from scheduler import progress as scheduler_progress
from scheduler.jobs import Every
from scheduler.progress import Progress
from settings import Settings
from tests.api.answers import HERE
from tests.factories import SECOND
from tests.kit.process import Program, until
from tests.kit.served import running

ROOT = Path(__file__).parents[2]
AWAY = "postgresql+psycopg://nobody@127.0.0.1:1/none"

pytestmark = pytest.mark.parametrize("backend", ["sqlite"])


@pytest.fixture
def ear(monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """The socket to which the processes of this test report their work."""
    name = f"hotline-test-{os.getpid()}"
    monkeypatch.setenv("NOTIFY_SOCKET", f"@{name}")
    monkeypatch.setattr(watchdog, "_last", float("-inf"))
    monkeypatch.setattr(watchdog, "_EVERY_S", 0.0)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
        ear.bind(f"\0{name}")
        yield ear


def says_that_it_works(ear: socket.socket, within: float = 10) -> bool:
    """Whether somebody says so now, whatever was said before."""
    ear.setblocking(False)
    try:
        while True:
            ear.recv(100)
    except BlockingIOError:
        ear.settimeout(within)
    try:
        return b"WATCHDOG=1" in ear.recv(100)
    except TimeoutError:
        return False


@contextmanager
def asking(ask: Callable[..., None], *args: object) -> Iterator[None]:
    stop = threading.Event()
    thread = threading.Thread(target=ask, args=(*args, stop))
    thread.start()
    yield
    stop.set()
    thread.join(10)
    assert not thread.is_alive()


def test_ivr_that_accepts_no_call_reports_no_work(
    settings: Settings, engine: Engine, ear: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ivr_server, "_ASK_S", 0.05)
    monkeypatch.setattr(ivr_server, "_ANSWER_S", 0.3)
    with Server(settings, engine) as server:
        accepting = threading.Thread(target=server.serve_forever, args=(0.01,))
        accepting.start()
        with asking(ivr_server._ask_itself, server):
            assert says_that_it_works(ear)
            server.shutdown()  # it listens on, and its other threads live on
            accepting.join()
            until(lambda: not says_that_it_works(ear, within=0.5), "it is silent")
            assert not says_that_it_works(ear, within=1)


@pytest.mark.long
def test_ivr_without_a_database_reports_work(settings: Settings, engine: Engine, ear: socket.socket) -> None:
    away = settings.model_copy(update={"database_url": AWAY})
    with ivr(away, Path(settings.state_dir).parent / "log"):
        assert says_that_it_works(ear, within=30)
        assert says_that_it_works(ear)


def ivr(settings: Settings, log: Path) -> Program:
    return started("from ivr.server import serve; serve(settings)", settings, log)


def started(script: str, settings: Settings, log: Path) -> Program:
    """A process of ours with these settings, in which `script` is run."""
    given = {name: getattr(settings, name) for name in ("database_url", "agi", "ami", "http", "state_dir")}
    loaded = f"load(_env_file=None, **{ ({k: str(v) for k, v in given.items()})!r})"
    text = f"from settings import load; from ops import log; log.set_up(); settings = {loaded}\n{script}"
    return Program([sys.executable, "-u", "-c", text], folder=ROOT, log=log)


@pytest.mark.long
def test_dialer_without_asterisk_and_database_reports_work(
    settings: Settings, ear: socket.socket, tmp_path: Path
) -> None:
    away = settings.model_copy(update={"database_url": AWAY})
    with started("from dialer.process import serve; serve(settings)", away, tmp_path / "log"):
        assert says_that_it_works(ear, within=30)
        assert says_that_it_works(ear)


def test_dialer_whose_ami_thread_died_ends(
    settings: Settings, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dialer_process.Ami, "run", lambda _ami: None)

    dialer_process.serve(settings)


def test_api_without_a_database_reports_work(
    settings: Settings, ear: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api_server, "_ASK_S", 0.05)
    away = settings.model_copy(update={"database_url": AWAY})
    with running(away) as api, asking(api_server._ask_itself, settings.http, api.liveness.answered):
        assert says_that_it_works(ear)


def test_api_that_reads_no_request_reports_no_work(
    settings: Settings, ear: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api_server, "_ASK_S", 0.05)
    monkeypatch.setattr(api_server, "_ANSWER_S", 0.2)
    with (
        closing(socket.create_server(tuple(settings.http))),  # the kernel accepts, nobody reads
        asking(api_server._ask_itself, settings.http, watchdog.record_work),
    ):
        assert not says_that_it_works(ear, within=1)


def test_api_whose_question_waits_works_while_its_loop_turns(
    settings: Settings, ear: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its own question waits behind those of hundreds of strangers."""
    stands_still = threading.Event()
    with running(settings) as api:
        assert not says_that_it_works(ear, within=1.5), "it has answered nothing yet"
        api.liveness.answered()
        assert says_that_it_works(ear) and says_that_it_works(ear)
        assert api.loop
        api.loop.call_soon_threadsafe(stands_still.wait)
        try:
            until(lambda: not says_that_it_works(ear, within=1.5), "it is silent")
        finally:
            stands_still.set()
        assert says_that_it_works(ear)
        monkeypatch.setattr(api_server, "_ANSWER_S", 0.0)
        assert not says_that_it_works(ear, within=1.5), "it turns, and answers nothing for too long"


# The scheduler


SCHEDULER = """
import threading
import time
from scheduler import process
from scheduler.jobs import Every, JOBS

process._LOOK_S = 0.1
never = lambda engine, settings: threading.Event().wait()
process.JOBS = [Every("carry-over", 1.0, never, limit_s=2.0), *[j for j in JOBS if j.name == "turn-near"]]
process.serve(settings)
"""


@pytest.mark.long
def test_job_that_hangs_is_named_and_silences_the_scheduler(
    settings: Settings, engine: Engine, ear: socket.socket, tmp_path: Path, app: object
) -> None:
    with started(SCHEDULER, settings, tmp_path / "log") as scheduler:
        assert says_that_it_works(ear, within=30)
        named = re.compile(r"stuck in carry-over for ([2-9]|\d\d) s")
        until(lambda: named.search(scheduler.log.read_text()), "the job is named")
        assert not says_that_it_works(ear, within=1.5)
        until(lambda: heartbeat(engine, f"{heartbeats.JOB}turn-near"), "the other jobs are done")
        assert not heartbeat(engine, f"{heartbeats.JOB}carry-over")


@pytest.mark.long
def test_scheduler_without_a_database_reports_work(
    settings: Settings, ear: socket.socket, tmp_path: Path
) -> None:
    away = settings.model_copy(update={"database_url": AWAY})
    with started("from scheduler.process import serve; serve(settings)", away, tmp_path / "log") as scheduler:
        until(lambda: "carry-over: not done" in scheduler.log.read_text(), "a job has failed", 30)
        assert says_that_it_works(ear)
        assert says_that_it_works(ear)
    assert "Traceback" not in scheduler.log.read_text(), "for a technician at night: a line for each"


def heartbeat(engine: Engine, name: str) -> Heartbeat | None:
    with reading(engine) as session:
        return session.get(Heartbeat, heartbeats.find_row(name))


def everybody_beats(engine: Engine) -> None:
    with writing(engine) as session:
        for process in ("ivr", "dialer", "scheduler", "asterisk"):
            heartbeats.beat(session, process)
        fresh = {"carry-over": 36, "requests": 635}
        heartbeats.record_jobs(session, dict.fromkeys(fresh, 0), fresh)


@pytest.mark.parametrize(
    ("job", "age", "health"),
    [
        ("carry-over", 10, "up"),
        ("carry-over", 40, "stuck in carry-over for N s"),
        ("requests", 40, "up"),
        ("requests", 700, "stuck in requests for N s"),
    ],
)
def test_overdue_job_is_named_by_the_health_page(
    engine: Engine, app: object, job: str, age: int, health: str
) -> None:
    everybody_beats(engine)
    with writing(engine) as session:
        session.get_one(Heartbeat, f"{heartbeats.JOB}{job}").at = now(session) - age * SECOND

    answer = TestClient(app, client=HERE).get("/healthz")

    assert re.sub(r"\d+", "N", answer.json()["scheduler"]) == health
    assert answer.status_code == (200 if health == "up" else 503)


def test_clock_jump_changes_no_lateness_of_a_job(engine: Engine, app: object) -> None:
    everybody_beats(engine)
    done, late = Progress("seal", 300), Progress("turn-near", 30)
    done.done()
    with writing(engine) as session:  # as the clock was
        for name in ("seal", "turn-near"):
            session.merge(
                Heartbeat(process=f"{heartbeats.JOB}{name}", at=now(session) - 3600 * SECOND, fresh_s=60)
            )

    scheduler_process._beat(engine, [done, late])

    page = TestClient(app, client=HERE)
    assert re.sub(r"\d+", "N", page.get("/healthz").json()["scheduler"]) == "stuck in turn-near for N s"
    late.done()
    scheduler_process._beat(engine, [done, late])
    assert page.get("/healthz").json()["scheduler"] == "up"


def test_heartbeat_reports_jobs_now_and_then_despite_a_jump(
    engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, steady = [time.time()], [time.monotonic()]
    monkeypatch.setattr(scheduler_process.time, "time", lambda: clock[0])
    monkeypatch.setattr(scheduler_process.time, "monotonic", lambda: steady[0])
    told: list[float] = []
    monkeypatch.setattr(scheduler_process, "_beat", lambda *_: told.append(steady[0]))
    beats = scheduler_process._Beats([])
    for _ in range(10):
        beats.run(engine, settings)
        clock[0], steady[0] = clock[0] + 2, steady[0] + 2
    assert [round(at - told[0]) for at in told] == [0, 10]
    assert heartbeat(engine, heartbeats.SCHEDULER), "and each beat says that the scheduler works"

    clock[0] -= 3600
    beats.run(engine, settings)
    assert len(told) == 3


@pytest.mark.parametrize(("works", "health"), [(True, "up"), (False, "stuck in seal for N s")])
def test_scheduler_after_a_long_lock_is_stuck_only_where_it_is(
    engine: Engine,
    app: object,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    works: bool,
    health: str,
) -> None:
    everybody_beats(engine)
    steady = [time.monotonic()]
    clock = SimpleNamespace(monotonic=lambda: steady[0], time=lambda: steady[0])
    for module in (scheduler_process, scheduler_progress):
        monkeypatch.setattr(module, "time", clock)
    seal = Progress("seal", 300)
    seal.done()
    beats = scheduler_process._Beats([seal])
    beats.run(engine, settings)

    def locked(*_: object) -> None:
        raise OperationalError("", None, Exception())

    with monkeypatch.context() as lock:
        for name in ("beat", "record_jobs"):
            lock.setattr(heartbeats, name, locked)
        for _ in range(100):
            steady[0] += 7.0
            with pytest.raises(OperationalError):
                beats.run(engine, settings)
    beats.run(engine, settings)
    page = TestClient(app, client=HERE)
    assert page.get("/healthz").json()["scheduler"] == "up", "nobody could do it meanwhile"

    for _ in range(100):
        steady[0] += 7.0
        if works:
            seal.done()
        beats.run(engine, settings)
    assert re.sub(r"\d+", "N", page.get("/healthz").json()["scheduler"]) == health


def test_jobs_of_another_version_are_forgotten(engine: Engine) -> None:
    with writing(engine) as session:
        heartbeats.record_jobs(session, {"gone": 0, "seal": 0}, {"gone": 1, "seal": 1})
        heartbeats.beat(session, "ivr")
        heartbeats.record_jobs(session, {"seal": 0}, {"seal": 1})

    assert not heartbeat(engine, f"{heartbeats.JOB}gone")
    assert heartbeat(engine, f"{heartbeats.JOB}seal") and heartbeat(engine, "ivr")


def test_silent_process_after_a_clock_set_back_is_not_alive(
    engine: Engine,
) -> None:
    everybody_beats(engine)
    with writing(engine) as session:
        session.get_one(Heartbeat, "ivr").at = now(session) + 3600 * SECOND
        session.flush()

        assert not heartbeats.is_alive(session, "ivr")
        assert heartbeats.is_alive(session, "dialer")


@pytest.mark.parametrize(("every_s", "again_s"), [(600.0, 5.0), (60.0, 5.0), (5.0, 5.0), (1.0, 1.0)])
def test_failed_job_is_retried_within_seconds(
    engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch, every_s: float, again_s: float
) -> None:
    rests: list[float] = []

    def rest(seconds: float) -> None:
        rests.append(seconds)
        if len(rests) > 1:
            raise SystemExit

    def away(_engine: Engine, _settings: Settings) -> None:
        if not rests:
            raise OSError("the database is away")

    monkeypatch.setattr(scheduler_process, "time", SimpleNamespace(sleep=rest))
    with pytest.raises(SystemExit):
        scheduler_process._repeat(Every("slow", every_s, away), Progress("slow", 30), engine, settings)

    assert rests == [again_s, every_s]
