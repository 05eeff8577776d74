"""An Asterisk that speaks AGI over TCP to our real server, with a caller who does what a test says.

Time is not real here: a prompt takes no time, and a silent caller is silent at once. Keys behave as they
do on a channel: each waits until a prompt that it may end, or a question, takes it.
"""

import itertools
import shlex
import socket
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import Engine, event

from ivr.reception import Reception
from ivr.server import Server
from prompts.catalogue import Value, clips, prompt_ids
from settings import Settings

PATIENCE_S = 15.0
"""A server that says nothing for so long, and does not end the call, has failed the test."""

_OK, _DEAD = b"200 result=0\n", b"511 Command Not Permitted on a dead channel or intercept routine\n"
_USAGE = b"520-Invalid command syntax.  Proper usage follows:\nUsage: ...\n520 End of proper usage.\n"
_serial = itertools.count(1)


class End:
    """A way in which a call ends before its script does."""


HANG_UP = End()
"""The caller hangs up: the command fails, HANGUP is sent, the channel is dead from then on."""
CUT = End()
"""Asterisk dies: the connection ends."""
SILENT = End()
"""Asterisk is stuck: it gives no answer, and the connection stays."""

NO_FILE = b"200 result=-1 (writefile)\n"
"""Asterisk's answer when it cannot write a recording."""

MUSIC = "hold"
"""The moment at which music on hold begins."""

RECORDING = "recording"
"""The moment at which the caller has spoken and is still being recorded."""

Deed = str | bytes | End | Callable[[], object]
"""What happens at a moment: keys are pressed; Asterisk gives this answer instead of the right one; the call
ends; or the test does something of its own."""


class Caller(Protocol):
    """Whoever is on the phone. A moment is `main-menu` as that prompt begins, or `after main-menu` once it is
    over and the script waits for a key, or RECORDING."""

    def at(self, moment: str) -> Deed | None:
        """What happens at this moment; None: the caller is silent."""


class Steps:
    """A caller who does one thing after the other, each when its moment comes."""

    def __init__(self, *steps: tuple[str, Deed]) -> None:
        self.left = deque(steps)

    def at(self, moment: str) -> Deed | None:
        """The next deed if this is its moment; what the test does for itself is done at once."""
        while self.left and self.left[0][0] == moment:
            _, deed = self.left.popleft()
            if not callable(deed):
                return deed
            deed()
        return None


class Anybody:
    """A caller who at each moment does the next of these, whatever is asked, and is silent at last."""

    def __init__(self, deeds: Iterable[Deed | None]) -> None:
        self._deeds = iter(deeds)
        self.gone = False
        """Whether the caller, or Asterisk, has ended the call."""

    def at(self, moment: str) -> Deed | None:
        """The next deed."""
        deed = next(self._deeds, None)
        self.gone = self.gone or isinstance(deed, End)
        return deed


class Leaving:
    """A caller who does what another does, but in this way ends the call at the moment of this number."""

    def __init__(self, caller: Caller, moment: int, how: End) -> None:
        self._caller = caller
        self._moment = moment
        self._how = how
        self.moments: list[str] = []
        """The moments that came."""

    def at(self, moment: str) -> Deed | None:
        """What the other one does, or the end."""
        self.moments.append(moment)
        return self._how if len(self.moments) - 1 == self._moment else self._caller.at(moment)


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
    """Where each of the clips was played from."""
    recorded: list[Path] = field(default_factory=list)
    """The files into which the caller was recorded."""
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
        whole = [(language, clip) for clip in clips(language, prompt, **slots)]
        played = [(folder.name, clip) for folder, clip in zip(self.folders, self.clips, strict=True)]
        ends = [end for end in range(len(whole), len(played) + 1) if end - 1 not in self.cut_off]
        return any(played[end - len(whole) : end] == whole for end in ends)


class FakeAsterisk:
    """Makes calls to the server at `settings.agi`."""

    def __init__(self, settings: Settings) -> None:
        self._address = settings.agi

    def dial(self, *steps: tuple[str, Deed], **how: Any) -> Heard:
        """A call by somebody who takes these steps, each of them, and is silent otherwise."""
        caller = Steps(*steps)
        heard = self.call(caller, **how)
        assert not caller.left, f"never came to {caller.left[0][0]!r}; heard {heard.prompts}"
        return heard

    def call(
        self,
        caller: Caller,
        *,
        script: str = "menu",
        caller_id: str = "09131234567",
        channel_id: str = "",
        every_clip: Callable[[], object] = lambda: None,
        **variables: str,
    ) -> Heard:
        """One call from its first word to the end of its connection. `every_clip` is done as each begins."""
        heard = Heard(channel_id or f"{next(_serial)}.137")
        given = {
            "agi_network": "yes",
            "agi_network_script": script,
            "agi_request": f"agi://{self._address}/{script}",
            "agi_channel": "PJSIP/trunk-00000001",
            "agi_language": "en",
            "agi_type": "PJSIP",
            "agi_uniqueid": heard.channel_id,
            "agi_version": "22.10.1",
            "agi_callerid": caller_id,
            "agi_calleridname": "unknown",
            "agi_context": "hotline",
            "agi_extension": "s",
            "agi_priority": "2",
            **variables,
        }
        with socket.create_connection(self._address, timeout=PATIENCE_S) as wire:
            _Channel(wire, caller, heard, every_clip).live(given)
        return heard

    def shout(self, sent: bytes, *, stay: bool = False) -> bytes:
        """Send these bytes, then the end or, if we `stay`, nothing; what came until the server ended it."""
        with socket.create_connection(self._address, timeout=PATIENCE_S) as wire:
            received = b""
            try:
                wire.sendall(sent)
                if not stay:
                    wire.shutdown(socket.SHUT_WR)
                while data := wire.recv(4096):
                    received += data
            except TimeoutError:
                raise
            except OSError:
                pass  # it had heard enough, and ended it first
        return received


@contextmanager
def answering(settings: Settings, engine: Engine) -> Iterator[FakeAsterisk]:
    """Our real server answers at `settings.agi`; the Asterisk that calls it."""
    with Server(settings, engine, Reception(engine, offer_age_s=0)) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield FakeAsterisk(settings)
        finally:
            server.shutdown()
            thread.join()


class _Channel:
    """The side of Asterisk in one call."""

    def __init__(
        self, wire: socket.socket, caller: Caller, heard: Heard, every_clip: Callable[[], object]
    ) -> None:
        self._wire = wire
        self._caller = caller
        self._heard = heard
        self._every_clip = every_clip
        self._keys: deque[str] = deque()
        self._dead = False
        self._commands: dict[str, Callable[..., bytes]] = {
            "STREAM FILE": self._stream_file,
            "WAIT FOR DIGIT": self._wait_for_digit,
            "SET VARIABLE": self._set_variable,
            "RECORD FILE": self._record_file,
        }

    def live(self, variables: Mapping[str, str]) -> None:
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
        name = next((n for n in self._commands if line.startswith(n)), "")
        if not name:
            return b"510 Invalid or unknown command\n"
        if self._dead and name != "SET VARIABLE":
            return _DEAD
        try:
            return self._commands[name](*_words(line)[len(name.split()) :])
        except (TypeError, ValueError):  # too many words or too few, or no number where one must be
            return _USAGE

    def _stream_file(self, path: str, escape_digits: str, offset: str = "0") -> bytes:
        int(offset)
        clip = Path(path)
        self._every_clip()
        self._heard.clips.append(clip.name)
        self._heard.folders.append(clip.parent)
        prompt, _, part = clip.name.partition(".")
        if (prompt in prompt_ids("fa") and part in ("", "1")) or prompt == MUSIC:
            self._heard.prompts.append(prompt)
            self._heard.order.append(prompt)
            if instead := self._now(prompt):
                return instead
        while self._keys:
            if (key := self._keys.popleft()) in escape_digits:
                self._heard.cut_off.append(len(self._heard.clips) - 1)
                return f"200 result={ord(key)} endpos=800\n".encode()
        return b"200 result=0 endpos=16000\n"

    def _wait_for_digit(self, timeout_ms: str) -> bytes:
        self._heard.waits_ms.append(int(timeout_ms))
        if not self._keys and (instead := self._now(f"after {self._heard.prompts[-1]}")):
            return instead
        return f"200 result={ord(self._keys.popleft())}\n".encode() if self._keys else _OK

    def _record_file(self, path: str, ending: str, keys: str, longest_ms: str, silence: str) -> bytes:
        """As on a channel, it is there as soon as the caller speaks, and stays whatever ends it."""
        if not silence.startswith("s=") or not silence[2:].isdecimal():
            return _USAGE
        file = Path(f"{path}.{ending}")
        self._heard.record_ms.append(int(longest_ms))
        file.parent.mkdir(parents=True, exist_ok=True)  # made with Asterisk's configuration
        file.write_text(f"said before {next(_serial):040}")
        self._heard.recorded.append(file)
        if instead := self._now(RECORDING):
            if instead == NO_FILE:
                file.unlink()
            return instead.replace(b"result=-1 ", b"result=-1 (hangup) ")
        while self._keys:
            if (key := self._keys.popleft()) in keys:
                return f"200 result={ord(key)} (dtmf) endpos=8000\n".encode()
        return b"200 result=0 (timeout) endpos=480000\n"

    def _set_variable(self, name: str, value: str) -> bytes:
        self._heard.variables[name] = value
        self._heard.order.append(f"{name}={value}")
        return b"200 result=1\n"

    def _now(self, moment: str) -> bytes:
        deed = self._caller.at(moment)
        if deed is CUT:
            raise _Cut
        if deed is SILENT:
            raise _Unanswered
        if deed is HANG_UP:
            self._dead = True
            return b"200 result=-1 endpos=800\nHANGUP\n"
        if isinstance(deed, str):
            self._keys.extend(deed)
        return deed if isinstance(deed, bytes) else b""


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


def transactions(engine: Engine) -> list[str]:
    """A list that grows by one with each transaction of this engine, from now on."""
    begun: list[str] = []
    event.listen(engine, "begin", lambda _: begun.append("transaction"))
    return begun
