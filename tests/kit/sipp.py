"""Odd phones: sipp scenarios that are busy, refuse, never answer, press nothing, or hang up mid-way.

A `SippPhone` waits for calls on a port (`answering`, `refusing`, `ringing`) or places them (`calling`).
Every message it saw can be read, so a test can prove that a phone rang once.
"""

import re
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, Self

import soundfile

from tests.kit import rtp_sender, scenario
from tests.kit.ports import free_port, free_range, give_back
from tests.kit.process import Program, need, until


class Message(NamedTuple):
    """A SIP message as it was on the wire."""

    sent: bool
    text: str

    @property
    def first_line(self) -> str:
        """The request line or the status line."""
        return self.text.partition("\n")[0].strip()

    def header(self, name: str) -> str:
        """The value of a header, empty if it is not there."""
        found = re.search(rf"^{re.escape(name)}:[ \t]*(.*?)\s*$", self.text, re.I | re.M)
        return found[1] if found else ""


class SippPhone:
    """A phone that follows a scenario. Build it with one of the class methods, use it in a `with`."""

    def __init__(
        self,
        steps: str,
        *,
        port: int | None = None,
        options: Sequence[str] = (),
        sound: Path | None = None,
        numbers: Sequence[str] = (),
    ) -> None:
        self.port = port or free_port()
        self._steps, self._options, self._sound, self._numbers = steps, options, sound, numbers

    @classmethod
    def answering(
        cls,
        *,
        port: int | None = None,
        after_ms: int = 0,
        keys: str = "",
        keys_after_ms: int = 1000,
        hangup_after_ms: int | None = None,
        sound: Path | None = None,
        sdp: str = scenario.SDP,
        early: bool = False,
    ) -> Self:
        """Rings, answers after a while, plays `sound` (8 kHz mono wav; else silence), presses `keys`.

        `early`: there is sound before the answer, a 183 in place of the 180. Without keys it is a voicemail.
        It hangs up after `hangup_after_ms`, or waits for the other side.
        """
        bye = scenario.request("BYE", "[$peer]", "[$to];tag=[call_number]", "[$from]")
        steps = (
            scenario.received()
            + scenario.ring(after_ms, sdp if early else "")
            + scenario.reply("200 OK", sdp, how='retrans="500"')
            + '<recv request="ACK"/>'
            + scenario.talk(keys, keys_after_ms)
            + scenario.ending(hangup_after_ms, bye, keys)
        )
        return cls(steps, port=port, sound=sound)

    @classmethod
    def refusing(cls, status: str, *, port: int | None = None, after_ms: int = 0) -> Self:
        """Rings, then refuses: `486 Busy Here`, `603 Decline`, `404 Not Found`, `480 …`."""
        refusal = scenario.reply(status, how='retrans="500"') + '<recv request="ACK"/>'
        steps = scenario.received() + scenario.ring(after_ms) + refusal + scenario.END
        return cls(steps, port=port)

    @classmethod
    def ringing(cls, *, port: int | None = None) -> Self:
        """Rings and is never answered; the caller cancels."""
        return cls(scenario.received() + scenario.ring(None) + scenario.END, port=port)

    @classmethod
    def calling(
        cls,
        target: str,
        number: str | Sequence[str] = "+989131370137",
        *,
        caller: str | None = None,
        identity: str | None = None,
        dialled: str = "137",
        keys: str = "",
        keys_after_ms: int = 1000,
        hangup_after_ms: int | None = None,
        cancel_after_ms: int | None = None,
        rate: int = 10,
        port: int | None = None,
    ) -> Self:
        """Call `dialled` at `target` (host:port), once for each number, `rate` calls a second.

        `caller` and `identity` are the whole values of From and P-Asserted-Identity. They are sent byte for
        byte however hostile (surrogate escapes allowed). Without `caller`, From is made of the number.
        """
        numbers = [number] if isinstance(number, str) else list(number)
        sender = "<sip:[field0]@127.0.0.1>" if caller is None else scenario.literal(caller)
        sender += ";tag=[call_number]"
        callee, uri = f"<sip:{dialled}@[remote_ip]>", f"sip:{dialled}@[remote_ip]:[remote_port]"
        extra = "" if identity is None else f"P-Asserted-Identity: {scenario.literal(identity)}\n"
        limit = f'timeout="{cancel_after_ms}" ontimeout="cancel"' if cancel_after_ms else ""
        bye = scenario.request("BYE", "[next_url]", sender, "[$to]", seq=2)
        whom = scenario.remember("to", "^ *(.*)$", "To")
        steps = (
            scenario.request("INVITE", uri, sender, callee, extra, scenario.SDP)
            + "".join(f'<recv response="{code}" optional="true" {limit}/>' for code in (100, 180, 183))
            + f'<recv response="200" rrs="true" {limit}><action>{scenario.MEDIA}{whom}</action></recv>'
            + scenario.request("ACK", "[next_url]", sender, "[$to]")
            + scenario.talk(keys, keys_after_ms)
            + scenario.ending(hangup_after_ms, bye, keys)
        )
        if cancel_after_ms:
            steps = steps.removesuffix(scenario.END) + (
                '<nop next="end"/><label id="cancel"/>'
                + scenario.request("CANCEL", uri, sender, callee)
                + f'<recv response="200"/><recv response="487"><action>{whom}</action></recv>'
                + scenario.request("ACK", uri, sender, "[$to]")
                + scenario.END
            )
        options = [target, "-m", str(len(numbers)), "-r", str(rate), "-inf", "numbers"]
        return cls(steps, port=port, options=options, numbers=numbers)

    def messages(self) -> list[Message]:
        """Every SIP message sent and received so far, in order."""
        log = self._folder / "messages"
        text = log.read_text(errors="surrogateescape").replace("\r", "") if log.exists() else ""
        parts = re.split(r"^-{40,} .*\nUDP message (sent|received) .*\n\n", text, flags=re.M)
        return [Message(way == "sent", body) for way, body in zip(parts[1::2], parts[2::2], strict=True)]

    def calls(self, method: str = "INVITE") -> list[Message]:
        """The first message of each call that begins with this method or status (`BYE`, `SIP/2.0 486`)."""
        first: dict[str, Message] = {}
        for message in self.messages():
            if message.first_line.startswith(method):
                first.setdefault(message.header("Call-ID"), message)
        return list(first.values())

    @property
    def rang(self) -> int:
        """How many calls (not retransmissions) reached this phone, or were placed by it."""
        return len(self.calls())

    def wait_for(self, method: str, count: int = 1, timeout: float = 30.0) -> Message:
        """Wait until that many calls have seen the method or status; the last one's message."""
        until(lambda: len(self.calls(method)) >= count, f"{count} x {method}", timeout)
        return self.calls(method)[count - 1]

    def wait(self, timeout: float = 30.0) -> bool:
        """Wait until a calling phone has made all its calls; whether each went as the scenario says."""
        return self._program.wait(timeout) == 0

    def __enter__(self) -> Self:
        self._folder = Path(tempfile.mkdtemp(prefix="sipp-"))
        sound = self._folder / "sound"
        samples = soundfile.read(self._sound)[0] if self._sound else [0.0] * 8000
        soundfile.write(sound, samples, 8000, format="RAW", subtype="ALAW")
        talking = f"exec {sys.executable} -IS {rtp_sender.__file__}"
        steps = self._steps.replace("@TALK@", talking).replace("@SOUND@", str(sound))
        (self._folder / "scenario").write_text(scenario.whole(steps))
        (self._folder / "numbers").write_text("\n".join(["SEQUENTIAL", *self._numbers]) + "\n")
        command = [need("sipp", "sip-tester"), "-sf", "scenario", *self._options, "-nostdin", "-aa"]
        command += ["-i", "127.0.0.1", "-p", str(self.port), "-mi", "127.0.0.1"]
        self._rtp = free_range(200)
        command += ["-min_rtp_port", str(self._rtp.first), "-max_rtp_port", str(self._rtp.last)]
        command += ["-trace_msg", "-message_file", "messages", "-trace_err", "-error_file", "errors"]
        self._program = Program(command, folder=self._folder, log=self._folder / "log")
        try:
            if not self._numbers:
                self._program.ready(self._listening)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._program.stop(patience=0)
        give_back(self._rtp)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _listening(self) -> bool:
        return f" 0100007F:{self.port:04X} " in Path("/proc/net/udp").read_text()
