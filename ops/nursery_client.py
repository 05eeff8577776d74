"""Processes that begin as copies of a nursery (ops.nursery), for whoever keeps them."""

import asyncio
import contextlib
import json
import os
import signal
import socket
from collections.abc import Mapping, Sequence
from typing import Any

_LONGEST = 1 << 18
_IMPORT_S, _ANSWER_S = 20.0, 3.0
"""A nursery that has not answered by then hangs, or the machine is too busy for it: the first copy of a kind
waits for its imports, callers wait for the next one.
"""
_CODE_S = 1.0
"""That one has ended is told by the kernel; how, soon after by the nursery, if that is there."""
_LINE = 1 << 16
_end_of = os.pidfd_open
"""A file that can be read once a process has ended."""


class NoCopy(Exception):
    """There is no nursery now, or it could not do it."""


class Copy:
    """A process as `asyncio.subprocess.Process` is one, as far as that is used here."""

    def __init__(self, pid: int, stdout: asyncio.StreamReader, told: "asyncio.Future[int]") -> None:
        self.pid, self.stdout, self._told = pid, stdout, told
        self._ended = asyncio.Event()
        try:
            self._file = _end_of(pid)  # whatever becomes of its nursery
        except ProcessLookupError:  # already
            self._ended.set()
        else:
            asyncio.get_running_loop().add_reader(self._file, self._ends)

    def _ends(self) -> None:
        asyncio.get_running_loop().remove_reader(self._file)
        os.close(self._file)
        self._ended.set()

    async def wait(self) -> int:
        """Its exit code, once it has ended; that of one that was killed, if nobody knows."""
        await self._ended.wait()
        with contextlib.suppress(TimeoutError):
            return await asyncio.wait_for(asyncio.shield(self._told), _CODE_S)
        return -signal.SIGKILL

    def terminate(self) -> None:
        """Ask it to end."""
        if not self._ended.is_set():
            with contextlib.suppress(ProcessLookupError):  # its end is about to be noticed
                signal.pidfd_send_signal(self._file, signal.SIGTERM)


class Nursery:
    """Starts the nursery when it is first needed, and anew when it is gone."""

    def __init__(self, command: Sequence[str]) -> None:
        self._command = command
        self._one_at_a_time = asyncio.Lock()
        self._wire: socket.socket | None = None
        self._process: asyncio.subprocess.Process | None = None
        self._answer: asyncio.Future[tuple[int, asyncio.Future[int]]] | None = None
        self._told: dict[int, asyncio.Future[int]] = {}
        self._imported: set[str] = set()
        self._is_late = False

    async def start(self, name: str, title: Sequence[str], environment: Mapping[str, str]) -> Copy:
        """The process of this name, shown with this command line. Raises NoCopy."""
        output, theirs = os.pipe()
        wanted = {"name": name, "title": list(title), "environment": dict(environment)}
        try:
            async with self._one_at_a_time:
                pid, told = await self._asked(wanted, theirs)
        except (OSError, NoCopy) as error:
            os.close(output)
            raise NoCopy(str(error) or type(error).__name__) from None
        finally:
            os.close(theirs)
        stdout = asyncio.StreamReader(limit=_LINE)
        await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(stdout), os.fdopen(output, "rb")
        )
        try:
            return Copy(pid, stdout, told)
        except OSError as error:  # its end could not be noticed
            _kill(pid)
            raise NoCopy(str(error)) from None

    def give_up(self) -> None:
        """Nothing is to begin any more: who waits for a copy, or asks for one, gets none."""
        self._is_late = True
        if self._answer and not self._answer.done():
            self._answer.set_exception(NoCopy("all is to end"))

    async def close(self) -> None:
        """Let it end, and with it whatever copy is left."""
        process = self._process
        self._gone()
        if process:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    async def _asked(self, wanted: dict[str, Any], output: int) -> tuple[int, "asyncio.Future[int]"]:
        if self._is_late:  # until it has answered
            raise NoCopy("the nursery does not answer")
        wire = self._wire or await self._begin(wanted["environment"])
        patience_s = _ANSWER_S if wanted["name"] in self._imported else _IMPORT_S
        self._answer = asyncio.get_running_loop().create_future()
        try:
            socket.send_fds(wire, [json.dumps(wanted).encode()], [output])
            answer = await asyncio.wait_for(self._answer, patience_s)
        except TimeoutError:
            self._is_late = True
            raise NoCopy("the nursery does not answer") from None
        finally:
            self._answer = None
        self._imported.add(wanted["name"])
        return answer

    async def _begin(self, environment: Mapping[str, str]) -> socket.socket:
        wire, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        wire.setblocking(False)
        with theirs:
            self._process = await asyncio.create_subprocess_exec(
                *("setpriv", "--pdeathsig=KILL", "--", *self._command, f"{theirs.fileno():08}"),
                env={name: value for name, value in environment.items() if name != "NOTIFY_SOCKET"},
                stdin=asyncio.subprocess.DEVNULL,
                start_new_session=True,
                pass_fds=[theirs.fileno()],
            )
        asyncio.get_running_loop().add_reader(wire, self._hear)
        self._wire = wire
        return wire

    def _hear(self) -> None:
        assert self._wire is not None  # noqa: S101
        try:
            said = self._wire.recv(_LONGEST)
        except BlockingIOError:
            return
        except OSError:
            said = b""
        words = json.loads(said) if said else {}
        if "ended" in words:  # is no answer
            if told := self._told.pop(words["ended"], None):
                told.set_result(words["code"])
            return
        self._is_late = False
        if not words:
            self._gone()
        elif "pid" in words:
            self._is_there(words["pid"])
        elif self._answer and not self._answer.done():
            self._answer.set_exception(NoCopy(words["failed"]))

    def _is_there(self, pid: int) -> None:
        if self._answer and not self._answer.done():
            told = self._told[pid] = asyncio.get_running_loop().create_future()
            self._answer.set_result((pid, told))
        else:  # nobody waits for it any more
            _kill(pid)

    def _gone(self) -> None:
        """Its copies have ended with it: the kernel sees to that."""
        if self._wire:
            asyncio.get_running_loop().remove_reader(self._wire)
            self._wire.close()
        self._wire = self._process = None
        self._imported.clear()
        if self._answer and not self._answer.done():
            self._answer.set_exception(NoCopy("the nursery has ended"))
        for told in self._told.values():
            told.set_result(-signal.SIGKILL)
        self._told = {}


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
