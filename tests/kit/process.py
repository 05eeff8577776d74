"""Start a program that cannot outlive the test run."""

import os
import pwd
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

_FIRST_S = 0.01
"""The first pauses between looks; later ones are a tenth of what was waited."""


_MEMORY = Path("/dev/shm")
_ROOM_BYTES = 4 << 30


class ProgramError(RuntimeError):
    """A program of the test kit is missing, did not start, or died; the text shows its last words."""


def need(program: str, package: str) -> str:
    """The full path of a program, or an error that names the Debian package that brings it."""
    path = shutil.which(program) or shutil.which(program, path="/usr/bin:/usr/sbin:/bin:/sbin")
    if path is None:
        raise ProgramError(f"{program} is not installed: apt-get install {package}")
    return path


def folder_in_memory(prefix: str, needs: int = _ROOM_BYTES) -> Path:
    """Make a temporary folder, in memory if the machine has `needs` bytes left. A disk may hang for seconds
    while other tests build containers. Removes what killed processes have left in memory.
    """
    for left in _MEMORY.glob("*-of-[0-9]*-*"):
        maker = re.search(r"-of-(\d+)-[^-]*$", left.name)
        if maker and not psutil.pid_exists(int(maker[1])):
            shutil.rmtree(left, ignore_errors=True)
    room = _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free > needs < psutil.virtual_memory().available
    return Path(tempfile.mkdtemp(prefix=f"{prefix}of-{os.getpid()}-", dir=_MEMORY if room else None))


def until(condition: Callable[[], object], what: str, timeout: float = 30.0, *, every: float = 0.05) -> None:
    """Wait until `condition()` is true, looking `every` so many seconds: for what no event tells of.

    At first more often: what comes soon is seen soon, and what takes long is not kept from its processor.
    """
    began = time.monotonic()
    while not condition():
        waited = time.monotonic() - began
        if waited > timeout:
            raise TimeoutError(f"not within {timeout:g} s: {what}")
        time.sleep(min(every, max(_FIRST_S, waited / 10)))


def slowness() -> float:
    """How many times longer a start takes here and now than on a machine with nothing else to do."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    subprocess.run([sys.executable, "-c", "import sqlalchemy, fastapi"], check=True)
    after, seconds = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic() - began
    worked = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return max(1.0, seconds / worked)


def in_time(took: float, seconds: float) -> bool:
    """Whether what a person waits for took no longer, or no longer than it may here and now (`slowness`)."""
    return took <= seconds or took <= seconds * slowness()


class Program:
    """A running program in its own session and group; the kernel kills it when the test run dies.

    Start it from the main thread: the kernel's parent is the thread that started it.
    """

    def __init__(
        self,
        command: Sequence[str | Path],
        *,
        folder: Path,
        log: Path,
        user: str | None = None,
        death: str = "KILL",
        env: Mapping[str, str] | None = None,
    ) -> None:
        group = str(pwd.getpwnam(user).pw_gid) if user else ""
        privileges = ["--reuid", user, "--regid", group, "--clear-groups"] if user else []
        self.name = Path(command[0]).name
        self.log = log
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [need("setpriv", "util-linux"), *privileges, "--pdeathsig", death, "--", *command],
                cwd=folder,
                env=None if env is None else {**os.environ, **env},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.pid = self._process.pid

    def alive(self) -> bool:
        """Whether the program still runs."""
        return self._process.poll() is None

    def last_words(self) -> str:
        """The end of what the program printed."""
        return self.log.read_text(errors="replace")[-2000:]

    def ready(self, condition: Callable[[], object], timeout: float = 30.0) -> None:
        """Wait until `condition()` is true; if the program dies or takes too long, say why."""

        def settled() -> bool:
            if not self.alive():
                raise ProgramError(f"{self.name} ended at its start:\n{self.last_words()}")
            return bool(condition())

        try:
            until(settled, f"{self.name} ready", timeout)
        except TimeoutError as error:
            raise ProgramError(f"{error}\n{self.last_words()}") from None

    def wait(self, timeout: float) -> int:
        """Wait for the end and give the exit code."""
        return self._process.wait(timeout)

    def stop(self, how: signal.Signals = signal.SIGTERM, patience: float = 3.0) -> None:
        """Ask the program to end, then kill whatever is left of its group."""
        if self.alive():
            self._signal(how)
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(patience)
        self._signal(signal.SIGKILL)  # children too
        self._process.wait()

    def _signal(self, how: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.pid, how)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
