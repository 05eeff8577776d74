"""Keeps the processes alive, and their output together in one readable log."""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

_STOP_S = 6.0
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.3, 10.0
_LONG_LIFE_S = 20.0
_LINE = 1 << 16


@dataclass(frozen=True)
class Program:
    """One process to keep alive."""

    name: str
    argv: Sequence[str]


class Supervisor:
    """Starts programs together, restarts each that dies, stops all together."""

    def __init__(self, programs: Sequence[Program], write: Callable[[str], None]) -> None:
        self._programs = programs
        self._write = write
        self._width = max(len(p.name) for p in programs)
        self._stopping = asyncio.Event()

    async def run(self, when_started: Callable[[], None]) -> None:
        """Run until SIGINT or SIGTERM. `when_started` is called in a thread after the start."""
        loop = asyncio.get_running_loop()
        for signal_ in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(signal_, self._stopping.set)
        started = loop.run_in_executor(None, when_started)
        async with asyncio.TaskGroup() as group:
            for program in self._programs:
                group.create_task(self._keep(program))
        with contextlib.suppress(asyncio.CancelledError):
            await started
        self.log("run", "stopped")

    def log(self, name: str, line: str) -> None:
        """One line of the merged log."""
        self._write(f"{time.strftime('%H:%M:%S')} {name:<{self._width}} | {line}")

    @property
    def stopping(self) -> bool:
        """Whether the end has begun."""
        return self._stopping.is_set()

    async def _keep(self, program: Program) -> None:
        wait = _FIRST_WAIT_S
        while not self.stopping:
            began = time.monotonic()
            code = await self._run_once(program)
            if self.stopping:
                return
            if time.monotonic() - began > _LONG_LIFE_S:
                wait = _FIRST_WAIT_S
            self.log(program.name, f"ended with {code}, starts again in {wait:.1f} s")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), wait)
            wait = min(wait * 2, _LONGEST_WAIT_S)

    async def _run_once(self, program: Program) -> int:
        # setpriv: should this process be killed, the kernel takes the children along.
        process = await asyncio.create_subprocess_exec(
            "setpriv",
            "--pdeathsig=KILL",
            "--",
            *program.argv,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
            limit=_LINE,
        )
        reading = asyncio.create_task(self._read(program.name, process.stdout))
        stopping = asyncio.create_task(self._stopping.wait())
        ended = asyncio.create_task(process.wait())
        await asyncio.wait({stopping, ended}, return_when=asyncio.FIRST_COMPLETED)
        if not ended.done():
            process.terminate()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(asyncio.shield(ended), _STOP_S)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        stopping.cancel()
        await reading
        return await ended

    async def _read(self, name: str, stream: asyncio.StreamReader | None) -> None:
        assert stream is not None  # noqa: S101
        while True:
            try:
                line = await stream.readline()
            except ValueError:  # longer than _LINE
                continue
            if not line:
                return
            text = "".join(c for c in line.decode("utf-8", "replace") if c.isprintable()).strip()
            if text:
                self.log(name, text)
