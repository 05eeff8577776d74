"""Processes that begin as copies of a nursery: kept as any other, and there without one, too."""

import asyncio
import errno
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

import psutil
import pytest

from ops import nursery_client
from ops.process import MODULES
from ops.supervisor import Program, Supervisor

NAME = "it"
WORKS = """
import os, time
from hotline import watchdog
def run(name):
    print("works", name, os.getpid(), os.getppid(), os.getsid(0), os.environ["FOR_IT"], flush=True)
    while True: watchdog.worked(); time.sleep(0.1)
"""
ENDS = "import sys\ndef run(name): print('ends'); sys.exit(3)\n"
THREAD = "import threading, time\nthreading.Thread(target=time.sleep, args=[99], daemon=True).start()"
ALONE = "import time; print('by itself', flush=True); time.sleep(999)"


class Kept:
    """What the supervisor has started and said."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    async def said(self, words: str, times: int = 1) -> str:
        """The last line with these words, once there are so many."""
        async with asyncio.timeout(30):
            while len(found := [line for line in self.lines if words in line]) < times:
                await asyncio.sleep(0.02)
        return found[-1]

    async def works(self, times: int = 1) -> tuple[int, int, int]:
        """A copy's number, its parent's and its session's."""
        pid, parent, session = (await self.said("works it", times)).split()[5:8]
        return int(pid), int(parent), int(session)


def runs(pid: int) -> bool:
    """Whether this process is there; one that nobody has asked for its end yet is not."""
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def nursery(script: str, modules: Mapping[str, str | None]) -> list[str]:
    """The command line of one whose copies do `run` of this script."""
    begins = f"{script}\nfrom ops import nursery\nnursery.main(run, {modules!r})"
    return [sys.executable, "-u", "-c", begins]


def keep(
    scenario: Callable[[Kept], Awaitable[None]],
    script: str = WORKS,
    module: str | None = "json",
) -> Kept:
    """Keep one process while the scenario runs."""
    kept = Kept()

    async def both() -> None:
        program = Program(NAME, [sys.executable, "-u", "-c", ALONE], copied=True)
        supervisor = Supervisor([program], kept.lines.append, nursery=nursery(script, {NAME: module}))
        running = asyncio.create_task(supervisor.run())
        try:
            await scenario(kept)
        finally:
            supervisor.stop()
            await running

    asyncio.run(both())
    return kept


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOR_IT", "its-own")


def test_given_a_nursery_when_a_process_is_wanted_then_it_is_a_copy_with_all_of_its_own() -> None:
    async def scenario(kept: Kept) -> None:
        pid, parent, session = await kept.works()
        assert psutil.Process(parent).ppid() == os.getpid(), "the nursery is the keeper's"
        assert session == pid
        assert "its-own" in kept.lines[0]
        assert psutil.Process(pid).cmdline()[-1].endswith(ALONE.rsplit(maxsplit=1)[-1]), (
            "shown as if started by itself"
        )
        there.extend([pid, parent])

    there: list[int] = []
    kept = keep(scenario)
    assert not [line for line in kept.lines if "by itself" in line]
    assert not any(map(runs, there)), "all ends with the keeper"


def test_given_a_copy_that_is_killed_when_another_begins_then_nothing_is_imported_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    imported = tmp_path / "imported"
    (tmp_path / "large_library.py").write_text(f"open({str(imported)!r}, 'a').write('once ')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    async def scenario(kept: Kept) -> None:
        pid, parent, _ = await kept.works()
        os.kill(pid, signal.SIGKILL)
        await kept.said("ended with -9, starts again")
        another, same, _ = await kept.works(2)
        assert another != pid and same == parent
        assert imported.read_text() == "once "

    keep(scenario, module="large_library")


def test_given_a_copy_that_ends_when_that_is_at_once_then_its_code_is_told() -> None:
    async def scenario(kept: Kept) -> None:
        await kept.said("ended with 3, starts again", 2)

    keep(scenario, ENDS)


def test_given_a_nursery_that_is_killed_when_its_copies_have_ended_then_both_are_there_again() -> None:
    async def scenario(kept: Kept) -> None:
        pid, parent, _ = await kept.works()
        os.kill(parent, signal.SIGKILL)
        await kept.said("ended with -9, starts again")
        another, new, _ = await kept.works(2)
        assert another != pid and new != parent
        assert not runs(pid)

    keep(scenario)


def test_given_a_machine_that_is_stopped_when_all_are_told_to_end_then_a_copy_does_so_itself() -> None:
    async def scenario(kept: Kept) -> None:
        pid, parent, _ = await kept.works()
        for each in (parent, pid):
            os.kill(each, signal.SIGTERM)
        await kept.said("ended with -15, starts again")
        assert (await kept.works(2))[1] == parent, "the nursery ends after its copies"

    keep(scenario)


@pytest.mark.parametrize(
    ("module", "script", "why"),
    [
        ("no_such_library", WORKS, "ModuleNotFoundError"),
        ("json", f"{THREAD}\n{WORKS}", "2 threads"),
        ("json", "import sys\nsys.exit(1)", "the nursery has ended"),
    ],
    ids=["import", "thread", "end"],
)
def test_given_a_nursery_that_cannot_when_a_process_is_wanted_then_it_starts_by_itself(
    module: str, script: str, why: str
) -> None:
    async def scenario(kept: Kept) -> None:
        assert why in await kept.said("starts by itself: ")
        await kept.said("| by itself")

    keep(scenario, script, module)


def test_given_a_kernel_that_tells_no_end_when_a_process_is_wanted_then_there_is_one_and_it_is_no_copy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def unknown(_pid: int) -> int:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))

    async def scenario(kept: Kept) -> None:
        monkeypatch.setattr(nursery_client, "_end_of", unknown)
        await kept.said("starts by itself: [Errno 38] Function not implemented")
        await kept.said("| by itself")
        [nursery] = [each for each in psutil.Process().children() if "nursery.main" in each.cmdline()[-2]]
        async with asyncio.timeout(15):
            while nursery.children():
                await asyncio.sleep(0.02)

    keep(scenario)


def test_given_a_nursery_that_stands_still_when_it_goes_on_then_there_is_no_second_one_of_a_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def scenario(kept: Kept) -> None:
        pid, parent, _ = await kept.works()
        monkeypatch.setattr(nursery_client, "_ANSWER_S", 0.3)
        os.kill(parent, signal.SIGSTOP)
        os.kill(pid, signal.SIGKILL)
        await kept.said("ended with -9, starts again")
        await kept.said("starts by itself: the nursery does not answer")
        await kept.said("| by itself")
        monkeypatch.setattr(nursery_client, "_ANSWER_S", 99.0)
        [alone] = [each for each in psutil.Process().children() if each.cmdline()[-1] == ALONE]
        alone.kill()
        await kept.said("| by itself", 2)  # it is not waited for again
        os.kill(parent, signal.SIGCONT)
        async with asyncio.timeout(15):
            while psutil.Process(parent).children():
                await asyncio.sleep(0.02)
        [alone] = [each for each in psutil.Process().children() if each.cmdline()[-1] == ALONE]
        alone.kill()
        assert (await kept.works(2))[1] == parent, "once it has answered it is asked again"

    keep(scenario)


def test_given_our_own_processes_when_a_nursery_has_imported_all_then_it_has_no_thread_but_one() -> None:
    imports = f"import os, {', '.join(MODULES.values())}; print(len(os.listdir('/proc/self/task')))"
    told = subprocess.run([sys.executable, "-c", imports], check=True, capture_output=True, text=True)
    assert told.stdout == "1\n"


def test_given_a_nursery_that_imports_for_long_when_all_is_to_end_then_nobody_waits_and_nothing_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = tmp_path / "here"
    (tmp_path / "slow_library.py").write_text(f"import time; open({str(here)!r}, 'w'); time.sleep(999)")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(nursery_client, "_IMPORT_S", 120.0)

    async def scenario(_kept: Kept) -> None:
        async with asyncio.timeout(30):
            while not here.exists():
                await asyncio.sleep(0.02)

    began = time.monotonic()
    kept = keep(scenario, module="slow_library")
    assert [line.split("| ")[-1] for line in kept.lines] == ["stopped"]
    assert time.monotonic() - began < 60, "half of the patience with imports"


class Wire:
    """A nursery's own end, at which a test says what it likes."""

    def __init__(self, keeper: nursery_client.Nursery) -> None:
        ours, self._theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)
        keeper._wire = ours
        asyncio.get_running_loop().add_reader(ours, keeper._hear)

    def says(self, **words: object) -> None:
        self._theirs.send(json.dumps(words).encode())

    async def asked(self) -> dict[str, object]:
        self._theirs.setblocking(False)
        found = await asyncio.get_running_loop().sock_recv(self._theirs, 1 << 18)
        return dict(json.loads(found))


def _ended() -> int:
    """The number of a process that has ended, and that somebody has asked for its end."""
    with subprocess.Popen(["true"]) as process:
        process.wait()
        return process.pid


def test_given_a_busy_keeper_when_a_copy_has_ended_before_it_looks_then_it_knows_both() -> None:
    async def scenario() -> int:
        keeper = nursery_client.Nursery([])
        wire, pid = Wire(keeper), _ended()
        starting = asyncio.create_task(keeper.start(NAME, [NAME], {}))
        await wire.asked()
        wire.says(pid=pid)
        wire.says(ended=pid, code=3)
        try:
            return await (await starting).wait()
        finally:
            await keeper.close()

    assert asyncio.run(scenario()) == 3


def test_given_an_answer_that_is_late_when_an_end_is_told_before_it_then_nobody_else_gets_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(nursery_client, "_IMPORT_S", 0.1)

    async def scenario() -> None:
        keeper = nursery_client.Nursery([])
        wire = Wire(keeper)
        for _ in range(2):
            with pytest.raises(nursery_client.NoCopy, match="does not answer"):
                await keeper.start(NAME, [NAME], {})
            wire.says(ended=1, code=0)
            await asyncio.sleep(0)  # it is heard
        with subprocess.Popen(["sleep", "99"]) as late:
            wire.says(pid=late.pid)
            await asyncio.to_thread(late.wait)
        await keeper.close()

    asyncio.run(scenario())


def test_given_a_copy_that_has_just_ended_when_it_is_asked_to_end_then_nothing_is_wrong() -> None:
    async def scenario() -> None:
        with subprocess.Popen(["sleep", "99"]) as process:
            copy = nursery_client.Copy(process.pid, asyncio.StreamReader(), asyncio.Future())
            process.kill()
            process.wait()
            copy.terminate()
            assert await copy.wait() == -signal.SIGKILL

    asyncio.run(scenario())
