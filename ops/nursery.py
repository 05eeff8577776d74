"""`python -m ops.nursery FD`: our processes begin as copies of this one, which has imported what they need.

The keeper (ops.nursery_client) asks at the socket FD. Here is one thread, no settings are read and no
connection is open: what is copied is code. Each module is imported when its process is first asked for; one
that is started again after a fault imports nothing. What nobody writes to is in memory once.
"""

import ctypes
import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from ops import process

_LONGEST = 1 << 18
_PR_SET_PDEATHSIG = 1
_ARGUMENTS = slice(45, 47)
"""In /proc/self/stat, after the name: from where to where in memory the command line stands."""
_ENDS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
"""Who stops a whole machine sends one to each: the copies end by it in their own way, and then this one."""


def main(
    run: Callable[[str], None] = process.run, modules: Mapping[str, str | None] = process.MODULES
) -> None:
    """Make copies until the keeper is gone. In a copy: become that process, which is `run(name)`.

    A process whose module is None imports for itself.
    """
    gc.disable()  # nothing here becomes garbage, and to look for it would write to what is shared
    nursery = _Nursery(socket.socket(fileno=int(sys.argv[-1])), modules)
    if name := nursery.work():
        gc.enable()
        run(name)


class _Nursery:
    def __init__(self, wire: socket.socket, modules: Mapping[str, str | None]) -> None:
        self._wire, self._modules = wire, modules
        self._ended, self._end = socket.socketpair()  # a signal wakes who waits at it
        self._end.setblocking(False)
        signal.set_wakeup_fd(self._end.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda _signal, _frame: None)
        self._handlers = {each: signal.signal(each, signal.SIG_IGN) for each in _ENDS}

    def work(self) -> str:
        """Return in each copy with its name; here, once the keeper is gone, with none."""
        while True:
            ready, _, _ = select.select([self._wire, self._ended], [], [])
            if self._ended in ready:
                self._ended.recv(_LONGEST)
                self._tell_ends()
            if self._wire in ready:
                asked, files, _, _ = socket.recv_fds(self._wire, _LONGEST, 1)
                if not asked:
                    return ""
                wanted = json.loads(asked)
                if self._copy(wanted, files[0]):
                    return str(wanted["name"])

    def _copy(self, wanted: dict[str, Any], output: int) -> bool:
        """Whether this is the copy now."""
        here = os.getpid()
        try:
            if module := self._modules[wanted["name"]]:
                importlib.import_module(module)
            _be_alone()
            gc.freeze()
            pid = os.fork()
        except Exception as error:  # it is then started as if there were no nursery, and says more itself
            self._say(failed=f"{type(error).__name__}: {error}")
            pid = -1
        if not pid:
            self._leave()
            _become(wanted, output, here)
            return True
        os.close(output)
        if pid > 0:
            self._say(pid=pid)
        return False

    def _leave(self) -> None:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for end, handler in self._handlers.items():
            signal.signal(end, handler)
        for each in (self._wire, self._ended, self._end):
            each.close()

    def _tell_ends(self) -> None:
        with suppress(ChildProcessError):  # there are no others
            while (end := os.waitpid(-1, os.WNOHANG))[0]:
                self._say(ended=end[0], code=os.waitstatus_to_exitcode(end[1]))

    def _say(self, **words: object) -> None:
        with suppress(OSError):  # the keeper is gone: `work` finds that out
            self._wire.send(json.dumps(words).encode())


def _be_alone() -> None:
    """Raises RuntimeError: a library has begun a thread; a copy would have its locks without it."""
    if (threads := len(os.listdir("/proc/self/task"))) > 1:
        raise RuntimeError(f"{threads} threads")


def _become(wanted: dict[str, Any], output: int, parent: int) -> None:
    """A process of its own: its session, its output, its environment, its name in the list of processes."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before it could be said
        os._exit(1)
    os.setsid()
    for at in (1, 2):
        os.dup2(output, at)
    os.close(output)
    os.environ.clear()
    os.environ.update(wanted["environment"])
    _be_called(" ".join(wanted["title"]))


def _be_called(title: str) -> None:
    """Write over the command line, as servers do: as its last byte is set, it is shown to its first 0."""
    with open("/proc/self/stat") as file:
        begin, end = map(int, file.read().rpartition(")")[2].split()[_ARGUMENTS])
    room = end - begin
    if room > 0:
        ctypes.memmove(begin, title.encode()[: room - 2].ljust(room - 1, b"\0") + b".", room)


if __name__ == "__main__":
    main()
