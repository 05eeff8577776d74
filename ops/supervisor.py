"""Supervisor: it keeps processes alive and working, and merges their output into one readable log.

A process that dies is restarted; one that does nothing any more is killed first. Only work counts: each
process reports it itself (hotline.watchdog), or is asked. `make run` keeps all of them this way, and a
container its one (ops.process_parent). systemd reads the same messages.
"""

import asyncio
import contextlib
import os
import signal
import socket
import time
import uuid
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass

from hotline import watchdog
from ops import log
from ops.hang_timeouts import LOOK_S, HangTimeout, read_state

_STOP_S = 6.0
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.3, 10.0
_LONG_LIFE_S = 20.0
_ASK_S = 1.0
_LINE = 1 << 16
ASTERISK_INHERITS = ("PATH", "HOME", "LANG", "LC_", "TZ", "LD_", "FAKETIME")
"""Prefixes of the variables in Asterisk's environment. Asterisk parses strangers' input, so it gets no
setting and no secret. LD_ and FAKETIME name libraries that are loaded into every process.
"""


@dataclass(frozen=True)
class Program:
    """Process to keep alive."""

    name: str
    argv: Sequence[str]
    ask: Callable[[], str | None] | None = None
    """Check from outside, which raises OSError if the program does not work; its result is logged. None: the
    program reports by itself.
    """
    readable: Callable[[str], str] = str
    """Converts a line of its output for people; an empty result is dropped."""
    inherits: tuple[str, ...] = ("",)
    """Prefixes of the variables in its environment."""


class Supervisor:
    """Supervisor of programs: starts them together, restarts each that dies or hangs, stops them together."""

    def __init__(
        self,
        programs: Sequence[Program],
        write: Callable[[str], None],
        form: log.Form = "console",
    ) -> None:
        self._programs = programs
        self._write = write
        self._form = form
        self._width = max(len(p.name) for p in programs)
        self._stopping = asyncio.Event()

    async def run(self, when_started: Callable[[], None] = lambda: None) -> None:
        """Run until SIGINT or SIGTERM. `when_started` is called in a thread after the start."""
        loop = asyncio.get_running_loop()
        for signal_ in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(signal_, self.stop)
        started = loop.run_in_executor(None, when_started)
        async with asyncio.TaskGroup() as group:
            for program in self._programs:
                group.create_task(self._keep(program))
            group.create_task(self._say_it_works())
        with contextlib.suppress(asyncio.CancelledError):
            await started
        self.log("run", "stopped")

    def log(self, name: str, line: str) -> None:
        """Write a line of the merged log."""
        with contextlib.suppress(OSError):  # a failing log must not stop the programs
            if self._form == "json":
                self._write(log.format_json(name, line))
            else:
                self._write(f"{time.strftime('%H:%M:%S')} {name:<{self._width}} | {line}")

    def stop(self) -> None:
        """Stop everything."""
        self._stopping.set()

    @property
    def stopping(self) -> bool:
        """Whether the stop has begun."""
        return self._stopping.is_set()

    async def _say_it_works(self) -> None:
        """Report to the keeper's own keeper."""
        while not await self._stops_within(_until_next(LOOK_S)):
            watchdog.record_work()

    async def _stops_within(self, seconds: float) -> bool:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        return self.stopping

    async def _keep(self, program: Program) -> None:
        wait, patience = _FIRST_WAIT_S, HangTimeout()
        while not self.stopping:
            began = time.monotonic()
            code = await self._run_once(program, patience)
            if self.stopping:
                return
            if time.monotonic() - began > _LONG_LIFE_S:
                wait = _FIRST_WAIT_S
            self.log(program.name, f"ended with {code}, starts again in {wait:.1f} s")
            await self._stops_within(wait)
            wait = min(wait * 2, _LONGEST_WAIT_S)

    async def _run_once(self, program: Program, patience: HangTimeout) -> int:
        patience.begin()
        async with self._heard(program, patience) as (environment, listen):
            process = await _start(program.argv, environment)
            reading = asyncio.create_task(self._read(program, process.stdout))
            hangs = self._hangs(program, process.pid, patience, listen)
            ends = [asyncio.create_task(end) for end in (process.wait(), self._stopping.wait(), hangs)]
            ended, stopping, _hangs = ends
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            if stopping.done() and not ended.done():
                process.terminate()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(asyncio.shield(ended), _STOP_S)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            code = int(await process.wait())
            for task in ends:
                task.cancel()
            await reading
            return code

    async def _hangs(
        self, program: Program, pid: int, patience: HangTimeout, listen: Callable[[], None]
    ) -> None:
        """Return when the program has done nothing for too long."""
        last = time.monotonic()
        while True:
            await asyncio.sleep(_until_next(LOOK_S))
            listen()
            now = time.monotonic()
            if patience.spent(now - last, read_state(pid)):
                self.log(program.name, f"has done nothing for {int(patience.idle)} s: killed")
                return
            last = now

    @contextlib.asynccontextmanager
    async def _heard(
        self, program: Program, patience: HangTimeout
    ) -> AsyncIterator[tuple[dict[str, str], Callable[[], None]]]:
        """Receive the program's reports of work, or its answers, during the block.

        Yield its environment, and a function that reads its reports, to be called before each poll.
        """
        ours = ("NOTIFY_SOCKET", "WATCHDOG_USEC")
        environment = {
            name: value
            for name, value in os.environ.items()
            if name not in ours and name.startswith(program.inherits)
        }
        if program.ask:
            asking = asyncio.create_task(self._ask(program.name, program.ask, patience))
            try:
                yield environment, lambda: None
            finally:
                asking.cancel()
            return
        environment.setdefault("MALLOC_ARENA_MAX", "2")  # dozens of threads, but one runs at a time
        name = f"hotline137-{uuid.uuid4().hex}"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
            ear.setblocking(False)
            ear.bind(f"\0{name}")
            yield {**environment, "NOTIFY_SOCKET": f"@{name}"}, lambda: self._listen(ear, patience)

    @staticmethod
    def _listen(ear: socket.socket, patience: HangTimeout) -> None:
        with contextlib.suppress(BlockingIOError):
            while said := ear.recv(_LINE):
                if b"WATCHDOG=1" in said.splitlines():
                    patience.worked()

    async def _ask(self, name: str, ask: Callable[[], str | None], patience: HangTimeout) -> None:
        while True:
            with contextlib.suppress(OSError):
                if said := await asyncio.to_thread(ask):
                    self.log(name, said)
                patience.worked()
            await asyncio.sleep(_until_next(_ASK_S))

    async def _read(self, program: Program, stream: asyncio.StreamReader | None) -> None:
        assert stream is not None  # noqa: S101
        while True:
            try:
                line = await stream.readline()
            except ValueError:  # a line longer than _LINE
                continue
            if not line:
                return
            text = program.readable(line.decode("utf-8", "replace"))
            text = "".join(c for c in text if c.isprintable()).strip()
            if text:
                self.log(program.name, text)


async def _start(argv: Sequence[str], environment: Mapping[str, str]) -> asyncio.subprocess.Process:
    # setpriv: if this process is killed, the kernel kills its children, too.
    return await asyncio.create_subprocess_exec(
        "setpriv",
        "--pdeathsig=KILL",
        "--",
        *argv,
        env=environment,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
        limit=_LINE,
    )


def _until_next(every_s: float) -> float:
    """Return the seconds until the next beat: common wake-ups save power and processor time."""
    return every_s - time.monotonic() % every_s
