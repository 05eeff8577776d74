"""The real Asterisk's answers to each AGI command of ours, at each end that it can have.

`make transcripts` asks it anew and writes `transcripts.toml`, from which the fake Asterisk answers. Values
that vary from call to call (milliseconds, samples) are numbers there; `plain` makes two such answers alike.
"""

import functools
import re
import socket
import time
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import soundfile

from tests.kit.lone_asterisk import LoneAsterisk
from tests.kit.phone import Phone

FILE = Path(__file__).with_suffix(".toml")
_LATER_S = 0.5
"""How soon an unrequested line follows an answer."""
_SPEAKS_S = 2
_PATIENCE_S = 30.0

_VARIES = re.compile(r"(?<=result=|endpos=)[1-9]\d*")

Book = dict[str, dict[str, list[str]]]
"""The lines of the answer, by the command and by its end."""
Deed = Callable[[Phone], None]


@dataclass(frozen=True)
class Take:
    """A command, its end, its words with places to fill in, and the cause of that end."""

    command: str
    end: str
    words: str = ""
    deed: Deed = field(default=lambda _phone: None)
    second: str = ""
    """Another command, sent after the deed and before the answer."""


def _press(keys: str, after_s: float = 0.6) -> Deed:
    def deed(phone: Phone) -> None:
        time.sleep(after_s)
        phone.press(keys)

    return deed


def _hang_up(phone: Phone) -> None:
    time.sleep(1)
    phone.hangup()


_PLAY, _WAIT, _SET, _RECORD, _NOOP = "STREAM FILE", "WAIT FOR DIGIT", "SET VARIABLE", "RECORD FILE", "NOOP"
_GET, _EXEC = "GET FULL VARIABLE", "EXEC"
_LINE = '"${{CHANNEL(rtp,hold,audio)}} ${{HOTLINE_BACK}}"'
_NEW = '"{folder}/new" wav "#" 60000 s=8'
_ALIVE = [
    Take(_SET, "set", '"HOTLINE_FINISHED" "1"'),
    Take(_SET, "wrong syntax", '"HOTLINE_FINISHED"'),
    Take(_NOOP, "done"),
    Take(_PLAY, "played out", '"{prompts}/digit-1" "0123456789*#" 0'),
    Take(_PLAY, "a key", '"{prompts}/greeting" "0123456789*#" 0', _press("5")),
    Take(_PLAY, "no such file", '"{prompts}/nothing" "0123456789*#" 0'),
    Take(_PLAY, "wrong syntax", '"{prompts}/greeting"'),
    Take(_EXEC, "played out", 'Background "{prompts}/digit-1&{prompts}/digit-2"'),
    Take(_EXEC, "a key", 'Background "{prompts}/digit-1&{prompts}/greeting"', _press("5")),
    Take(_EXEC, "no such file", 'Background "{prompts}/digit-1&{prompts}/nothing"'),
    Take(_WAIT, "a key", "5000", _press("#")),
    Take(_WAIT, "time-out", "500"),
    Take(_WAIT, "another command", "5000", _press(""), _NOOP),
    Take(_WAIT, "wrong syntax"),
    Take(_GET, "wrong syntax"),
    Take(_GET, "no such channel", f'{_LINE} "Local/gone;2"'),
    Take(_GET, "not held", _LINE),
    Take(_WAIT, "time-out", "2000", Phone.hold),
    Take(_GET, "held", _LINE),
    Take(_WAIT, "time-out", "2000", Phone.resume),
    Take(_SET, "set", '"HOTLINE_BACK" "1764547200123456789"'),
    Take(_GET, "taken back", _LINE),
    Take(_RECORD, "a key", _NEW, _press("#", 1.5)),
    Take(_RECORD, "the longest time", '"{folder}/new" wav "#" 2000 s=8'),
    Take(_RECORD, "nothing but silence", _NEW),
    Take(_RECORD, "cannot be written", '"{folder}/file/new" wav "#" 60000 s=8'),
    Take(_RECORD, "the disk is full", '"{folder}/full" wav "#" 60000 s=8'),
    Take(_RECORD, "wrong syntax", '"{folder}/new" wav "#"'),
    Take("ANYTHING ELSE", "no such command"),
]
_DEAD = [
    Take(_PLAY, "dead channel", '"{prompts}/greeting" "0123456789*#" 0'),
    Take(_EXEC, "dead channel", 'Background "{prompts}/digit-1&{prompts}/digit-2"'),
    Take(_WAIT, "dead channel", "5000"),
    Take(_GET, "dead channel", _LINE),
    Take(_SET, "dead channel", '"HOTLINE_FINISHED" "1"'),
    Take(_RECORD, "dead channel", _NEW),
    Take(_NOOP, "dead channel"),
]
_CALLS = [
    _ALIVE,
    [Take(_RECORD, "silence", _NEW)],
    [Take(_PLAY, "hang-up", '"{prompts}/greeting" "0123456789*#" 0', _hang_up), *_DEAD],
    [Take(_EXEC, "hang-up", 'Background "{prompts}/greeting&{prompts}/greeting"', _hang_up)],
    [Take(_WAIT, "hang-up", "5000", _hang_up)],
    [Take(_RECORD, "hang-up", _NEW, _hang_up)],
]
"""One call after the other; in each the caller speaks for two seconds and then is silent."""


@functools.cache
def recorded() -> Book:
    """Return the recorded answers."""
    book: Book = tomllib.loads(FILE.read_text())
    return book


def plain(line: str) -> str:
    """The line without what varies: how much was played or recorded, and the time left or the key."""
    return re.sub(r"result=\d+ (?=\(timeout)", "result=N ", _VARIES.sub("N", line))


def answer(command: str, end: str, *numbers: int) -> list[str]:
    """How it answers this command at this end; `numbers` take the place of those in the first line."""
    first, *others = recorded()[command][end]
    fresh = iter(numbers)
    return [_VARIES.sub(lambda own: str(next(fresh, own[0])), first), *others]


def record() -> Book:
    """Ask the real Asterisk."""
    book: Book = {}
    with LoneAsterisk() as asterisk, socket.create_server(asterisk.settings.agi) as server:
        server.settimeout(_PATIENCE_S)
        folder = asterisk.settings.messages_dir
        (folder / "file").touch()
        (folder / "full.wav").symlink_to("/dev/full")
        places = {"folder": str(folder), "prompts": str(asterisk.settings.prompts_dir / "fa")}
        for takes in _CALLS:
            with _call(asterisk, server) as (phone, channel):
                book["AGI"] = {"variables": channel.variables}
                for take in takes:
                    line = f"{take.command} {take.words}".format(**places).strip()
                    lines = channel.ask(line, lambda take=take: take.deed(phone), take.second)
                    book.setdefault(take.command, {})[take.end] = lines
    return book


@contextmanager
def _call(asterisk: LoneAsterisk, server: socket.socket) -> Iterator[tuple[Phone, "_Channel"]]:
    with Phone("09131234567", port=asterisk.trunk_port, sound=_sound(asterisk.folder)) as phone:
        phone.dial(asterisk.hotline)
        wire, _ = server.accept()
        with wire:
            channel = _Channel(wire)
            phone.wait_for("established")
            yield phone, channel


class _Channel:
    """One AGI connection, and what came over it."""

    def __init__(self, wire: socket.socket) -> None:
        self._wire = wire
        self._wire.settimeout(_PATIENCE_S)
        self._waiting = b""
        names = iter(lambda: self._line().partition(":")[0], "")
        self.variables = list(names)
        """The variables that it sends before the first command."""

    def ask(self, line: str, meanwhile: Callable[[], None], second: str = "") -> list[str]:
        """Send the line; all lines that come back, also those that come later by themselves."""
        self._wire.sendall(f"{line}\n".encode())
        meanwhile()
        if second:
            self._wire.sendall(f"{second}\n".encode())
        lines = [self._line()]
        while lines[-1] == "HANGUP" or (lines[-1][:4] != "520 " and lines[0][:4] == "520-"):
            lines.append(self._line())
        self._wire.settimeout(_LATER_S)
        with suppress(TimeoutError):
            while True:
                lines.append(self._line())
        self._wire.settimeout(_PATIENCE_S)
        return lines

    def _line(self) -> str:
        while b"\n" not in self._waiting:
            received = self._wire.recv(4096)
            if not received:
                raise ConnectionError(f"Asterisk ended it after {self._waiting!r}")
            self._waiting += received
        line, _, self._waiting = self._waiting.partition(b"\n")
        return line.decode()


def _sound(folder: Path) -> Path:
    """A tone, then a silence longer than any of the calls."""
    path = folder / "speech.wav"
    tone = 0.4 * np.sin(2 * np.pi * 440 * np.arange(_SPEAKS_S * 8000) / 8000)
    soundfile.write(path, np.concatenate([tone, np.zeros(120 * 8000)]), 8000, subtype="PCM_16")
    return path


def written(book: Book) -> str:
    """The book as the file holds it."""
    words = ["# Written by `make transcripts` from what the real Asterisk answers; not to be edited."]
    for command, ends in book.items():
        words.append(f'\n["{command}"]')
        for end, lines in ends.items():
            quoted = ", ".join(f"'{line}'" for line in lines)
            words.append(f'"{end}" = [{quoted}]')
    return "\n".join(words) + "\n"


if __name__ == "__main__":
    FILE.write_text(written(record()))
