"""Many callers at once, for measuring: one sipp, keys by SIP INFO, and no process or thread for each call."""

import csv
import shutil
import tempfile
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple, Self

from tests.kit import scenario
from tests.kit.ports import free_port
from tests.kit.process import Program, need

_ANSWER_MS = "60000"
"""The time without sound after a due answer that fails a call."""
_SENDER = "<sip:[field0]@127.0.0.1>;tag=[call_number]"
_SDP = scenario.SDP.replace("[rtpstream_audio_port]", "[field1]")


class Pressed(NamedTuple):
    """A key, and how long the caller listens before it."""

    after_ms: int
    key: str


class Done(NamedTuple):
    """The results of the calls, and how long all of them took."""

    successful: int
    failed: int
    seconds: float


class Load:
    """Calls from each number: presses the keys, then hangs up after `hangup_after_ms`, or waits for the end.

    `rate` calls begin each second, at most `at_once` go on at one time. The sound is sent to `sound_ports`
    (one for each number), else to a port where nobody listens to it.
    """

    def __init__(
        self,
        target: str,
        numbers: Sequence[str],
        *,
        rate: float,
        at_once: int = 3000,
        dialled: str = "137",
        keys: Iterable[Pressed] = (),
        hangup_after_ms: int | None = None,
        sound_ports: Sequence[int] = (),
    ) -> None:
        self._steps = _steps(dialled, list(keys), hangup_after_ms)
        self._options = [target, "-m", str(len(numbers)), "-r", str(rate), "-l", str(at_once)]
        self._deaf = free_port()
        self._lines = [
            f"{n};{p}" for n, p in zip(numbers, sound_ports or [self._deaf] * len(numbers), strict=True)
        ]

    def __enter__(self) -> Self:
        self._folder = Path(tempfile.mkdtemp(prefix="load-"))
        (self._folder / "scenario").write_text(scenario.whole(self._steps))
        (self._folder / "numbers").write_text("\n".join(["SEQUENTIAL", *self._lines]) + "\n")
        command = [
            need("sipp", "sip-tester"),
            "-sf",
            "scenario",
            *self._options,
            "-inf",
            "numbers",
            "-nostdin",
            "-recv_timeout",
            _ANSWER_MS,
        ]
        command += ["-i", "127.0.0.1", "-p", str(free_port()), "-mi", "127.0.0.1", "-mp", str(self._deaf)]
        command += ["-trace_stat", "-stf", "stat", "-fd", "1", "-trace_err", "-error_file", "errors"]
        self._began = time.monotonic()
        self._program = Program(command, folder=self._folder, log=self._folder / "log")
        self.pid = self._program.pid
        return self

    def wait(self, timeout: float) -> Done:
        """Wait until every call is over."""
        self._program.wait(timeout)
        seconds = time.monotonic() - self._began
        rows = list(csv.DictReader((self._folder / "stat").read_text().splitlines(), delimiter=";"))
        return Done(int(rows[-1]["SuccessfulCall(C)"]), int(rows[-1]["FailedCall(C)"]), seconds)

    def errors(self) -> str:
        """Return sipp's complaints."""
        path = self._folder / "errors"
        return path.read_text(errors="replace") if path.exists() else ""

    def __exit__(self, *_: object) -> None:
        self._program.stop(patience=0)
        shutil.rmtree(self._folder, ignore_errors=True)


def _steps(dialled: str, keys: list[Pressed], hangup_after_ms: int | None) -> str:
    callee, uri = f"<sip:{dialled}@[remote_ip]>", f"sip:{dialled}@[remote_ip]:[remote_port]"
    whom = scenario.remember("to", "^ *(.*)$", "To")
    steps = scenario.request("INVITE", uri, _SENDER, callee, body=_SDP)
    steps += "".join(f'<recv response="{code}" optional="true"/>' for code in (100, 180, 183))
    steps += f'<recv response="200" rrs="true"><action>{whom}</action></recv>'
    steps += scenario.request("ACK", "[next_url]", _SENDER, "[$to]")
    for seq, (after_ms, key) in enumerate(keys, start=2):
        steps += f'<pause milliseconds="{after_ms}"/>' + _info(key, seq) + '<recv response="200"/>'
    if hangup_after_ms is None:
        return steps + '<recv request="BYE"/>' + scenario.accept() + "<nop/>"
    bye = scenario.request("BYE", "[next_url]", _SENDER, "[$to]", seq=len(keys) + 2)
    return steps + f'<pause milliseconds="{hangup_after_ms}"/>{bye}<recv response="200"/>'


def _info(key: str, seq: int) -> str:
    body = f"Content-Type: application/dtmf-relay\nContent-Length: [len]\n\nSignal={key}\nDuration=80\n"
    request = scenario.request("INFO", "[next_url]", _SENDER, "[$to]", seq=seq)
    return request.replace("Content-Length: [len]\n\n", body)
