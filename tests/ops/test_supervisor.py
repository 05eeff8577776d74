"""Processes are kept alive and working: who dies is started again, who hangs is killed first."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import psutil
import pytest

from hotline import watchdog
from ops import console, hang_timeouts, supervisor
from ops.hang_timeouts import LOOK_S, HangTimeout, Seen, read_state
from ops.supervisor import Program, Supervisor
from tests.kit.process import Program as Running
from tests.kit.process import slowness, until

ROOT = Path(__file__).parents[2]

WORKS = """
import time
from hotline import watchdog
watchdog._EVERY_S = 0.25
while True: watchdog.record_work(); time.sleep(0.1)
"""
BEGINS_AND_HANGS = "import time; from hotline.watchdog import record_work\nrecord_work(); time.sleep(999)"
NEVER_BEGINS = "import time; time.sleep(999)"


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """All but the looks is quicker, four times."""
    monkeypatch.setattr(supervisor, "_ASK_S", 0.25)
    monkeypatch.setattr(hang_timeouts, "IDLE_S", 2.0)
    monkeypatch.setattr(hang_timeouts, "START_S", 4.0)


class Kept:
    """The processes and the output of the supervisor."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._others = {child.pid for child in psutil.Process().children()}  # this test process's database

    def pids(self) -> list[int]:
        return [child.pid for child in psutil.Process().children() if child.pid not in self._others]

    def told(self, words: str) -> int:
        return sum(words in line for line in self.lines)

    async def pid(self, other_than: int = 0) -> int:
        async with asyncio.timeout(15):
            while not (there := [pid for pid in self.pids() if pid != other_than]):
                await asyncio.sleep(0.02)
        return there[0]

    async def until_told(self, words: str, times: int = 1, seconds: float = 15) -> None:
        async with asyncio.timeout(seconds):
            while self.told(words) < times:
                await asyncio.sleep(0.02)


def keep(program: Program, scenario: Callable[[Kept], Awaitable[None]]) -> Kept:
    """Keep the program while the scenario runs."""
    kept = Kept()

    async def both() -> None:
        supervisor = Supervisor([program], kept.lines.append)
        running = asyncio.create_task(supervisor.run())
        try:
            await scenario(kept)
        finally:
            supervisor.stop()
            await running

    asyncio.run(both())
    return kept


def python(script: str) -> Program:
    return Program("it", [sys.executable, "-c", script])


@pytest.mark.usefixtures("impatient")
def test_working_process_is_left_alone() -> None:
    async def scenario(kept: Kept) -> None:
        pid = await kept.pid()
        await asyncio.sleep(3.5)
        assert kept.pids() == [pid]

    assert not keep(python(WORKS), scenario).told("killed")


@pytest.mark.usefixtures("impatient")
def test_stopped_process_is_replaced_after_the_timeout() -> None:
    async def scenario(kept: Kept) -> None:
        pid = await kept.pid()
        await asyncio.sleep(1)
        os.kill(pid, signal.SIGSTOP)
        stopped = time.monotonic()
        await kept.until_told("has done nothing for ")
        assert time.monotonic() - stopped < 4 * slowness()
        assert await kept.pid(pid) != pid
        assert not psutil.pid_exists(pid)

    keep(python(WORKS), scenario)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("script", [BEGINS_AND_HANGS, NEVER_BEGINS], ids=["begins", "never-begins"])
def test_idle_process_is_killed_after_the_timeout(
    script: str,
) -> None:
    async def scenario(kept: Kept) -> None:
        pid = await kept.pid()
        await kept.until_told("killed")
        await kept.pid(pid)

    keep(python(script), scenario)


@pytest.mark.usefixtures("impatient")
def test_slow_start_within_its_time_is_left_alone() -> None:
    async def scenario(kept: Kept) -> None:
        pid = await kept.pid()
        await asyncio.sleep(3.5)
        assert kept.pids() == [pid]

    keep(python(f"import time\nwhile time.process_time() < 2.5: pass\n{WORKS}"), scenario)


def test_dead_process_is_restarted_and_its_output_kept() -> None:
    async def scenario(kept: Kept) -> None:
        await kept.until_told("ended with 7", times=2)

    kept = keep(python("print('last words'); raise SystemExit(7)"), scenario)
    assert kept.told("it | last words") >= 2
    assert kept.pids() == []


@pytest.mark.usefixtures("impatient")
def test_process_that_stops_answering_is_killed() -> None:
    answers = threading.Event()
    answers.set()

    def ask() -> None:
        if not answers.is_set():
            raise OSError

    async def scenario(kept: Kept) -> None:
        pid = await kept.pid()
        await asyncio.sleep(3)
        assert kept.pids() == [pid]
        answers.clear()
        await kept.until_told("killed")

    keep(Program("it", ["sleep", "999"], ask), scenario)


# HangTimeout


def looks(kept: HangTimeout, seconds: float, *, busy: bool = False, stopped: bool = False) -> float | None:
    """When it is spent, looked at in time for so many seconds; a `busy` program uses the processor."""
    for turn in range(int(seconds / LOOK_S)):
        if kept.spent(LOOK_S, Seen(stopped, turn + 1 if busy else 0)):
            return (turn + 1) * LOOK_S
    return None


def test_timeout_doubles_with_each_kill_up_to_a_minute() -> None:
    kept, lives = HangTimeout(), []
    for _ in range(6):
        kept.begin()
        kept.worked()
        lives.append(looks(kept, 100))  # or it waits for a slow database, and uses no processor either

    assert lives == [8, 16, 32, 64, 64, 64]


def test_stopped_program_keeps_the_first_timeout() -> None:
    kept = HangTimeout()
    for _ in range(3):
        kept.begin()
        kept.worked()
        assert looks(kept, 100, stopped=True) == 8
        kept.begin()
        assert looks(kept, 100, stopped=True) == 8, "also while it begins"


def test_busy_program_that_is_silent_gets_longer() -> None:
    kept = HangTimeout()
    kept.worked()
    assert looks(kept, 200, busy=True) == 30, "a rush; or it turns in a circle"
    kept.begin()
    kept.worked()
    assert looks(kept, 5, busy=True) is None
    assert looks(kept, 200) == 16, "the time at rest counts"


def test_program_without_a_processor_is_not_at_rest() -> None:
    """Two programs share one processor: each waits for half of the time."""
    one = {min(os.sched_getaffinity(0))}
    command = [sys.executable, "-c", f"import os\nos.sched_setaffinity(0, {one})\nwhile True: pass"]
    with subprocess.Popen(command) as first, subprocess.Popen(command) as second:
        try:
            until(lambda: waited(first.pid) > 0.5 < waited(second.pid), "both wait for it")
            os.kill(first.pid, signal.SIGSTOP)
            until(lambda: bool((seen := read_state(first.pid)) and seen.stopped), "it is stopped")
            before, cpu = read_state(first.pid), sum(psutil.Process(second.pid).cpu_times()[:2])
            until(lambda: sum(psutil.Process(second.pid).cpu_times()[:2]) > cpu + 0.2, "the other goes on")
            assert read_state(first.pid) == before, "who is stopped waits for no processor"
        finally:
            first.kill()
            second.kill()


def test_program_whose_threads_lack_a_processor_is_not_at_rest() -> None:
    """Its main thread sleeps, as Asterisk's does; each of two others shares one processor with the other."""
    one = {min(os.sched_getaffinity(0))}
    work = "def work():\n while True: pass"
    threads = "[Thread(target=work, daemon=True).start() for _ in range(2)]\nsleep(60)"
    program = f"import os\nfrom threading import Thread\nfrom time import sleep\n{work}\n"
    command = [sys.executable, "-c", f"{program}os.sched_setaffinity(0, {one})\n{threads}"]
    with subprocess.Popen(command) as starved:
        try:
            until(lambda: psutil.Process(starved.pid).num_threads() == 3, "they have begun")
            before = waited(starved.pid)
            until(lambda: waited(starved.pid) > before + 0.5, "they wait for it")
        finally:
            starved.kill()


def waited(pid: int) -> float:
    """How long it has waited for a processor, in seconds."""
    seen = read_state(pid)
    return seen.used - sum(psutil.Process(pid).cpu_times()[:2]) if seen else 0.0


def test_long_good_life_restores_the_first_timeout() -> None:
    kept = HangTimeout()
    kept.worked()
    assert looks(kept, 100) == 8
    kept.begin()
    for _ in range(130):
        kept.worked()
        assert looks(kept, 5) is None
    kept.worked()

    assert looks(kept, 100) == 8


def test_own_absence_of_the_keeper_kills_nobody() -> None:
    kept = HangTimeout()
    kept.worked()

    assert not kept.spent(3600, None)
    kept.worked()
    assert looks(kept, 100) == 8


def test_slow_start_gets_longer_each_time() -> None:
    kept = HangTimeout()
    assert looks(kept, 200, busy=True) == 30
    kept.begin()
    assert looks(kept, 200, busy=True) == 60, "a machine that is only slow gets there"


def test_idle_start_is_not_counted_as_slow() -> None:
    kept = HangTimeout()
    assert looks(kept, 5, busy=True) is None
    assert looks(kept, 200) == 8, "the time since it last did anything counts"
    kept.begin()
    assert looks(kept, 200) == 16, "it may wait for something"


def test_start_of_an_unknown_program_gets_its_time() -> None:
    kept = HangTimeout()

    assert not any(kept.spent(LOOK_S, None) for _ in range(int(30 / LOOK_S) - 1))
    assert kept.spent(LOOK_S, None)


def test_long_life_without_a_start_is_not_a_good_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(hang_timeouts, "_GOOD_LIFE_S", 5.0)
    kept = HangTimeout()
    assert looks(kept, 200, busy=True) == 30
    kept.begin()
    assert looks(kept, 200, busy=True) == 60


@pytest.mark.usefixtures("impatient")
def test_process_stopped_during_its_start_is_killed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(supervisor, "LOOK_S", 0.7)  # as where the keeper itself is late

    async def scenario(kept: Kept) -> None:
        pid = await kept.pid()
        os.kill(pid, signal.SIGSTOP)
        await kept.until_told("has done nothing for ")
        await kept.pid(pid)

    keep(python(f"import time\nwhile time.process_time() < 30: pass\n{WORKS}"), scenario)


# What processes say


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watchdog, "_last", float("-inf"))


@pytest.mark.usefixtures("said")
@pytest.mark.parametrize("abstract", [True, False])
def test_work_is_reported_to_systemd_once_a_second(
    abstract: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"hotline-test-{os.getpid()}" if abstract else str(tmp_path / "notify")
    monkeypatch.setenv("NOTIFY_SOCKET", f"@{name}" if abstract else name)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
        ear.bind(f"\0{name}" if abstract else name)
        for _ in range(3):
            watchdog.record_work()

        assert ear.recv(100) == b"READY=1\nWATCHDOG=1"
        with pytest.raises(BlockingIOError):
            ear.recv(100, socket.MSG_DONTWAIT)


@pytest.mark.usefixtures("said")
def test_deaf_watchdog_socket_blocks_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    watchdog.record_work()
    monkeypatch.setattr(watchdog, "_EVERY_S", 0)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as deaf:
        deaf.bind(str(tmp_path / "notify"))
        for _ in range(1000):
            watchdog.record_work()


@pytest.mark.usefixtures("said")
def test_keeper_reports_to_systemd_and_stops_its_process(
    tmp_path: Path,
) -> None:
    command = [
        sys.executable,
        "-u",
        "-m",
        "ops.process_parent",
        "it",
        "sh",
        "-c",
        "echo ${NOTIFY_SOCKET#@hotline137}; sleep 99",
    ]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
        ear.bind(str(tmp_path / "notify"))
        ear.settimeout(60)
        environment = {"NOTIFY_SOCKET": str(tmp_path / "notify")}
        with Running(command, folder=ROOT, log=tmp_path / "log", env=environment) as keeper:
            assert b"WATCHDOG=1" in ear.recv(100)
            until(lambda: "it | -" in keeper.last_words(), "the process has a keeper of its own")
            [sleeping] = psutil.Process(keeper.pid).children()
            keeper.stop(patience=60)

            assert keeper.wait(0) == 0
            assert not sleeping.is_running()


# Asterisk's console: the real one is asked in tests/faults/test_hung_processes.py


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console, "_ANSWER_S", 0.3)


@pytest.fixture
def ear(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "asterisk.ctl"))
        listening.listen()
        yield listening


@pytest.mark.usefixtures("short")
@pytest.mark.parametrize("says", [b"", b"host/1/Asterisk 22\n", b"nobody is not a known channel\n"])
def test_core_that_hangs_gives_no_answer(ear: socket.socket, tmp_path: Path, says: bytes) -> None:
    def half() -> None:
        wire, _ = ear.accept()
        wire.sendall(says)
        with wire:
            threading.Event().wait(1)

    threading.Thread(target=half, daemon=True).start()
    with pytest.raises(TimeoutError):
        console.check_core(tmp_path / "asterisk.ctl")


def test_missing_asterisk_gives_no_answer(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        console.check_core(tmp_path / "asterisk.ctl")
