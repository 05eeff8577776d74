"""The official at a desk who serves a round: speaks as the script says, then asks for the next."""

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

import httpx
from sqlalchemy.exc import DatabaseError

from db.engine import reading
from db.models import Callback, Desk
from db.states import IN_TALK, CallbackState
from hotline.callbacks import transitions
from tests.kit.crowd import Crowd
from tests.kit.operator import ROOM, Operator
from tests.kit.phone import Account, Phone
from tests.kit.process import until
from tests.kit.system import System

_OVER = (CallbackState.PARTING, CallbackState.ENDED)
_LOOK_S = 0.05
_PHONE_AGAIN_S = 2.0
_CLOCK_OFF_S = 60.0
"""A machine whose clock is further off than this is not asked when a talk began."""


@dataclass(frozen=True)
class Script:
    """One conversation; times in seconds."""

    lasts: float
    citizen_ends: bool = False
    outcome: str = ""
    """The outcome that the official says instead of asking for the next: `refused`, `call_again`."""
    finishing_at: float | None = None
    """When «رو به پایان» is pressed, since the beginning."""


@dataclass
class Talk:
    """A conversation that took place: who, and when as time.time() tells it."""

    callback: int
    number: str
    since: float
    until: float = 0.0
    """When it ended, or when the official ended it."""
    broke_off: bool = False
    """It ended before the official ended it."""


@dataclass
class Official:
    """Their desk and its SIP phone. Use it in a `with`; it works in a thread of its own after `serve`."""

    system: System
    crowd: Crowd
    script: Callable[[str], Script]
    """The script by the citizen's number, in national form."""
    desk: Operator = field(init=False)
    talks: list[Talk] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)
    """Refusals of the API, and exceptions."""
    blips: list[float] = field(default_factory=list)
    """When the phone hung up by itself."""

    def __enter__(self) -> "Official":
        self.desk = self.system.operator()
        self.phone = Phone(account=Account(*self.desk.phone_account))
        self.phone.__enter__()
        self._begin()
        return self

    def _begin(self) -> None:
        self._stopped, self._closing = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._dialled_at = 0.0

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join(20)
        self.phone.__exit__()

    def serve(self, round_id: int) -> None:
        """Sit down to the round and begin."""
        until(self.phone_there, "the official's phone is in its room")
        self._ask("PUT", "/desk/round", {"round_id": round_id})
        self._thread.start()

    def finish(self, timeout: float) -> None:
        """Speak with whom they speak now to the end, and with nobody else."""
        self._closing.set()
        self._thread.join(timeout)

    def leave(self) -> None:
        """The round is over for this desk; a conversation that is over was one."""
        self._stopped.set()
        self._thread.join(20)
        self._ask("PUT", "/desk/round", {"round_id": None})

    def blip(self) -> None:
        """The phone hangs up, and dials again in a moment."""
        self.blips.append(time.time())
        self._dialled_at = time.monotonic()
        self.phone.hangup()

    def talked_with(self, callback_id: int) -> Talk | None:
        """The conversation of this callback."""
        return next((talk for talk in list(self.talks) if talk.callback == callback_id), None)

    def _work(self) -> None:
        while not self._stopped.is_set():
            try:
                self._look()
            except DatabaseError:
                continue  # the database is away, and will be back
            except Exception as error:
                self.troubles.append(repr(error))
            time.sleep(_LOOK_S)

    def _look(self) -> None:
        there = self.phone_there()
        live, asked = self._now()
        if live is None:
            if self._closing.is_set():
                self._closes()
            elif there and not asked:
                self._ask("POST", "/desk/next", {"after": None})
        elif live.state is CallbackState.TALKING:
            self._talk(live)
        elif live.state in _OVER:
            self._say(live)

    def _closes(self) -> None:
        """Nobody is sent to this desk any more; whoever was sent just before is spoken with yet."""
        self._ask("PUT", "/desk/round", {"round_id": None})
        if self._now()[0] is None:
            self._stopped.set()

    def _now(self) -> tuple[Callback | None, bool]:
        with reading(self.system.engine) as session:
            desk = session.get_one(Desk, self.desk.desk)
            return transitions.find_live_at_desk(session, desk.id), desk.next_asked_at is not None

    def _talk(self, live: Callback) -> None:
        number = "0" + live.registration.number.removeprefix("+98")
        script = self.script(number)
        began = live.talking_at.timestamp() if live.talking_at else time.time()
        if abs(began - time.time()) > _CLOCK_OFF_S:
            began = time.time()
        talk = Talk(live.id, number, began)
        self.talks.append(talk)
        if script.finishing_at is not None and self._still(live, began + script.finishing_at):
            self._ask("POST", "/desk/finishing", None)
        stands = self._still(live, began + script.lasts)
        talk.until = time.time()
        talk.broke_off = not stands and not self._stopped.is_set()
        if stands and script.citizen_ends:
            self.crowd.hang_up(number)
            self._still(live, time.time() + 15)
        if self._closing.is_set():
            self._ended(live)
            self._stopped.set()
        elif script.outcome and self._ended(live):
            self._ask("PUT", f"/callbacks/{live.id}/outcome", {"outcome": script.outcome, "note": ""})
        elif not self._stopped.is_set():
            self._next(live)

    def _next(self, live: Callback) -> None:
        """They spoke, however short it was; if the citizen has hung up, the official says so."""
        if self.system.callback(live.id).state is CallbackState.TALKING:
            self._ask("POST", "/desk/next", {"after": live.id, "confirmed": True})
        else:
            self._ask("PUT", f"/callbacks/{live.id}/outcome", {"outcome": "reached", "note": ""})
            self._ask("POST", "/desk/next", {"after": None})

    def _still(self, live: Callback, until: float) -> bool:
        """Wait until that moment, and for a phone that is gone. Returns whether the conversation stands."""
        while True:
            with suppress(DatabaseError):  # the database is away, and will be back
                state = self.system.callback(live.id).state
                if self._stopped.is_set() or state not in IN_TALK:
                    return False
                if state is CallbackState.HELD:
                    self.phone_there()
                elif time.time() >= until:
                    return True
            time.sleep(_LOOK_S)

    def _ended(self, live: Callback) -> bool:
        if self.system.callback(live.id).state in IN_TALK:
            self._ask("POST", f"/callbacks/{live.id}/hangup", None)
        return self.system.callback(live.id).state in _OVER

    def _say(self, live: Callback) -> None:
        """A call that ended before anybody spoke, or that the official heard break off."""
        if self.talked_with(live.id):
            self._next(live)
        else:
            self._ask("PUT", f"/callbacks/{live.id}/outcome", {"outcome": "call_again", "note": ""})

    def _ask(self, method: str, path: str, body: dict[str, object] | None) -> None:
        """Until somebody answers; a refusal is noted."""
        for _ in range(300):
            try:
                answer = self.desk.http.request(method, path, json=body)
            except httpx.HTTPError:
                time.sleep(0.1)
                continue
            if answer.status_code < 400:
                return
            if answer.status_code == 503:  # it has no database
                time.sleep(0.1)
                continue
            self.troubles.append(f"{method} {path}: {answer.status_code} {answer.text[:200]}")
            time.sleep(0.1)
            return
        self.troubles.append(f"{method} {path}: nobody answers")

    def phone_there(self) -> bool:
        """Whether the phone is in its room; if not it dials, again and again: Asterisk may have lost it."""
        with reading(self.system.engine) as session:
            if (desk := session.get(Desk, self.desk.desk)) and desk.phone_connected:
                return True
        if time.monotonic() - self._dialled_at > _PHONE_AGAIN_S:
            self._dialled_at = time.monotonic()
            self.phone.hangup()
            self.phone.dial(f"sip:{ROOM}@{self.system.settings.sip}")
        return False
