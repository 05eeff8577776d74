"""A crowd of citizens' phones behind the trunk: one small SIP server, with a script for each number.

sipp plays one scenario for every number; here the number decides, and which of its calls it is. Every call is
kept with its times: a test compares the database with what these phones saw. Keys are pressed by SIP INFO. A
sound packet a second tells Asterisk that the line still stands.
"""

import asyncio
import socket
import struct
import threading
import time
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Self

from tests.kit.ports import free_port
from tests.kit.sip import LOOPBACK, Address, Dialog, Request, Response, parse

_SILENCE = b"\xd5" * 160  # 20 ms of A-law
_AGAIN_S, _TRIES = 0.5, 8
_SO_RCVBUFFORCE = 33
_HEARD_BYTES = 1 << 23
"""All phones' sound comes to one socket: so much waits there while this process stands still for seconds."""
_ALIKE = 0.5
"""The share of equal samples of a clip that Asterisk has transcoded and back."""


@dataclass(frozen=True)
class Behaviour:
    """A phone's behaviour in one call; times in seconds."""

    rings: float | None = 0.6
    """Until it answers or refuses; None: for ever."""
    status: str = "200 OK"
    """How it answers or refuses: `486 Busy Here`, `603 Decline`, `404 Not Found`, `480 …`."""
    hears: str = "180 Ringing"
    """The provisional answer to the caller: `100 Trying`, `183 Session Progress`; empty for none."""
    presses_after: float | None = 0.4
    """When the 1 is first pressed, since answering; None: voicemail."""
    presses: int = 20
    """A person whose key changes nothing (nobody listens yet) presses it again: so often."""
    again_after: float = _AGAIN_S
    """From one press to the next."""
    key: str = "1"
    leaves_after: float | None = None
    """When it hangs up, since answering; None: the other side does, or `Crowd.hang_up`."""


@dataclass(eq=False)
class Call:
    """One call as the phone saw it; moments as time.time() tells them."""

    number: str
    behaviour: Behaviour
    invited_at: float
    answered_at: float | None = None
    pressed_at: float | None = None
    ended_at: float | None = None
    ended_by: str = ""
    """`citizen` (refused or hung up), `hotline`, or `cut`."""
    heard: list[str] = field(default_factory=list)
    """The clips that the crowd knows, as they began."""

    @property
    def live(self) -> bool:
        """Whether it rings or is connected."""
        return self.ended_at is None


Behaves = Callable[[str, int], Behaviour]
"""A number's behaviour in its nth call, counted from 0; one that was cut off is made again."""


class Crowd:
    """All phones behind `port`. Use it in a `with`; the phones live in a thread of their own."""

    def __init__(
        self,
        port: int,
        behaves: Behaves,
        known: Mapping[bytes, str] | None = None,
        *,
        host: str = LOOPBACK,
    ) -> None:
        """`known`: by a part of its beginning (tests.kit.registrant.mark), each clip to be listened for."""
        self.port, self.host = port, host
        self._behaves = behaves
        self._known = known or {}
        self._calls: list[Call] = []
        self._lines: dict[str, _Line] = {}
        self.trunk_says: str | None = None
        """The trunk's answer to every new call, before any phone is asked (`503 …`); empty: silence."""
        self.answers_options = False
        """Whether the trunk answers when asked how it is, unless it is silent."""
        self.cut_from: int | None = None
        """The port of an Asterisk whose own way to the trunk is cut: nothing of it is heard."""
        self.channels: int | None = None
        """The trunk's limit of simultaneous calls to phones; it answers 503 to one more."""
        self._turned_away: dict[str, str] = {}
        self._refused: dict[str, str] = {}
        """The final answer to each call, which a late retransmission gets again (RFC 3261)."""
        self._loop = asyncio.new_event_loop()

    def calls(self, number: str = "") -> list[Call]:
        """All calls so far, or those of one number, in the order in which they came in."""
        return [call for call in list(self._calls) if number in ("", call.number)]

    def live(self) -> list[Call]:
        """The calls that ring or are connected now."""
        return [call for call in self.calls() if call.live]

    def turned_away(self) -> list[str]:
        """The numbers of the calls that the trunk itself has refused, or left without an answer, in order."""
        return list(self._turned_away.values())

    def hang_up(self, number: str) -> None:
        """The citizen hangs up, if connected."""
        self._run(self._hang_up(number)).result(10)

    def cut_off(self, host: str = "") -> None:
        """Asterisk is dead, or the one on `host`: whoever was called by it has lost the call."""
        self._run(self._cut_off(host)).result(10)

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._run(self._open()).result(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._run(self._close()).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, work: Coroutine[Any, Any, None]) -> "Future[None]":
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    async def _open(self) -> None:
        self._sound_port = free_port()
        self._sound = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._sound.bind((self.host, self._sound_port))
        if self._known:
            with suppress(PermissionError):  # only root may
                self._sound.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _HEARD_BYTES)
            self._sound.setblocking(False)
            self._loop.add_reader(self._sound, self._listen)
        where = (self.host, self.port)
        self._wire, _ = await self._loop.create_datagram_endpoint(lambda: _Ear(self), local_addr=where)
        self._humming = self._loop.create_task(self._hum())

    async def _close(self) -> None:
        self._humming.cancel()
        for line in self._lines.values():
            line.over("cut")
        self._wire.close()
        self._loop.remove_reader(self._sound)
        self._sound.close()

    async def _hang_up(self, number: str) -> None:
        for line in list(self._lines.values()):
            if line.call.number == number and line.call.live and line.call.answered_at:
                await line.hang_up()

    async def _cut_off(self, host: str) -> None:
        await asyncio.sleep(0.1)  # what the dead one sent last is still on its way
        for line in self._lines.values():
            if host in ("", line.sound_to[0]):
                line.over("cut")

    async def _hum(self) -> None:
        number = 0
        while True:
            for line in self._lines.values():
                if line.call.live and line.call.answered_at:
                    header = struct.pack("!BBHII", 0x80, 8, number & 0xFFFF, number * 8000, 137)
                    with suppress(OSError):
                        self._sound.sendto(header + _SILENCE, line.sound_to)
            number += 1
            await asyncio.sleep(1)

    def _listen(self) -> None:
        """All phones hear by one socket, and know by whose port it comes for whom it is."""
        with suppress(BlockingIOError):
            while True:
                packet, sender = self._sound.recvfrom(2048)
                for line in self._lines.values():
                    if line.call.live and line.sound_to == sender:
                        line.hears(packet[12:], self._known)

    def heard(self, data: bytes, sender: Address) -> None:
        """A packet came in."""
        message = parse(data)
        if message is None or sender[1] == self.cut_from:
            return
        line = self._lines.get(message.call_id)
        if isinstance(message, Response):
            if line:
                line.answered(message)
        elif line is None and message.is_of_a_dialog:  # of a phone that was there before
            if message.method != "ACK":
                self._dialog(message, sender).refuse(message, "481 Call/Transaction Does Not Exist")
        elif message.method == "INVITE" and line is None:
            dialog = self._dialog(message, sender)
            refusal = self._refused.get(message.call_id) or self._refusal()
            if refusal is not None:
                self._turned_away[message.call_id] = message.user
                if refusal:
                    self._refused[message.call_id] = refusal
                    dialog.reply(refusal)
                return
            self._turned_away.pop(message.call_id, None)  # it was asked again, and is there again
            before = sum(call.ended_by != "cut" for call in self.calls(message.user))
            call = Call(message.user, self._behaves(message.user, before), time.time())
            self._calls.append(call)
            self._lines[message.call_id] = _Line(call, dialog)
        elif message.method == "OPTIONS" and self.answers_options and self.trunk_says != "":
            self._dialog(message, sender).accept(message)
        elif line:
            line.asked(message)

    def _dialog(self, request: Request, sender: Address) -> Dialog:
        here = self.host, self.port
        return Dialog(request, here, self._sound_port, lambda text: self._wire.sendto(text, sender))

    def _refusal(self) -> str | None:
        """Return the trunk's own answer to a new call; None if it goes to the phone."""
        if self.trunk_says is None and self.channels is not None and len(self.live()) >= self.channels:
            return "503 Service Unavailable"
        return self.trunk_says


class _Ear(asyncio.DatagramProtocol):
    def __init__(self, crowd: Crowd) -> None:
        self._crowd = crowd

    def datagram_received(self, data: bytes, addr: Address) -> None:
        self._crowd.heard(data, addr)


class _Line:
    """One call and its dialog: follows the behaviour until either side ends it."""

    def __init__(self, call: Call, dialog: Dialog) -> None:
        self.call, self._dialog = call, dialog
        self.sound_to = dialog.sound_to
        self._sound = b""
        self._acknowledged = asyncio.Event()
        self._answers: dict[int, asyncio.Event] = {}
        self._task = asyncio.get_running_loop().create_task(self._behave())

    async def _behave(self) -> None:
        how = self.call.behaviour
        if how.hears:
            self._dialog.reply(how.hears)
        if how.rings is None:
            return
        await asyncio.sleep(how.rings)
        if not how.status.startswith("200"):
            self._end("citizen")
            await self._final(how.status)
            return
        self.call.answered_at = time.time()
        await self._final(how.status)
        if how.presses_after is not None:
            await self._until(how.presses_after)
            self.call.pressed_at = time.time()
            await self._press(how, how.presses_after)
        if how.leaves_after is not None:
            await self._until(how.leaves_after)
            await self.hang_up()

    def hears(self, sound: bytes, known: Mapping[bytes, str]) -> None:
        """A packet of sound came in."""
        for beginning, clip in known.items():
            self._sound = (self._sound + sound)[-len(beginning) :]
            alike = sum(one == other for one, other in zip(self._sound, beginning, strict=False))
            if alike > _ALIKE * len(beginning):
                self.call.heard.append(clip)

    async def _press(self, how: Behaviour, first: float) -> None:
        for again in range(how.presses):
            after = first + again * how.again_after
            if how.leaves_after is not None and after >= how.leaves_after:
                return
            await self._until(after)
            if not self.call.live:
                return
            await self._request("INFO", f"Signal={how.key}\nDuration=80\n", "application/dtmf-relay")

    async def _until(self, after: float) -> None:
        await asyncio.sleep(max(0.0, (self.call.answered_at or 0.0) + after - time.time()))

    async def hang_up(self) -> None:
        """Say BYE."""
        if self.call.live:
            self._end("citizen")
            await self._request("BYE")

    def over(self, by: str) -> None:
        """Stop whatever this phone was about to do."""
        self._end(by)
        self._task.cancel()

    def _end(self, by: str) -> None:
        if self.call.live:
            self.call.ended_at, self.call.ended_by = time.time(), by

    async def _final(self, status: str) -> None:
        for _ in range(_TRIES):
            self._dialog.reply(status)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._acknowledged.wait(), _AGAIN_S)
                return

    async def _request(self, method: str, body: str = "", kind: str = "") -> None:
        number, text = self._dialog.request(method, body, kind)
        answered = self._answers[number] = asyncio.Event()
        for _ in range(_TRIES):
            self._dialog.send(text)
            with suppress(TimeoutError):
                await asyncio.wait_for(answered.wait(), _AGAIN_S)
                return

    def asked(self, request: Request) -> None:
        """A request of this dialog came in."""
        match request.method:
            case "ACK":
                self._acknowledged.set()
            case "INVITE":
                self._dialog.again(request)
            case "CANCEL":
                self._dialog.accept(request)
                if self.call.answered_at is None and self.call.live:
                    self.over("hotline")
                    self._dialog.reply("487 Request Terminated")
            case "BYE":
                self._dialog.accept(request)
                self.over("hotline")
            case _:
                self._dialog.accept(request)

    def answered(self, response: Response) -> None:
        """An answer to a request of ours came in."""
        waiting = self._answers.get(response.number)
        if waiting:
            waiting.set()
