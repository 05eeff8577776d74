"""An Asterisk that speaks AGI over TCP to our real server, with a caller who follows a test's steps.

Time is not real here: a prompt takes none, and a silent caller is silent at once. Only the clock that
measures pauses between keys goes on. The keys of one step are pressed at once, those of the next one after a
pause. Each waits for a question, or for a prompt that it may end.
"""

import itertools
import socket
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any

from sqlalchemy import Engine, event

from dialplan import accounts
from ivr.caller_cache import CallerCache
from ivr.server import Server
from settings import Settings
from tests.kit import transcripts
from tests.kit.fake_channel import (
    CUT,
    HANG_UP,
    HELD,
    HELD_FOR_A_MOMENT,
    KEPT_ON_HOLD,
    LONGEST,
    MUSIC,
    NO_FILE,
    NO_PROMPT,
    NOTHING_SAID,
    SET_BACK,
    SILENT,
    WORKING,
    Caller,
    Channel,
    Clock,
    Deed,
    End,
    Heard,
)

__all__ = [
    "CUT",
    "HANG_UP",
    "HELD",
    "HELD_FOR_A_MOMENT",
    "KEPT_ON_HOLD",
    "LONGEST",
    "MUSIC",
    "NOTHING_SAID",
    "NO_FILE",
    "NO_PROMPT",
    "SET_BACK",
    "SILENT",
    "WORKING",
    "Anybody",
    "Caller",
    "Deed",
    "End",
    "FakeAsterisk",
    "Heard",
    "Leaving",
    "Steps",
    "answering",
    "transactions",
]

PATIENCE_S = 30.0
"""A server that says nothing for so long, and does not end the call, has failed the test."""

_serial = itertools.count(1)


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
        """Return the step at this moment, or the end."""
        self.moments.append(moment)
        return self._how if len(self.moments) - 1 == self._moment else self._caller.at(moment)


class FakeAsterisk:
    """Makes calls to the server at `settings.agi`."""

    def __init__(self, settings: Settings, clock: Clock | None = None) -> None:
        self.clock = clock or Clock()
        self._address = settings.agi
        self._secret = settings.secret_for(accounts.AGI)

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
        again: str = "",
        argument: str = "",
        channel_id: str = "",
        kept: Mapping[str, str] = MappingProxyType({}),
        every_clip: Callable[[], object] = lambda: None,
        channel: Callable[[socket.socket, Heard], Channel] | None = None,
        **variables: str,
    ) -> Heard:
        """One call from its first word to the end of its connection. `every_clip` is done as each begins.

        `again`: a script broke off in it, and this is the language; `kept` are the channel's variables.
        `channel` makes one of another kind.
        """
        heard = Heard(channel_id or f"{next(_serial)}.137", variables=dict(kept))
        given = {
            **dict.fromkeys(transcripts.recorded()["AGI"]["variables"], ""),
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
            "agi_arg_1": self._secret,
            "agi_arg_2": again,
            "agi_arg_3": argument,
            **variables,
        }
        with socket.create_connection(self._address, timeout=PATIENCE_S) as wire:
            line = channel(wire, heard) if channel else Channel(wire, caller, heard, every_clip, self.clock)
            line.live(given)
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
    with Server(settings, engine, CallerCache(engine, offer_age_s=0)) as server:
        server.clock = clock = Clock()
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield FakeAsterisk(settings, clock)
        finally:
            server.shutdown()
            thread.join()


def transactions(engine: Engine) -> list[str]:
    """A list that grows by one with each transaction of this engine, from now on."""
    begun: list[str] = []
    event.listen(engine, "begin", lambda _: begun.append("transaction"))
    return begun
