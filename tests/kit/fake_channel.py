"""The side of Asterisk in one call of the fake: it answers as the real one did (transcripts.toml)."""

import itertools
import shlex
import socket
import tempfile
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from io import BufferedIOBase
from pathlib import Path
from typing import Protocol

from dialplan.variables import Variable
from prompts.catalogue import Value, list_clips, list_prompts
from tests.kit import transcripts

_A_SECOND = 17_000  # bytes of a recording, and a little
_serial = itertools.count(1)


def said(command: str, end: str, *numbers: int) -> bytes:
    """Return the real Asterisk's answer to this command at this end; `numbers` replace its own."""
    return "".join(f"{line}\n" for line in transcripts.answer(command, end, *numbers)).encode()


def read_from(*answers: bytes) -> BufferedIOBase:
    """Return a connection on which Asterisk has answered all this already."""
    connection = tempfile.TemporaryFile()  # noqa: SIM115 (its reader closes it)
    connection.write(b"".join(answers))
    connection.seek(0)
    return connection


class End:
    """An end of a call by other means than keys."""


HANG_UP = End()
"""The caller hangs up: the command fails, HANGUP is sent, the channel is dead from then on."""
CUT = End()
"""Asterisk dies: the connection ends."""
SILENT = End()
"""Asterisk is stuck: it gives no answer, and the connection stays."""
SET_BACK = End()
"""Asterisk's clock is set back: only another command ends this wait."""

HELD, KEPT_ON_HOLD, HELD_FOR_A_MOMENT = End(), End(), End()
"""The caller holds the call, and takes it back after two seconds, or never, or at once."""

NO_FILE = said("RECORD FILE", "cannot be written")
NOTHING_SAID = said("RECORD FILE", "nothing but silence")
LONGEST = said("RECORD FILE", "the longest time")
NO_PROMPT = said("STREAM FILE", "no such file")
"""Answers for a test to give instead of the usual ones."""

MUSIC = "hold"
"""The moment at which music on hold begins."""

WORKING = "working"
"""The moment at which the script does something of its own, and Asterisk waits so long, over and over:"""
WORK_MS = 20

RECORDING = "recording"
"""The moment at which the caller has spoken and is still being recorded."""

Deed = str | bytes | End | Callable[[], object]
"""A step at a moment: keys, a wrong answer of Asterisk, the end of the call, or a test's action."""


class Caller(Protocol):
    """The caller on the phone. A moment is `main-menu` as that prompt begins. It is `after main-menu` once
    the script waits for a key, or RECORDING.
    """

    def at(self, moment: str) -> Deed | None:
        """Return the step at this moment; None if the caller is silent."""


@dataclass
class Heard:
    """A call as the caller and the dialplan saw it."""

    channel_id: str
    clips: list[str] = field(default_factory=list)
    """The clips that began, in order."""
    cut_off: list[int] = field(default_factory=list)
    """The places among them of those that a key ended."""
    prompts: list[str] = field(default_factory=list)
    """The prompts that began, in order."""
    variables: dict[str, str] = field(default_factory=dict)
    order: list[str] = field(default_factory=list)
    """The prompts that began and the variables that were set (NAME=value), in order."""
    waits_ms: list[int] = field(default_factory=list)
    folders: list[Path] = field(default_factory=list)
    """The folder of each played clip."""
    recorded: list[Path] = field(default_factory=list)
    """The files into which the caller was recorded."""
    commands: set[str] = field(default_factory=set)
    """The commands that Asterisk was asked."""
    left_at_work: bool = False
    """Whether the call ended while the script was at work: what it makes then is told to nobody."""
    record_ms: list[int] = field(default_factory=list)
    """The longest that each recording could have become."""

    @property
    def finished(self) -> bool:
        """Whether the script came to its own ending; if not, the dialplan apologises."""
        return self.variables.get("HOTLINE_FINISHED") == "1"

    @property
    def languages(self) -> set[str]:
        """The languages that were spoken."""
        return {folder.name for folder in self.folders}

    def said(self, prompt: str, *, language: str = "fa", **slots: Value) -> bool:
        """Whether this prompt was played from beginning to end, with these values in its slots."""
        whole = [(language, clip) for clip in list_clips(language, prompt, **slots)]
        played = [(folder.name, clip) for folder, clip in zip(self.folders, self.clips, strict=True)]
        ends = [end for end in range(len(whole), len(played) + 1) if end - 1 not in self.cut_off]
        return any(played[end - len(whole) : end] == whole for end in ends)


class Clock:
    """The fake's time, in seconds: it goes on by what a prompt or a silence would have taken."""

    def __init__(self) -> None:
        self._at = 0.0

    def __call__(self) -> float:
        """Return the time."""
        return self._at

    def pass_(self, seconds: float) -> None:
        """Let seconds pass."""
        self._at += seconds


_A_CLIP_S = 2.0
CLIP_SAMPLES = 10_000
"""The length of a clip's file: two of them are one command."""
_CUT_AFTER = 6_400
"""Samples of a clip that were heard when a key came."""
_ANY_KEY = "0123456789*#ABCD"
_PAUSE_S = 3.0
"""Before what a caller does next: time enough to listen."""
_KEY_S = 0.3
"""From one key to the next of those that are pressed at once."""


class Channel:
    """The side of Asterisk in one call."""

    def __init__(
        self,
        wire: socket.socket,
        caller: Caller,
        heard: Heard,
        every_clip: Callable[[], object],
        clock: Clock,
    ) -> None:
        self._clock = clock
        self._wire = wire
        self._caller = caller
        self._heard = heard
        self._every_clip = every_clip
        self._keys: deque[str] = deque()
        self._dead = False
        self._held = 0
        self._back = b""
        self._recording: _Recording | None = None
        self._at_work = False
        self._waits_on = False
        self._commands: dict[str, Callable[..., bytes]] = {
            "STREAM FILE": self._stream_file,
            "EXEC": self._background,
            "WAIT FOR DIGIT": self._wait_for_digit,
            "SET VARIABLE": self._set_variable,
            "GET FULL VARIABLE": self._get_full_variable,
            "RECORD FILE": self._record_file,
            "NOOP": lambda: said("NOOP", "done"),
        }

    def live(self, variables: Mapping[str, str]) -> None:
        """Until the server ends the connection, or the caller has Asterisk end it."""
        words = "".join(f"{name}: {value}\n" for name, value in variables.items())
        try:
            self._wire.sendall(f"{words}\n".encode("utf-8", "surrogateescape"))
            for line in self._wire.makefile("rb"):
                with suppress(_Unanswered):
                    self._wire.sendall(self._answer(line.decode()))
        except _Cut:
            self._wire.shutdown(socket.SHUT_WR)
            assert not self._wire.recv(1), "it goes on speaking to nobody"
        except (BrokenPipeError, ConnectionResetError):
            return  # it ended it first

    def _answer(self, line: str) -> bytes:
        if self._waits_on:
            self._waits_on = False
            assert line.strip() == "NOOP", "its own answer follows that of the wait"
            return said("WAIT FOR DIGIT", "another command")
        if self._recording:
            self._recording.close()
            self._recording = None
        name = next((n for n in self._commands if line.startswith(n)), "")
        if not name:
            return said("ANYTHING ELSE", "no such command")
        self._heard.commands.add(name)
        self._at_work = self._at_work and name == "WAIT FOR DIGIT"
        if self._dead and name not in ("SET VARIABLE", "GET FULL VARIABLE"):
            return said(name, "dead channel")
        try:
            return self._commands[name](*_words(line)[len(name.split()) :])
        except (TypeError, ValueError):  # too many words or too few, or no number where one must be
            return said(name, "wrong syntax")

    def _stream_file(self, path: str, escape_digits: str, offset: str = "0") -> bytes:
        if instead := self._begins(Path(path), "STREAM FILE", int(offset)):
            return instead
        key, at = self._until_key(Path(path).name, escape_digits, int(offset))
        return said("STREAM FILE", "a key", ord(key), at) if key else said("STREAM FILE", "played out")

    def _background(self, application: str, paths: str) -> bytes:
        if application != "Background":
            raise ValueError(application)
        for path in map(Path, paths.split("&")):
            if instead := self._begins(path, "EXEC"):
                return instead
            if key := self._until_key(path.name, _ANY_KEY)[0]:
                return said("EXEC", "a key", ord(key))
        return said("EXEC", "played out")

    def _begins(self, clip: Path, command: str, offset: int = 0) -> bytes:
        if offset:  # it goes on after a key that was no reason to end it
            with suppress(ValueError):
                self._heard.cut_off.remove(len(self._heard.clips) - 1)
            return b""
        self._every_clip()
        self._heard.clips.append(clip.name)
        self._heard.folders.append(clip.parent)
        prompt, _, part = clip.name.partition(".")
        if (prompt in list_prompts("fa") and part in ("", "1")) or prompt == MUSIC:
            self._heard.prompts.append(prompt)
            self._heard.order.append(prompt)
            return self._now(prompt, command)
        return b""

    def _until_key(self, clip: str, keys: str, offset: int = 0) -> tuple[str, int]:
        """The key of `keys` that cuts the rest of this clip short, if any, and at which sample."""
        while self._keys:
            if (key := self._key()) in keys:
                self._heard.cut_off.append(len(self._heard.clips) - 1)
                return key, offset + _CUT_AFTER
        self._clock.pass_(_A_CLIP_S)
        return "", 0

    def _key(self) -> str:
        self._clock.pass_(_KEY_S)
        return self._keys.popleft()

    def _wait_for_digit(self, timeout_ms: str) -> bytes:
        before, self._at_work = self._at_work, int(timeout_ms) == WORK_MS
        if self._keys:
            return said("WAIT FOR DIGIT", "a key", ord(self._key()))
        if not self._at_work:
            self._heard.waits_ms.append(int(timeout_ms))
        moment = WORKING if self._at_work else f"after {self._heard.prompts[-1]}"
        if not (self._at_work and before) and (instead := self._now(moment, "WAIT FOR DIGIT")):
            return instead
        if self._keys:
            return said("WAIT FOR DIGIT", "a key", ord(self._key()))
        self._clock.pass_(int(timeout_ms) / 1000)
        return said("WAIT FOR DIGIT", "time-out")

    def _record_file(self, path: str, ending: str, keys: str, longest_ms: str, silence: str) -> bytes:
        """Record as a channel does: the file exists at once, and a hang-up comes before its end."""
        if not silence.startswith("s=") or not silence[2:].isdecimal():
            raise ValueError(silence)
        file = Path(f"{path}.{ending}")
        self._heard.record_ms.append(int(longest_ms))
        file.parent.mkdir(parents=True, exist_ok=True)  # made with Asterisk's configuration
        self._recording = _Recording(file)
        self._heard.recorded.append(file)
        instead = self._now(RECORDING, "RECORD FILE")
        if instead == NO_FILE:
            file.unlink()
        if not self._dead:
            self._recording.close()
        if instead:
            return instead
        while self._keys:
            if (key := self._key()) in keys:
                return said("RECORD FILE", "a key", ord(key))
        return said("RECORD FILE", "silence")

    def _set_variable(self, name: str, value: str) -> bytes:
        self._heard.variables[name] = value
        self._heard.order.append(f"{name}={value}")
        return said("SET VARIABLE", "set")

    def _get_full_variable(self, expression: str) -> bytes:
        if expression[2:-1] in set(Variable):
            value = self._heard.variables.get(expression[2:-1], "")
            return said("GET FULL VARIABLE", "held").replace(b"(1 )", f"({value})".encode())
        if expression != "${CHANNEL(rtp,hold,audio)} ${HOTLINE_BACK}":
            raise ValueError(expression)
        self._held = max(0, self._held - 1)
        if self._back and not self._held:
            return said("GET FULL VARIABLE", "taken back").replace(b"1764547200123456789", self._back)
        return said("GET FULL VARIABLE", "held" if self._held else "not held")

    def _now(self, moment: str, command: str) -> bytes:
        deed = self._caller.at(moment)
        self._heard.left_at_work = isinstance(deed, End) and moment == WORKING
        if deed is CUT:
            if self._recording:
                self._recording.write(_A_SECOND)
            raise _Cut
        self._waits_on = deed is SET_BACK
        if deed in (SILENT, SET_BACK):
            raise _Unanswered
        if deed is HANG_UP:
            self._dead = True
            return said(command, "hang-up")
        if deed in (HELD, KEPT_ON_HOLD):
            self._held = 3 if deed is HELD else 10_000
        if deed is HELD_FOR_A_MOMENT:
            self._back = b"%d" % time.monotonic_ns()
        if isinstance(deed, str):
            self._clock.pass_(_PAUSE_S)
            self._keys.extend(deed)
        return deed if isinstance(deed, bytes) else b""


class _Recording:
    """A file that Asterisk writes: most of it is on the disk only once it is closed."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._said = f"said before {next(_serial):040000}"
        self.write(4096)

    def write(self, size: int) -> None:
        """Write this much of the file to the disk."""
        self._file.write_text(self._said[:size])
        self._written = size

    def close(self) -> None:
        """All of it is, unless the disk is full or the file gone."""
        if self._file.exists() and self._file.stat().st_size == self._written:
            self.write(len(self._said))


class _Cut(Exception):
    """The connection is to end now."""


class _Unanswered(Exception):
    """This command gets no answer."""


def _words(line: str) -> list[str]:
    """The words of a command, as Asterisk takes them apart: blanks, double quotes and backslashes count."""
    lexer = shlex.shlex(line, posix=True)
    lexer.whitespace_split = True
    lexer.quotes, lexer.commenters = '"', ""
    return list(lexer)
