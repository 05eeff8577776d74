"""AGI by pyst2 0.5.1, with its faults repaired. No other module of ours speaks AGI.

tests/kit/transcripts.toml has the real Asterisk's answers to each of these commands.
"""

import _thread
import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from io import BufferedIOBase
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

from asterisk import agi
from asterisk.agi import AGI, AGIAppError, AGIError, AGIHangup, AGIUnknownError

from dialplan.variables import Variable
from ivr.agi_streams import Commands, Lines, Silence
from ivr.agi_watcher import EARLY

# pyst2 formats each answer for the log that `Silence` drops: a tenth of a call's CPU.
agi.pprint = SimpleNamespace(pformat=str)

_MAX_ENV = 200
_LONGEST_RESULT = 10  # a key's code, 0, -1, or the milliseconds that a recording had left: an int of C
_NEVER_BEGAN = "200 result=-1 endpos=0"
_USUAL = re.compile(r"200 result=([0-9]{1,10})(?: \(([0-9 ]*)\))?(?: endpos=([0-9]+))?")
"""Form of nearly every answer. pyst2, which parses all others, takes three times as long for it."""
_LINE = f"${{CHANNEL(rtp,hold,audio)}} ${{{Variable.BACK}}}"
_LISTEN_MS = 20
_LATE_S = 3.0
"""Seconds that Asterisk's answer to a wait may be late: a busy machine starves it for more than one."""
_BROKEN_OFF = 1
"""Result of a wait that a second command ended. No key has this code."""
_PATIENT_S, _PATIENT_AGAIN_S = 2.5, 6.0
"""Seconds that our work may keep the caller in silence, at first and after each announcement."""
SILENT_SAMPLES = 9_600  # a little more than a second

__all__ = ["SILENT_SAMPLES", "AGIError", "AGIHangup", "Agi"]


class Line(NamedTuple):
    """State of the caller's line."""

    is_held: bool
    back_ns: int
    """Time at which the caller last ended a hold (`Variable.BACK`); 0 if never or unknown."""


class _NoFile(AGIError):  # type: ignore[misc]
    """Asterisk cannot write a recording."""


class _Work:
    """Work of ours during which Asterisk waits for keys."""

    def __init__(self, heard: Callable[[str], object], is_long: Callable[[], object]) -> None:
        self.heard = heard
        self.is_long = is_long
        self.silent_until = time.monotonic() + _PATIENT_S
        self.done = threading.Event()
        self.heard_all = threading.Event()
        self.failed: Exception | None = None

    @contextmanager
    def noting_failure(self) -> Iterator[None]:
        """Keep an exception of this block until the work is done; no more keys are read."""
        try:
            yield
        except Exception as error:
            self.failed = error
            self.heard_all.set()


class Agi(AGI):  # type: ignore[misc]
    """AGI conversation. Raises AGIHangup once the caller or Asterisk is gone, otherwise AGIError."""

    def __init__(self, reader: BufferedIOBase, writer: BufferedIOBase) -> None:
        # Not super().__init__: it installs a signal handler, which fails in a thread.
        self.stdin = Lines(reader)
        self.stdout = Commands(writer)
        self.stderr = Silence()
        self._got_sighup = False
        self.env: dict[str, str] = {}
        self._wait_ends = 0.0
        self._get_agi_env()

    def play(self, file: Path | str, keys: str) -> str:
        """Play a file, named without its suffix.

        Return the one of `keys` that stopped it, or an empty text.
        """
        return self.play_from(file, keys, 0)[0]

    def play_from(self, file: Path | str, keys: str, sample: int) -> tuple[str, int]:
        """Play a file from this sample on, as `play` does.

        Return the key and the sample at which it ended.
        """
        try:
            result = self.execute("STREAM FILE", self._quote(file), f'"{keys}"', sample)
        except AGIHangup:
            if self.stdin.last == _NEVER_BEGAN and not self._has_hung_up():
                raise AGIError(f"cannot be played: {file}") from None
            raise
        ended = result.get("endpos", ("", ""))[0]
        return _key(result), int(ended) if ended.isdecimal() else 0

    def wait_for_digit(self, timeout: int) -> str:
        """Return the key that is pressed within `timeout` milliseconds, or an empty text."""
        self._begin_wait(timeout)
        return self._end_wait()

    def _begin_wait(self, timeout_ms: int) -> None:
        self._wait_ends = time.monotonic() + timeout_ms / 1000
        self.send_command("WAIT FOR DIGIT", timeout_ms)

    def _end_wait(self) -> str:
        """Return the key of the wait that has begun, or an empty text.

        Asterisk measures the wait by the wall clock. If that was set back, only a second command ends it.
        """
        if self.stdin.is_readable(self._wait_ends + _LATE_S):
            return _key(self.get_result())
        self.send_command("NOOP")
        key = _key(self.get_result())
        self.get_result()
        return key

    def play_together(self, files: Sequence[str]) -> str:
        """Play files, named without their suffixes, one after the other.

        Return the key that stopped them, if any. All files are one command. Asterisk plays on by itself,
        however busy we are, and forgets no key between two files. Asterisk does not report its position, and
        silently skips what it cannot play.
        """
        key = _key(self.execute("EXEC", "Background", self._quote("&".join(files))))
        if not key and self.stdin.hung_up:  # this command does not report a dead channel
            raise AGIHangup("the channel is gone")
        return key

    @contextmanager
    def listening(
        self, heard: Callable[[str], object], is_long: Callable[[], object] = lambda: None
    ) -> Iterator[None]:
        """Run a block of our work, and pass each key pressed meanwhile to `heard`, maybe in another thread.

        `is_long` is called in that thread whenever the caller has waited in silence for long. Asterisk
        forgets keys pressed between two commands, and cannot stop a wait early. So this waits for keys
        repeatedly, too briefly for the caller to notice. Raises AGIHangup, AGIError at the end.
        """
        work = _Work(heard, is_long)
        wire = self.stdin.fileno()
        with work.noting_failure():  # the work is done in any case
            self._begin_wait(_LISTEN_MS)
        EARLY.expect(wire, partial(self._listen_meanwhile, work))
        try:
            yield
        finally:
            work.done.set()
            if not EARLY.due(wire):
                work.heard_all.wait()
            elif not work.failed:
                self._listen(work)
            if work.failed:  # outranks all else: the caller has gone
                raise work.failed

    def _listen_meanwhile(self, work: _Work) -> None:
        """Read keys in another thread, because the work takes longer than one wait."""
        with work.noting_failure():
            # Not threading.Thread, whose start() waits for the thread: one watcher serves all calls.
            _thread.start_new_thread(self._listen, (work,))

    def _listen(self, work: _Work) -> None:
        """Read keys, beginning with the awaited answer, until the work is done and no key comes."""
        with work.noting_failure():
            while True:
                if key := self._end_wait():
                    work.heard(key)
                elif work.done.is_set():
                    break
                elif time.monotonic() < self._wait_ends:
                    # answered without a wait: back off
                    work.done.wait()
                    break
                elif time.monotonic() >= work.silent_until:
                    work.is_long()
                    work.silent_until = time.monotonic() + _PATIENT_AGAIN_S
                self._begin_wait(_LISTEN_MS)
        work.heard_all.set()

    def record_file(self, file: Path, keys: str, seconds: int, silence_s: int) -> bool:
        """Record into `file`.wav until a key, `seconds`, or `silence_s` of silence.

        Return False, without a file, if the caller was silent throughout. The file itself shows whether the
        disk took it. Words before a hang-up stay in the file. Raises AGIHangup.
        """
        options = ("wav", self._quote(keys), seconds * 1000, f"s={silence_s}")
        try:
            result = self.execute("RECORD FILE", self._quote(file), *options)
        except _NoFile:
            return True
        except AGIHangup:
            self._has_hung_up()  # after Asterisk's answer to it the end of the file is written, too
            raise
        if _only_silence(result):
            with suppress(OSError):
                file.with_suffix(".wav").unlink()
            return False
        return True

    def line(self) -> Line:
        """Return whether the caller's telephone holds the call, so that nobody hears us. Raises AGIHangup.

        A citizen whom we called is behind a Local channel without audio. The channel's other half is bridged
        with the phone's channel. IMPORT is never used. IMPORT keeps the phone's channel locked until its
        thread has answered, which may wait for that lock. Then all of Asterisk hangs.
        """
        local, half, _rest = self.env.get("agi_channel", "").rpartition(";1")
        phone = ""
        if local.startswith("Local/") and half and not (phone := self._value("${BRIDGEPEER}", f"{local};2")):
            return Line(is_held=False, back_ns=0)
        held, _, back = self._value(_LINE, phone).partition(" ")
        return Line(held == "1", int(back) if back.isdecimal() else 0)

    def _value(self, expression: str, channel: str = "") -> str:
        """Evaluate a dialplan expression on that channel, or on this one; empty if there is none."""
        return str(self.get_full_variable(expression, channel))

    @property
    def is_connected(self) -> bool:
        """Return whether Asterisk has kept the connection open, as far as known."""
        return self.stdin.last != ""

    def _has_hung_up(self) -> bool:
        """Return whether the caller has hung up, once Asterisk has finished the last command."""
        if self.is_connected:
            with suppress(AGIError, OSError):
                self.execute("NOOP")
        return self.stdin.hung_up or not self.is_connected

    def _get_agi_env(self) -> None:
        for _ in range(_MAX_ENV):
            line = self.stdin.readline().strip()
            if not line:
                return
            key, _, value = line.partition(":")
            key, value = key.strip(), value.strip()
            if key.startswith("agi_arg_"):
                self.env[key] = value  # the dialplan's value is the last
            else:
                self.env.setdefault(key, value)  # the caller may have injected a later one
        raise AGIError("too many variables")

    def _quote(self, string: object) -> str:
        text = str(string).replace("\\", "\\\\").replace('"', '\\"')
        return f'"{text if text.isprintable() else "".join(c for c in text if c.isprintable())}"'

    def send_command(self, command: str, *args: object) -> None:
        """Send a command as pyst2 does, without its log."""
        self.stdout.write(" ".join((command, *map(str, args))))

    def get_result(self, stdin: object = None) -> dict[str, tuple[str, str]]:
        """Read an answer as pyst2 does, but treat -1 as a hang-up, and a missing answer as an AGIError."""
        if usual := _USUAL.fullmatch(self.stdin.readline()):
            value, data, ended = usual.groups("")
            return {"result": (value, data), "endpos": (ended, "")}
        self.stdin.read_again()
        try:
            result: dict[str, tuple[str, str]] = super().get_result()
        except AGIHangup:
            raise
        except AGIAppError as error:
            if self.stdin.last.endswith("(writefile)"):  # the caller is still there
                raise _NoFile from error
            raise AGIHangup("the channel is gone") from error
        except AGIUnknownError as error:
            if self.stdin.last.startswith("511"):
                raise AGIHangup("the channel is gone") from error
            raise
        except ValueError as error:
            raise AGIError("not an answer") from error
        if len(result["result"][0]) > _LONGEST_RESULT:
            raise AGIError("not an answer")
        return result


def _key(result: dict[str, tuple[str, str]]) -> str:
    """Return the key in an answer, or an empty text. Raises AGIError for anything else."""
    try:
        code = int(result["result"][0])
        return chr(code) if code not in (0, _BROKEN_OFF) else ""
    except (ValueError, OverflowError) as error:
        raise AGIError("not a key") from error


def _only_silence(result: dict[str, tuple[str, str]]) -> bool:
    """Return whether a recording holds only silence, of which Asterisk keeps a second."""
    samples = result.get("endpos", ("", ""))[0]
    return result["result"][1] == "timeout" and samples.isdecimal() and int(samples) < SILENT_SAMPLES
