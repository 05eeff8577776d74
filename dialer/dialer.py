"""Places the callbacks that desks ask for, and follows each by its token to the end."""

import logging
import queue
import time
from collections.abc import Callable

from asterisk.ami.event import Event
from sqlalchemy import Engine, select

from db.engine import now, reading, writing
from db.models import Callback, Desk
from db.states import CallbackState, Outcome
from dialer.ami import Ami, AmiError, NotAccepted
from dialer.confirmations import Confirmations
from dialer.originate import originate, token_of
from dialer.outcomes import of_hangup
from dialplan.accounts import desk_of_channel
from dialplan.variables import STAGE_EVENT, Context, Stage
from hotline import callbacks, confirmations, numbers, status
from settings import Settings

log = logging.getLogger("dialer")

POLL_S = 0.1
STALE_S = 30
"""A call asked for but not placed within this time (Asterisk was away) is given up, not placed late."""
_NO_CHANNEL_S = 3.0
"""After Asterisk reports a failure, so long may the channel's own hang-up, which knows why, take."""
_BACKOFF_S = 1.0
_RECONCILE_S = 0.2
_HANGUP_AGAIN_S = 1.0

_STEP = {
    Stage.ANSWERED: CallbackState.ANSWERED,
    Stage.CONFIRMED: CallbackState.WAITING,
}
_BY_APPLICATION = {
    "AGI": CallbackState.ANSWERED,
    "BridgeWait": CallbackState.WAITING,
    "ConfBridge": CallbackState.TALKING,
}


class Dialer:
    """One thread: handles events as they come, and every POLL_S looks what the desks have asked for.

    Whatever it knows is in the database; what it missed (its own death, a cut connection, a database
    away) it asks of Asterisk again: reconcile().
    """

    def __init__(self, settings: Settings, engine: Engine, ami: Ami) -> None:
        self._settings = settings
        self._engine = engine
        self._ami = ami
        self._confirmations = Confirmations(settings, engine, ami)
        self._in_sync = False
        self._failed_at: dict[str, float] = {}
        self._hung_up_at: dict[str, float] = {}
        self._causes: dict[str, int] = {}
        self._next_beat = 0.0
        self._next_reconcile = 0.0
        self._handlers: dict[str, Callable[[Event], None]] = {
            "Resync": self._on_resync,
            "DialState": self._on_dial_state,
            "UserEvent": self._on_stage,
            "ConfbridgeJoin": self._on_join,
            "Hangup": self._on_hangup,
            "OriginateResponse": self._on_originate_response,
        }

    def step(self) -> None:
        """One turn of the loop: an event if there is one within POLL_S, then the desks' wishes."""
        try:
            self._handle_events(POLL_S)
            self._beat()
            if self._ami.connected.is_set():
                if not self._in_sync and time.monotonic() > self._next_reconcile:
                    self._next_reconcile = time.monotonic() + _RECONCILE_S
                    self.reconcile()
                self._hang_up_asked()
                self._place_asked()
                self._confirmations.place_due()
                self._close_never_started()
        except AmiError as error:
            log.warning("Asterisk: %s", error)
            self._in_sync = False
            time.sleep(_BACKOFF_S)  # whoever does not answer is not asked in a tight loop
        except Exception:
            log.exception("the dialer cannot work now")
            self._in_sync = False
            time.sleep(_BACKOFF_S)

    def _handle_events(self, wait_s: float) -> None:
        try:
            event = self._ami.events.get(timeout=wait_s)
            while True:
                handler = self._handlers.get(event.name)
                if handler:
                    handler(event)
                event = self._ami.events.get_nowait()
        except queue.Empty:
            return

    def _beat(self) -> None:
        if time.monotonic() < self._next_beat:
            return
        self._next_beat = time.monotonic() + status.BEAT_SECONDS
        with writing(self._engine) as session:
            status.beat(session, "dialer")
            if self._ami.connected.is_set():
                status.beat(session, "asterisk")

    # --- what the desks ask for ---

    def _place_asked(self) -> None:
        with reading(self._engine) as session:
            waiting = [c.token for c in callbacks.to_place(session)]
        for token in waiting:
            self._place(token)

    def _place(self, token: str) -> None:
        with writing(self._engine) as session:
            callback = callbacks.take_up(session, token)
            if callback is None or callback.placed_at is None or callback.called_at is None:
                return
            number = callback.registration.number
            if callback.hangup_asked_at:
                callbacks.close(session, token, Outcome.RETURNED, self._settings)
                return
            stale = (callback.placed_at - callback.called_at).total_seconds() > STALE_S
            allowed = numbers.allowed(number, self._settings.allowed_prefixes)
            if stale or not allowed:
                callbacks.close(session, token, Outcome.FAILED, self._settings)
                return
        try:
            originate(self._ami, self._settings, token, number, Context.CALLBACK)
        except NotAccepted as error:
            log.error("%s: not placed: %s", token, error)
            self._close(token, Outcome.FAILED)
            return
        log.info("%s: placed", token)

    def _hang_up_asked(self) -> None:
        with reading(self._engine) as session:
            asked = [c.token for c in callbacks.on_the_phone(session) if c.hangup_asked_at and c.placed_at]
        for token in asked:
            if time.monotonic() < self._hung_up_at.get(token, 0.0) + _HANGUP_AGAIN_S:
                continue
            self._hung_up_at[token] = time.monotonic()
            try:
                self._ami.request("Hangup", Channel=token, Cause=16)
            except AmiError as error:
                log.info("%s: nothing to hang up: %s", token, error)
                self._in_sync = False

    # --- what Asterisk tells ---

    def _on_resync(self, _event: Event) -> None:
        self._in_sync = False

    def _on_dial_state(self, event: Event) -> None:
        if event.keys.get("DialStatus") == "RINGING":
            self._move(token_of(_channel_id(event)), CallbackState.RINGING)

    def _on_stage(self, event: Event) -> None:
        if event.keys.get("UserEvent") != STAGE_EVENT:
            return
        token, stage = _channel_id(event), event.keys.get("Stage", "")
        if stage == Stage.NOT_CONFIRMED:
            self._close(token, Outcome.NOT_CONFIRMED)
        elif stage == Stage.FAILED:
            self._close(token, Outcome.FAILED)
        elif stage in _STEP:
            self._move(token, _STEP[Stage(stage)])
            if stage == Stage.CONFIRMED:
                self._bring_together(token)

    def _on_join(self, event: Event) -> None:
        desk = desk_of_channel(event.keys.get("Channel", ""))
        if desk is None:
            self._move(_channel_id(event), CallbackState.TALKING)
            return
        self._desk_phone(desk, connected=True)
        with reading(self._engine) as session:
            callback = callbacks.live_at_desk(session, desk)
        if callback and callback.state is CallbackState.WAITING:
            self._bring_together(callback.token)

    def _on_hangup(self, event: Event) -> None:
        if desk_of_channel(event.keys.get("Channel", "")) is not None:
            self._in_sync = False  # the desk may still have a second phone in its room: ask
        channel_id = _channel_id(event)
        token = token_of(channel_id)
        cause = int(event.keys["Cause"]) if event.keys.get("Cause", "").isdecimal() else 0
        if channel_id != token:  # the half that dialled: it knows why the call ended
            self._causes[token] = cause
            return
        self._failed_at.pop(token, None)
        self._hung_up_at.pop(token, None)
        self._ended(token, self._causes.pop(token, cause))

    def _on_originate_response(self, event: Event) -> None:
        if event.keys.get("Response") == "Failure":
            self._failed_at[event.keys.get("ActionID", "")] = time.monotonic()

    # --- moves ---

    def _move(self, token: str, to: CallbackState) -> None:
        if not callbacks.is_token(token):
            return  # a caller's or a desk's channel
        with writing(self._engine) as session:
            at = now(session)
            stamps = {CallbackState.ANSWERED: "answered_at", CallbackState.TALKING: "talking_at"}
            callbacks.move(session, token, to, **({stamps[to]: at} if to in stamps else {}))

    def _close(self, token: str, outcome: Outcome) -> None:
        with writing(self._engine) as session:
            if callbacks.close(session, token, outcome, self._settings):
                log.info("%s: %s", token, outcome)

    def _ended(self, token: str, cause: int) -> None:
        """The channel of `token` has ended: close the callback, or leave the outcome to its desk."""
        if confirmations.is_token(token):
            self._confirmations.ended(token)
            return
        if not callbacks.is_token(token):
            return
        with writing(self._engine) as session:
            callback = callbacks.by_token(session, token)
            if callback is None or callback.state in (CallbackState.ENDED, CallbackState.CLOSED):
                return
            by_desk = callback.hangup_asked_at is not None
            outcome = of_hangup(callback.state, cause, by_desk=by_desk)
            if outcome is None:
                callbacks.move(session, token, CallbackState.ENDED, ended_at=now(session))
            else:
                callbacks.close(session, token, outcome, self._settings)
            log.info("%s: ended, cause %d, %s", token, cause, outcome or "the desk will say")

    def _close_never_started(self) -> None:
        """Asterisk reported a failure and no channel of that token ever ended: there was none."""
        for token, at in list(self._failed_at.items()):
            if time.monotonic() - at > _NO_CHANNEL_S:
                del self._failed_at[token]
                self._ended(token, 0)

    def _bring_together(self, token: str) -> None:
        with reading(self._engine) as session:
            callback = callbacks.by_token(session, token)
            desk_here = callback and session.get_one(Desk, callback.desk_id).phone_connected
        if callback and desk_here and callback.state is CallbackState.WAITING:
            self._ami.request(
                "Redirect",
                Channel=token,  # Asterisk finds a channel by its id, too
                Context=Context.ROOM.value,
                Exten=str(callback.desk_id),
                Priority=1,
            )

    def _desk_phone(self, desk: int, *, connected: bool) -> None:
        with writing(self._engine) as session:
            status.phone_connected(session, desk, connected)

    # --- asking again ---

    def reconcile(self) -> None:
        """Make the database agree with the channels that live in Asterisk at this moment."""
        self._in_sync = True  # an event handled below may clear it again
        channels = {c.keys.get("Uniqueid", ""): c.keys for c in self._ami.live_channels()}
        ringing = {c.get("Linkedid") for c in channels.values() if c.get("ChannelStateDesc") == "Ringing"}
        self._phones_present(channels)
        self._handle_events(0)  # the ends that came before that answer, with their true causes
        with reading(self._engine) as session:
            at = now(session)
            placed = [(c, c.placed_at) for c in callbacks.on_the_phone(session) if c.placed_at]
        for callback, placed_at in placed:
            if callback.token in channels:
                self._adopt(callback.token, channels[callback.token], callback.token in ringing)
            elif (at - placed_at).total_seconds() > _NO_CHANNEL_S:
                self._lost(callback)
            else:
                self._in_sync = False  # its channel may just be coming into being
        if self._confirmations.reconcile(channels, older_than_s=_NO_CHANNEL_S):
            self._in_sync = False

    def _lost(self, callback: Callback) -> None:
        """Its end went by unseen. Only the desk can know what became of it; nobody is dialled again."""
        with writing(self._engine) as session:
            if callbacks.move(session, callback.token, CallbackState.ENDED, ended_at=now(session)):
                log.warning("%s: ended unseen in state %s", callback.token, callback.state)

    def _adopt(self, token: str, channel: dict[str, str], ringing: bool) -> None:
        state = _BY_APPLICATION.get(channel.get("Application", ""))
        if ringing or channel.get("ChannelStateDesc") == "Ringing":
            state = CallbackState.RINGING
        if state is None:
            if channel.get("ChannelStateDesc") == "Up":
                self._in_sync = False  # between two steps of the dialplan: look again
            return
        self._move(token, state)
        if state is CallbackState.WAITING:
            self._bring_together(token)

    def _phones_present(self, channels: dict[str, dict[str, str]]) -> None:
        present = {
            desk_of_channel(c["Channel"]) for c in channels.values() if c.get("Application") == "ConfBridge"
        }
        with reading(self._engine) as session:
            known = {d.id: d.phone_connected for d in session.scalars(select(Desk))}
        for desk, connected in known.items():
            if connected is not (desk in present):
                self._desk_phone(desk, connected=desk in present)


def _channel_id(event: Event) -> str:
    return str(event.keys.get("Uniqueid", ""))
