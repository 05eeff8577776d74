"""The process that decodes files of strangers: `sandbox_server.py DECODER PACKAGES`.

The server imports one decoder and its libraries, then forks one child for each file from its socket (standard
input). The child has little memory and time, and the kernel refuses it files, network and processes. Starting
Python for each picture would cost several times the decoding. The server imports nothing of the project.

A decoder is a module with `prepare()` and `decode(data, *arguments) -> bytes`. `decode` refuses a file with
`sys.exit(code)`.
"""

import ctypes
import gc
import json
import os
import resource
import runpy
import signal
import socket
import struct
import sys
from collections.abc import Callable, Sequence
from functools import cache
from typing import NoReturn

UNREADABLE, UNFILTERED = 1, 2
"""Exit codes of every child; a decoder's own begin at 3. UNFILTERED: decoded without a seccomp filter."""
STATUS = struct.Struct("i")
"""The server's answer for each file: the child's exit code, or its signal as a negative number."""
_MEMORY, _PROCESSOR_S = 1 << 30, 20
_LONGEST_ARGUMENTS = 1 << 14
_PR_SET_PDEATHSIG = 1
_ALLOWED, _REFUSED = 0x7FFF0000, 0x00050001
"""Actions of seccomp.h: allow, or fail with EPERM."""
_CALLS = (
    "read write lseek fstat newfstatat close mmap munmap mremap mprotect brk madvise futex rt_sigaction "
    "rt_sigprocmask rt_sigreturn sched_yield clock_gettime getrandom gettid getpid getcwd sched_getaffinity "
    "exit exit_group"
)


@cache
def _seccomp() -> ctypes.CDLL | None:
    try:
        return ctypes.CDLL("libseccomp.so.2")
    except OSError:
        return None


def shut_off() -> bool:
    """Forbid this process new files and processes, and with libseccomp every system call but _CALLS.

    Return whether the filter is loaded. Every Debian has libseccomp.
    """
    rules = _seccomp()
    for limit in (resource.RLIMIT_NOFILE, resource.RLIMIT_NPROC):
        resource.setrlimit(limit, (0, 0))
    if rules is None:
        return False
    rules.seccomp_init.restype = ctypes.c_void_p
    known = ctypes.c_void_p(rules.seccomp_init(ctypes.c_uint32(_REFUSED)))
    for name in _CALLS.split():
        number = rules.seccomp_syscall_resolve_name(name.encode())
        rules.seccomp_rule_add(known, ctypes.c_uint32(_ALLOWED), ctypes.c_int(number), ctypes.c_uint(0))
    return rules.seccomp_load(known) == 0  # type: ignore[no-any-return]  # with PR_SET_NO_NEW_PRIVS


def _decode(decode: Callable[..., bytes], files: Sequence[int], arguments: Sequence[str]) -> NoReturn:
    """Run as the child of one file: read the first descriptor, write the output to the second."""
    code = UNREADABLE
    try:
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)  # a hung child ends with its server
        for number, descriptor in enumerate(files):
            os.dup2(descriptor, number)
        os.closerange(2, resource.getrlimit(resource.RLIMIT_NOFILE)[0])  # also closes the server's socket
        for limit, most in (
            (resource.RLIMIT_AS, _MEMORY),
            (resource.RLIMIT_CPU, _PROCESSOR_S),
            (resource.RLIMIT_CORE, 0),
            (resource.RLIMIT_FSIZE, 0),
        ):
            resource.setrlimit(limit, (most, most))
        with open(0, "rb") as file:
            data = file.read()
        filtered = shut_off()
        made = memoryview(decode(data, *arguments))
        while made:
            made = made[os.write(1, made) :]
        code = 0 if filtered else UNFILTERED
    except SystemExit as refused:
        code = refused.code if isinstance(refused.code, int) else UNREADABLE
    except Exception:  # libraries raise any exception for a broken file
        code = UNREADABLE
    finally:
        os._exit(code)


def serve(decode: Callable[..., bytes], parent: socket.socket) -> None:
    """Decode one file after another until the other end closes the socket."""
    while True:
        arguments, files, _, _ = socket.recv_fds(parent, _LONGEST_ARGUMENTS, 2)
        if not files:
            return
        child = os.fork()
        if child == 0:
            _decode(decode, files, json.loads(arguments))
        for file in files:
            os.close(file)
        _, status = os.waitpid(child, 0)
        parent.send(STATUS.pack(os.waitstatus_to_exitcode(status)))


def run() -> None:
    """Import the decoder before any file arrives, then serve."""
    decoder, packages = sys.argv[1:]
    sys.path.append(packages)
    names = runpy.run_path(decoder)
    names["prepare"]()
    _seccomp()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C in a terminal is for the API
    gc.freeze()  # a child must not copy pages just to count references
    serve(names["decode"], socket.socket(fileno=os.dup(0)))


if __name__ == "__main__":
    run()
