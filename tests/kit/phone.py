"""A phone that really plays and records sound: baresip, driven over its control socket.

It hears packet by packet, so a recording holds exactly the audio that arrived. Silence during which nothing
was sent takes no time in it.
"""

import os
import shutil
import signal
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np

from tests.kit.baresip import Account, Baresip, CommandError, read_wav
from tests.kit.ports import Ports, free_port
from tests.kit.process import ProgramError
from tests.kit.sound import Recording

__all__ = ["Account", "Call", "CommandError", "Phone"]

KEY_SECONDS = 0.15
"""How long a pressed key takes on the wire."""

_KINDS = {"opus": "48000/2"}
_STATES = {
    "CALL_RINGING": "ringing",
    "CALL_PROGRESS": "ringing",
    "CALL_ANSWERED": "answered",
    "CALL_ESTABLISHED": "established",
    "CALL_CLOSED": "closed",
}


@dataclass(eq=False)
class Call:
    """One call of a phone. `reason` says why it closed, for example `486 Busy Here`."""

    id: str
    incoming: bool
    peer: str
    states: list[str] = field(default_factory=list)
    reason: str = ""
    keys: str = ""
    """The keys the other side pressed."""
    files: list[Path] = field(default_factory=list, repr=False)

    @property
    def closed(self) -> bool:
        """Whether it is over."""
        return "closed" in self.states


class Phone:
    """A citizen's phone behind the trunk (`number`, any Request-URI is taken) or a desk's (`account`).

    It plays `sound` (a mono wav) for ever, or silence. Times out with what happened until then.
    """

    def __init__(
        self,
        number: str = "+989131370137",
        *,
        port: int | None = None,
        account: Account | None = None,
        sound: Path | None = None,
        codecs: tuple[str, ...] = ("pcma", "pcmu"),
        auto_answer: bool = False,
        host: str = "127.0.0.1",
    ) -> None:
        self.number = account.user if account else number
        self.host, self.port = host, port or free_port()
        self.account = account
        self.calls: list[Call] = []
        self.events: list[dict[str, Any]] = []
        self._sound = sound
        self._codecs = codecs
        self._auto_answer = auto_answer
        self._taken = 0
        self._baresip: Baresip = None  # type: ignore[assignment]

    @property
    def uri(self) -> str:
        """Return the address at which this phone can be dialled directly."""
        return f"sip:{self.number}@{self.host}:{self.port}"

    @property
    def sound_ports(self) -> Ports:
        """Return the ports of its sound."""
        return self._baresip.sound_ports

    @property
    def rang(self) -> int:
        """How many calls came in."""
        return sum(call.incoming for call in self.calls)

    def dial(self, uri: str) -> Call:
        """Dial, and give the call at once."""
        call_id = self._baresip.command("dial", uri).rpartition("call id: ")[2].strip()
        with self._baresip.changed:
            return self._call(call_id, incoming=False, peer=uri)

    def wait_for_call(self, timeout: float = 30.0) -> Call:
        """Wait for the next incoming call that this method has not given yet."""
        call = self._wait(
            lambda: next(iter([c for c in self.calls if c.incoming][self._taken :]), None),
            "an incoming call",
            timeout,
        )
        self._taken += 1
        return call

    def wait_for(self, state: str, timeout: float = 30.0, call: Call | None = None) -> Call:
        """Wait until the call was `ringing`, `answered`, `established` or `closed`; it may be more by now.

        The default is the latest call of this phone. Pass a call where a new one is yet to come.
        """

        def reached() -> Call | None:
            one = call or (self.calls[-1] if self.calls else None)
            return one if one and state in one.states else None

        return self._wait(reached, f"a call that is {state}", timeout)

    def wait_for_keys(self, keys: str, timeout: float = 30.0) -> Call:
        """Wait until the other side of the latest call pressed these keys, and no others."""
        return self._wait(
            lambda: self.calls[-1] if self.calls and self.calls[-1].keys == keys else None,
            f"the keys {keys}",
            timeout,
        )

    def answer(self) -> None:
        """Answer the incoming call."""
        self._baresip.command("accept")

    def reject(self) -> None:
        """Refuse the incoming call as busy (486). For other refusals use sipp."""
        self._baresip.command("hangup")

    def hangup(self) -> None:
        """Hang up, or stop dialling. The other side may have been quicker."""
        with suppress(CommandError):
            self._baresip.command("hangup")

    def hangup_all(self) -> None:
        """Hang up every call there is."""
        self._baresip.command("hangupall")

    def hold(self) -> None:
        """Put the call on hold."""
        self._baresip.command("hold")

    def resume(self) -> None:
        """Take it back. baresip looks for another call first, and says that there is none."""
        with suppress(CommandError):
            self._baresip.command("resume")
            return
        self._baresip.command("resume")

    def press(self, keys: str, gap: float = 0.1) -> None:
        """Press keys (RFC 4733), one after another; ends when the last one is released."""
        for key in keys:
            self._baresip.command("sndcode", key)
            time.sleep(KEY_SECONDS + gap)

    def recording(self, call: Call | None = None) -> Recording:
        """Return the sound that the phone heard so far in the call (the latest one)."""
        call = call or self.calls[-1]
        with self._baresip.changed:
            self._collect(call)
        parts = [read_wav(path) for path in call.files]
        if not parts:
            return Recording(np.zeros(0, np.float32), 8000)
        return Recording(np.concatenate([p.samples for p in parts]), parts[-1].rate)

    def wait_for_sound(self, seconds: float, timeout: float = 30.0) -> Recording:
        """Wait until the latest call's recording is that many seconds long."""
        deadline = time.monotonic() + timeout
        while (heard := self.recording()).seconds < seconds:
            if time.monotonic() > deadline:
                raise TimeoutError(f"heard {heard.seconds:.2f} of {seconds} s")
            time.sleep(0.02)
        return heard

    def die(self) -> None:
        """The battery is empty: no farewell is sent."""
        self._baresip.program.stop(signal.SIGKILL)

    def freeze(self) -> None:
        """It stands still: its line stays, no sound comes any more."""
        os.kill(self._baresip.program.pid, signal.SIGSTOP)

    def __enter__(self) -> Self:
        self._folder = Path(tempfile.mkdtemp(prefix="phone-"))
        try:
            self._baresip = Baresip(self._folder, (self.host, self.port), self._sound, self._note)
            self._baresip.command("uanew", self._line)
            if self.account:
                self._register()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self._baresip:
            self._baresip.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def _line(self) -> str:
        """Return baresip's line of an account."""
        if self.account:
            user, password, registrar = self.account
            line = f"<sip:{user}@{registrar}>;auth_user={user};auth_pass={password};regint=60"
        else:
            line = f"<sip:{self.number}@127.0.0.1>;regint=0;catchall=yes"
        codecs = ",".join(f"{codec}/{_KINDS.get(codec, '8000/1')}" for codec in self._codecs)
        answer = ";answermode=auto" if self._auto_answer else ""
        return f"{line};audio_codecs={codecs};dtmfmode=rtpevent{answer}"

    def _register(self) -> None:
        def answered() -> dict[str, Any] | None:
            return next((e for e in self.events if e["type"].startswith("REGISTER_")), None)

        event = self._baresip.wait(answered, "an answer from the registrar")
        if event["type"] != "REGISTER_OK":
            raise ProgramError(f"{self.number} is not registered: {event.get('param')}")

    def _wait(self, found: Callable[[], Call | None], what: str, timeout: float) -> Call:
        try:
            return self._baresip.wait(found, what, timeout)
        except TimeoutError as error:
            raise TimeoutError(f"{self.number}: {error}; calls: {self.calls}") from None

    def _note(self, event: dict[str, Any]) -> None:
        self.events.append(event)
        kind = event["type"]
        if "id" not in event:
            return
        call = self._call(event["id"], event["direction"] == "incoming", event["peeruri"])
        if kind in _STATES:
            call.states.append(_STATES[kind])
        if kind == "CALL_DTMF_START":
            call.keys += event["param"]
        if kind == "CALL_CLOSED":
            call.reason = event["param"]
        if kind in ("CALL_ESTABLISHED", "CALL_CLOSED"):
            self._collect(call)

    def _call(self, call_id: str, incoming: bool, peer: str) -> Call:
        for call in self.calls:
            if call.id == call_id:
                return call
        self.calls.append(Call(call_id, incoming, peer))
        return self.calls[-1]

    def _collect(self, call: Call) -> None:
        """Give the recordings nobody owns yet to the call: baresip names them by the second only."""
        if call is not self.calls[-1]:
            return
        for path in sorted(self._folder.glob("dump-*-dec.wav")):
            owned = self._folder / f"heard-{time.monotonic_ns()}.wav"
            call.files.append(path.rename(owned))
