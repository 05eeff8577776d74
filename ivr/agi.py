"""AGI as pyst2 0.5.1 speaks it, with its faults mended. Nothing else of ours speaks it.

What the real Asterisk answers to each of these commands is in tests/kit/transcripts.toml.
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
from ivr.early_answers import EARLY

# It lays out each answer for the log that `Silence` drops: a tenth of a call's CPU.
agi.pprint = SimpleNamespace(pformat=str)

_MAX_ENV = 200
_LONGEST_RESULT = 8  # a key's code, 0, -1, or the milliseconds that a recording had left
_NEVER_BEGAN = "200 result=-1 endpos=0"
_USUAL = re.compile(r"200 result=([0-9]{1,8})(?: \(([0-9 ]*)\))?(?: endpos=([0-9]+))?")
"""Nearly every answer. pyst2, which reads all others, takes three times as long for it."""
_LINE = f"${{CHANNEL(rtp,hold,audio)}} ${{{Variable.BACK}}}"
_LISTEN_MS = 20
_PATIENT_S, _PATIENT_AGAIN_S = 2.5, 6.0
"""So long our own work may keep the caller in silence, at first and after each time that they were told."""
SILENT_SAMPLES = 9_600  # a second of them, and a little

__all__ = ["SILENT_SAMPLES", "AGIError", "AGIHangup", "Agi"]


class Line(NamedTuple):
    """The caller's line at a moment."""

    is_held: bool
    back_ns: int
    """When the call was taken back last, as `Variable.BACK` says it; 0: it was not, or nobody could say."""


class _NoFile(AGIError):  # type: ignore[misc]
    """Asterisk cannot write a recording."""


class _Work:
    """Something of our own that is done while Asterisk waits for keys."""

    def __init__(self, heard: Callable[[str], object], is_long: Callable[[], object]) -> None:
        self.heard = heard
        self.is_long = is_long
        self.wait_began = 0.0
        self.silent_until = time.monotonic() + _PATIENT_S
        self.done = threading.Event()
        self.heard_all = threading.Event()
        self.failed: Exception | None = None

    @contextmanager
    def noting_failure(self) -> Iterator[None]:
        """What fails within is told when the work is done; then nothing more is heard."""
        try:
            yield
        except Exception as error:
            self.failed = error
            self.heard_all.set()


class Agi(AGI):  # type: ignore[misc]
    """One AGI conversation. Raises AGIHangup once the caller or Asterisk is gone, else AGIError."""

    def __init__(self, reader: BufferedIOBase, writer: BufferedIOBase) -> None:
        # Not super().__init__: it installs a signal handler, which fails in a thread.
        self.stdin = Lines(reader)
        self.stdout = Commands(writer)
        self.stderr = Silence()
        self._got_sighup = False
        self.env: dict[str, str] = {}
        self._get_agi_env()

    def play(self, file: Path | str, keys: str) -> str:
        """Play a file, named without its ending, and return the one of `keys` that cut it short, if any."""
        return self.play_from(file, keys, 0)[0]

    def play_from(self, file: Path | str, keys: str, sample: int) -> tuple[str, int]:
        """The same, from this sample of the file on; also the sample at which it ended."""
        try:
            result = self.execute("STREAM FILE", self._quote(file), f'"{keys}"', sample)
        except AGIHangup:
            if self.stdin.last == _NEVER_BEGAN and not self._has_hung_up():
                raise AGIError(f"cannot be played: {file}") from None
            raise
        ended = result.get("endpos", ("", ""))[0]
        return _key(result), int(ended) if ended.isdecimal() else 0

    def play_together(self, files: Sequence[str]) -> str:
        """Play files one after the other, named without their endings; the first key ends it and is returned.

        One command: Asterisk goes from one to the next by itself, however busy we are, and forgets no key
        between two. It does not say how far it came, and leaves out in silence what it cannot play.
        """
        key = _key(self.execute("EXEC", "Background", self._quote("&".join(files))))
        if not key and self.stdin.hung_up:  # of a dead channel this command says nothing
            raise AGIHangup("the channel is gone")
        return key

    @contextmanager
    def listening(
        self, heard: Callable[[str], object], is_long: Callable[[], object] = lambda: None
    ) -> Iterator[None]:
        """Do something of our own, and tell `heard`, maybe in another thread, of each key pressed meanwhile.

        `is_long` is called there whenever it has kept the caller in silence for long: to say so.

        Asterisk forgets what is pressed between two commands, and ends none early: so it waits for keys
        again and again, too shortly for the caller to notice. Raises AGIHangup, AGIError at the end.
        """
        work = _Work(heard, is_long)
        wire = self.stdin.fileno()
        with work.noting_failure():  # whoever has gone: the work is done first
            self._begin_wait(work)
        EARLY.expect(wire, partial(self._listen_meanwhile, work))
        try:
            yield
        finally:
            work.done.set()
            if not EARLY.due(wire):
                work.heard_all.wait()
            elif not work.failed:
                self._listen(work)
            if work.failed:  # whatever else has gone wrong: there is nobody to tell it
                raise work.failed

    def _begin_wait(self, work: _Work) -> None:
        work.wait_began = time.monotonic()
        self.send_command("WAIT FOR DIGIT", _LISTEN_MS)

    def _listen_meanwhile(self, work: _Work) -> None:
        """The work takes longer than one wait."""
        with work.noting_failure():
            # Not threading's: that waits until the thread has run, and one watcher begins those of all calls.
            _thread.start_new_thread(self._listen, (work,))

    def _listen(self, work: _Work) -> None:
        """Take keys, from the answer that is awaited on, until the work is done and none comes."""
        with work.noting_failure():
            while True:
                if key := _key(self.get_result()):
                    work.heard(key)
                elif work.done.is_set():
                    break
                elif time.monotonic() - work.wait_began < _LISTEN_MS / 1000:
                    # who does not wait is not asked again
                    work.done.wait()
                    break
                elif time.monotonic() >= work.silent_until:
                    work.is_long()
                    work.silent_until = time.monotonic() + _PATIENT_AGAIN_S
                self._begin_wait(work)
        work.heard_all.set()

    def record_file(self, file: Path, keys: str, seconds: int, silence_s: int) -> bool:
        """Record into `file`.wav until a key, so many seconds, or a silence so long.

        False, and no file, if the caller was silent all the time. Whether the disk took it is for the file to
        say. What was said before a hang-up stays in the file. Raises AGIHangup.
        """
        options = ("wav", self._quote(keys), seconds * 1000, f"s={silence_s}")
        try:
            result = self.execute("RECORD FILE", self._quote(file), *options)
        except _NoFile:
            return True
        except AGIHangup:
            self._has_hung_up()  # told first; once that is answered, the file's end is written, too
            raise
        if _only_silence(result):
            with suppress(OSError):
                file.with_suffix(".wav").unlink()
            return False
        return True

    def line(self) -> Line:
        """Whether the caller's telephone holds the call: what is said now nobody hears. Raises AGIHangup.

        Whom we called is at the far end of a Local channel, which has no sound of its own: its other half is
        bridged with the phone's channel. Never through IMPORT: that keeps the phone's channel locked until
        the thread of its call has answered, which may itself wait for that lock, and all of Asterisk hangs.
        """
        local, half, _rest = self.env.get("agi_channel", "").rpartition(";1")
        phone = ""
        if local.startswith("Local/") and half and not (phone := self._value("${BRIDGEPEER}", f"{local};2")):
            return Line(is_held=False, back_ns=0)
        held, _, back = self._value(_LINE, phone).partition(" ")
        return Line(held == "1", int(back) if back.isdecimal() else 0)

    def _value(self, expression: str, channel: str = "") -> str:
        """Of that channel, or of this one; empty if there is none."""
        return str(self.get_full_variable(expression, channel))

    @property
    def is_connected(self) -> bool:
        """Whether Asterisk has not ended the connection, as far as we know."""
        return self.stdin.last != ""

    def _has_hung_up(self) -> bool:
        """Whether the caller has, once Asterisk is done with the last command."""
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
                self.env[key] = value  # the dialplan's are the last
            else:
                self.env.setdefault(key, value)  # a later one may be the caller's own invention
        raise AGIError("too many variables")

    def _quote(self, string: object) -> str:
        text = str(string).replace("\\", "\\\\").replace('"', '\\"')
        return f'"{text if text.isprintable() else "".join(c for c in text if c.isprintable())}"'

    def send_command(self, command: str, *args: object) -> None:
        """pyst2's, without its log."""
        self.stdout.write(" ".join((command, *map(str, args))))

    def get_result(self, stdin: object = None) -> dict[str, tuple[str, str]]:
        """pyst2's, except that -1 is a hang-up, and that no answer at all is an AGIError."""
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
    """The key in an answer, if any. Raises AGIError if there is something else."""
    try:
        code = int(result["result"][0])
        return chr(code) if code else ""
    except (ValueError, OverflowError) as error:
        raise AGIError("not a key") from error


def _only_silence(result: dict[str, tuple[str, str]]) -> bool:
    """Whether a silence ended a recording in which there is nothing else: Asterisk keeps a second of it."""
    samples = result.get("endpos", ("", ""))[0]
    return result["result"][1] == "timeout" and samples.isdecimal() and int(samples) < SILENT_SAMPLES
