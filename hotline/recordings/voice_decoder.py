"""One voice note, decoded in a process of its own: `voice_decoder.py FORMAT SECONDS < file > samples`.

FFmpeg reads what a stranger has sent: whatever that does to it ends with this process, which has little
memory and little time, and from the first byte on can read and write what is open, and ask for memory: no
file, no network, no other process. It is run as it stands, and imports nothing of the project.
"""

import ctypes
import resource
import sys
from itertools import chain
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from av.container import InputContainer

RATE = 8000
NO_VOICE, TOO_LONG, UNREADABLE, UNFILTERED = 3, 4, 5, 6
"""How it ends; the last: well, but the kernel kept it from nothing."""
_MEMORY, _PROCESSOR_S = 1 << 30, 20
_CODECS = "opus,libopus,aac,vorbis,libvorbis"
_ALLOWED, _REFUSED = 0x7FFF0000, 0x00050001
"""What the kernel does with a call of the system (seccomp.h): it, or nothing but say EPERM."""
_CALLS = (
    "read write lseek fstat newfstatat close mmap munmap mremap mprotect brk madvise futex rt_sigaction "
    "rt_sigprocmask rt_sigreturn sched_yield clock_gettime getrandom gettid getpid sched_getaffinity exit "
    "exit_group"
)


def shut() -> bool:
    """Nothing is opened and nothing started from here on; where there is libseccomp, on every Debian, no call
    of the system but _CALLS is done at all. Returns whether that is so."""
    try:
        rules = ctypes.CDLL("libseccomp.so.2")
    except OSError:
        rules = None
    for what in (resource.RLIMIT_NOFILE, resource.RLIMIT_NPROC):
        resource.setrlimit(what, (0, 0))
    if rules is None:
        return False
    rules.seccomp_init.restype = ctypes.c_void_p
    known = ctypes.c_void_p(rules.seccomp_init(ctypes.c_uint32(_REFUSED)))
    for name in _CALLS.split():
        number = rules.seccomp_syscall_resolve_name(name.encode())
        rules.seccomp_rule_add(known, ctypes.c_uint32(_ALLOWED), ctypes.c_int(number), ctypes.c_uint(0))
    return rules.seccomp_load(known) == 0  # type: ignore[no-any-return]  # with PR_SET_NO_NEW_PRIVS


def _samples(container: "InputContainer", longest_s: int) -> bytes:
    import av  # noqa: PLC0415

    if container.streams.video or len(container.streams.audio) != 1:
        sys.exit(NO_VOICE)
    to_telephone = av.AudioResampler(format="s16", layout="mono", rate=RATE)
    made = bytearray()
    for frame in chain(container.decode(audio=0), (None,)):
        if frame is not None:
            frame.pts = None  # those of a stream that was cut lead nowhere
        for part in to_telephone.resample(frame):
            made += bytes(part.planes[0])[: part.samples * 2]
        if len(made) > longest_s * RATE * 2:
            sys.exit(TOO_LONG)
    return bytes(made)


def main() -> None:
    """Read the file, write its sound: 8000 samples of 16 bits a second, one channel."""
    for what, most in (
        (resource.RLIMIT_AS, _MEMORY),
        (resource.RLIMIT_CPU, _PROCESSOR_S),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
    ):
        resource.setrlimit(what, (most, most))
    import av.subtitles.stream  # noqa: PLC0415  (only here; with all that `av` would import later)

    av.logging.set_level(av.logging.PANIC)
    kind, longest_s = sys.argv[1:]
    filtered = shut()
    only = {"format_whitelist": kind, "codec_whitelist": _CODECS, "protocol_whitelist": ""}
    try:
        with av.open(sys.stdin.buffer, "r", format=kind.partition(",")[0], options=only) as container:
            made = _samples(container, int(longest_s))
    except (av.FFmpegError, ValueError, MemoryError):
        sys.exit(UNREADABLE)
    sys.stdout.buffer.write(made)
    if not filtered:
        sys.exit(UNFILTERED)


if __name__ == "__main__":
    main()
