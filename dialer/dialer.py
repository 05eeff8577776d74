"""Places the callbacks that desks ask for, and follows each by its token to the end."""

import logging
import queue
import time
from collections.abc import Callable
from datetime import timedelta

from asterisk.ami.event import Event
from sqlalchemy import Engine, exists, select
from sqlalchemy.orm import Session

from db import events
from db.engine import now, reading, writing
from db.models import Callback
from db.states import CallbackState, Outcome
from dialer.ahead import Ahead
from dialer.ami import Ami, AmiError, NotAccepted
from dialer.caps import Caps
from dialer.confirmations import Confirmations
from dialer.desk_calls import DeskCalls, desk_of
from dialer.endings import Endings
from dialer.keys import Keys
from dialer.live import Live
from dialer.moves import Moves
from dialer.near_calls import NearCalls
from dialer.originate import originate, token_of
from dialer.outcomes import NEVER_BEGAN, Ending, ours
from dialer.reconcile import Reconciler
from dialer.rooms import WITH_MUSIC, Rooms
from dialer.side_calls import SideCalls
from dialer.supervising import Supervising
from dialer.tone import Tone
from dialer.trunk import Trunk
from dialplan.accounts import DESK_EXTENSION
from dialplan.variables import (
    KEY_EVENT,
    REPLACED_CAUSE,
    SAID_EVENT,
    STAGE_EVENT,
    SUPERVISE_EVENT,
    Context,
    Stage,
)
from hotline import heartbeats
from hotline.callbacks import callbacks, closing, on_the_line, toll
from hotline.desks import desk_phones
from hotline.line import blocked, confirmation_calls, turn_near_calls
from settings import Settings

log = logging.getLogger("dialer")

POLL_S = 0.05
CALM_S = 0.2
REST_S, _RESTS_AFTER_S = 1.0, 2.0
"""With no call under way, and nothing new for so long, it looks no more often than this: every look costs."""
STALE_S = 30
"""A call asked for but not placed within this time (Asterisk was away) is given up, not placed late."""
_NO_CHANNEL_S = 3.0
"""After Asterisk reports a failure, so long may the channel's own hang-up, which knows why, take."""
_BACKOFF_S = 1.0
_RECONCILE_S = 0.2

_ENDING = {
    Stage.NOT_CONFIRMED: Outcome.NOT_CONFIRMED,
    Stage.LATER: Outcome.CALL_AGAIN,
    Stage.FAILED: Outcome.FAILED,
}

_WHERE = {
    Stage.HELD: Context.HELD,
    Stage.HELD_OVER: Context.HELD_OVER,
    Stage.PARTING: Context.PARTING,
}


class Dialer:
    """One thread: handles events as they come, and every POLL_S looks what the desks have asked for.

    Whatever it knows is in the database; what it missed (its own death, a cut connection, a database
    away) it asks of Asterisk again (dialer.reconcile).
    """

    def __init__(self, settings: Settings, engine: Engine, ami: Ami) -> None:
        self._settings = settings
        self._engine = engine
        self._ami = ami
        self._moves = Moves(settings, engine)
        self._rooms = Rooms(engine, ami)
        self._caps = Caps(settings, engine)
        self._trunk = Trunk(settings, engine, ami)
        self._ahead = Ahead(settings, engine, self._caps)
        self._confirmations = Confirmations(settings, engine, ami, self._caps)
        self._near_calls = NearCalls(settings, engine, ami, self._caps)
        self._desk_calls = DeskCalls(settings, engine, ami, self._caps)
        self._tone = Tone(engine, ami)
        self._live = Live(settings, engine, ami, self._caps, self._tone)
        self._keys = Keys(settings, engine, self._tone)
        self._supervising = Supervising(engine, ami)
        self._reconciler = Reconciler(
            engine,
            ami,
            moves=self._moves,
            rooms=self._rooms,
            supervising=self._supervising,
            others=[self._caps, self._confirmations, self._near_calls, self._desk_calls],
        )
        self._in_sync = False
        self._failed_at: dict[str, float] = {}
        self._endings = Endings()
        self._met: set[str] = set()
        self._next_beat = 0.0
        self._next_reconcile = 0.0
        self._next_calm = 0.0
        self._awake_until = 0.0
        self._seen = 0
        self._handlers: dict[str, Callable[[Event], None]] = {
            "Resync": self._on_resync,
            "DialState": self._on_dial_state,
            "UserEvent": self._on_user_event,
            "ConfbridgeJoin": self._on_join,
            "Hangup": self._on_hangup,
            "OriginateResponse": self._on_originate_response,
            "ContactStatus": self._trunk.on_contact,
        }

    def step(self) -> None:
        """One turn of the loop: an event if there is one within POLL_S, then the desks' wishes."""
        try:
            news = self._handle_events(POLL_S)
            self._beat()
            if self._ami.connected.is_set():
                if not self._in_sync and time.monotonic() > self._next_reconcile:
                    self._next_reconcile = time.monotonic() + _RECONCILE_S
                    self._in_sync = True  # an event handled meanwhile may clear it again
                    known = self._reconciler.run(self._catch_up, _NO_CHANNEL_S)
                    self._in_sync &= known  # not in one line: that would look at it before the events
                    news = True
                news = self._something_changed() or news
                if news:
                    self._awake_until = time.monotonic() + _RESTS_AFTER_S
                    self._next_calm = min(self._next_calm, time.monotonic() + CALM_S)
                calm = time.monotonic() >= self._next_calm
                if news or calm:
                    self._ahead.match()
                    self._live.give()
                    self._in_sync &= self._supervising.send_all()  # first: whom it hears may just be going
                    self._in_sync &= self._rooms.send_all()
                    self._place_asked()
                if calm:
                    self._next_calm = time.monotonic() + (CALM_S if self._is_awake() else REST_S)
                    self._calmly()
        except AmiError as error:
            log.warning("Asterisk: %s", error)
            self._in_sync = False
            time.sleep(_BACKOFF_S)  # whoever does not answer is not asked in a tight loop
        except Exception:
            log.exception("the dialer cannot work now")
            self._in_sync = False
            time.sleep(_BACKOFF_S)

    def _something_changed(self) -> bool:
        """Whether anybody has changed anything since the last turn; a dialer with nothing to do rests."""
        with reading(self._engine) as session:
            newest = events.last_id(session)
        seen, self._seen = self._seen, newest
        return newest != seen

    def _is_awake(self) -> bool:
        """Whether anything is going on in which a second counts."""
        if time.monotonic() < self._awake_until:
            return True
        with reading(self._engine) as session:
            return bool(session.scalar(select(exists().where(Callback.ended_at.is_(None)))))

    def _calmly(self) -> None:
        """What may wait CALM_S, so that «next» never waits for it."""
        self._trunk.catch_up(lambda: self._handle_events(0))
        self._trunk.look()
        self._ahead.let_go()
        self._near_calls.let_go()
        self._moves.end_overdue()
        self._ahead.keep_ready()
        self._desk_calls.place_asked()
        self._near_calls.place_due()
        self._confirmations.place_due()
        self._tone.sound_due()
        self._close_never_started()

    def _catch_up(self) -> None:
        """Whoever then asks what has ended unseen finds nothing of what was seen."""
        self._handle_events(0)
        self._end_over(patient=False)

    def _handle_events(self, wait_s: float) -> bool:
        """Returns whether there was one."""
        some = False
        try:
            event = self._ami.events.get(timeout=wait_s)
            while True:
                some = True
                handler = self._handlers.get(event.name)
                if handler:
                    handler(event)
                event = self._ami.events.get_nowait()
        except queue.Empty:
            return self._end_over(patient=True) or some

    def _beat(self) -> None:
        if time.monotonic() < self._next_beat:
            return
        self._next_beat = time.monotonic() + heartbeats.BEAT_SECONDS
        with writing(self._engine) as session:
            heartbeats.beat(session, "dialer")
            if self._ami.connected.is_set():
                heartbeats.beat(session, "asterisk")

    # --- what the desks ask for ---

    def _place_asked(self) -> None:
        with reading(self._engine) as session:
            waiting = [c.token for c in callbacks.to_place(session)]
        for token in waiting:
            self._place(token)

    def _place(self, token: str) -> None:
        with writing(self._engine) as session:
            callback = callbacks.take_up(session, token)
            if callback is None or self._is_taken_back(session, callback):
                return
            caller = self._live.caller(session, callback)
            call = None if caller else self._call(session, callback)
        if caller:
            self._met.add(token)
            self._live.meet(callback, caller)
        elif call:
            self._originate(call)

    def _is_taken_back(self, session: Session, callback: Callback) -> bool:
        """Nobody is to be called any more: to the own place, as if never taken."""
        called_at, placed_at = callback.called_at, callback.placed_at
        stale = not (called_at and placed_at) or (placed_at - called_at).total_seconds() > STALE_S
        if not (
            callback.hangup_asked_at
            or blocked.is_blocked(session, callback.registration.number)
            or stale
            or on_the_line.has_just_left(session, callback.registration_id)
        ):
            return False
        closing.close(session, callback.token, Outcome.RETURNED, self._settings)
        return True

    def _call(self, session: Session, callback: Callback) -> toll.Call | None:
        """Write down that the number is called; None if it may not be, and the citizen is back in line."""
        number = callback.registration.number
        call = toll.take(session, callback.token, number, self._settings)
        if isinstance(call, toll.Cap):
            self._capped(session, callback, call)
            return None
        return call

    def _originate(self, call: toll.Call) -> None:
        try:
            originate(self._ami, self._settings, call, Context.CALLBACK)
        except NotAccepted as error:
            log.error("%s: not placed: %s", call.token, error)
            self._caps.ended(call.token, NEVER_BEGAN)
            self._moves.close(call.token, Outcome.FAILED)
            return
        log.info("%s: placed", call.token)

    def _capped(self, session: Session, callback: Callback, cap: toll.Cap) -> None:
        """Back to the own place, as if never taken, or until the number may be called: nothing is lost."""
        if cap is toll.Cap.PER_NUMBER:
            until = toll.free_again(session, callback.registration.number, self._settings)
            closing.close(session, callback.token, Outcome.FAILED, self._settings, until=until)
            log.error("%s: not placed: this number has been called too often", callback.token)
        elif cap is toll.Cap.NOT_ALLOWED:
            until = now(session) + timedelta(seconds=self._settings.retry_seconds)
            closing.close(session, callback.token, Outcome.FAILED, self._settings, until=until)
        else:
            closing.close(session, callback.token, Outcome.RETURNED, self._settings)
            self._caps.reached(cap)

    # --- what Asterisk tells ---

    def _on_resync(self, _event: Event) -> None:
        self._in_sync = False
        self._trunk.missed()

    def _on_dial_state(self, event: Event) -> None:
        token, status = token_of(_channel_id(event)), event.keys.get("DialStatus")
        if status in ("RINGING", "PROGRESS", "ANSWER"):
            self._trunk.rings(token)
        if status == "RINGING":
            self._moves.move(token, CallbackState.RINGING)

    def _on_user_event(self, event: Event) -> None:
        if event.keys.get("UserEvent") == KEY_EVENT:
            desk = desk_of(event.keys.get("Channel", ""), _channel_id(event))
            self._keys.pressed(desk, event.keys.get("Key", ""))
        elif event.keys.get("UserEvent") == SUPERVISE_EVENT:
            self._on_supervise(event)
        elif event.keys.get("UserEvent") == STAGE_EVENT:
            self._on_stage(_channel_id(event), event.keys.get("Stage", ""))
        elif event.keys.get("UserEvent") == SAID_EVENT and event.keys.get("Sip", "").isdecimal():
            self._endings.said(token_of(_channel_id(event)), int(event.keys["Sip"]))

    def _on_supervise(self, event: Event) -> None:
        desk = desk_of(event.keys.get("Channel", ""), _channel_id(event))
        if desk is not None:
            self._supervising.seen(desk, event.keys.get("Context", ""), event.keys.get("Desk", ""))

    def _on_stage(self, token: str, stage: str) -> None:
        if stage == Stage.FAILED:
            self._trunk.script_failed(token)
            if side_calls := self._side_calls(token):
                side_calls.script_failed(token)
        elif stage in (Stage.CONFIRMED, Stage.NOT_CONFIRMED, Stage.SPOKE):
            self._trunk.script_spoke(token)
        if stage in _ENDING:
            self._moves.close(token, _ENDING[Stage(stage)])
        elif stage == Stage.ANSWERED:
            self._moves.move(token, CallbackState.ANSWERED)
        elif stage == Stage.CONFIRMED:
            self._rooms.seen(token, WITH_MUSIC)
            self._moves.move(token, CallbackState.WAITING)
        elif stage in _WHERE:
            self._rooms.seen(token, _WHERE[Stage(stage)])
            if stage == Stage.HELD:
                self._moves.held(token)

    def _on_join(self, event: Event) -> None:
        channel, token, room = (event.keys.get(key, "") for key in ("Channel", "Uniqueid", "Conference"))
        desk = desk_of(channel, token)
        if desk is not None:
            before = self._moves.desk_phone(desk, channel)
            if before and before != channel:
                self._replaced(desk, before)
            if room == f"desk-{desk}":
                self._supervising.seen(desk, Context.FROM_DESK, DESK_EXTENSION)
        elif callbacks.is_token(token):
            self._rooms.seen(token, room)
            number = room.removeprefix("desk-")
            if self._in_sync:  # else their desk's phone may just have gone; the reconciler asks
                self._moves.joined(token, int(number) if number.isdecimal() else None)

    def _replaced(self, desk: int, before: str) -> None:
        """The desk's phone is back by another channel; the one before may not know yet that it is dead."""
        try:
            self._ami.request("Hangup", Channel=before, Cause=REPLACED_CAUSE)
            log.info("desk %d: its phone is there by another channel", desk)
        except NotAccepted:
            pass  # it has ended

    def _on_hangup(self, event: Event) -> None:
        channel, channel_id = event.keys.get("Channel", ""), _channel_id(event)
        token, call = token_of(channel_id), event.keys.get("Linkedid", "")
        cause = int(event.keys["Cause"]) if event.keys.get("Cause", "").isdecimal() else 0
        if desk_of(channel, channel_id) is not None:
            self._in_sync = False  # the desk may still have a second phone in its room: ask
        elif callbacks.is_token(call) and channel.startswith("PJSIP/") and channel_id != call:
            self._endings.leg(call, cause)
            return
        if channel_id != token:
            self._endings.dialled(token, cause)
            return
        self._endings.over(token, cause, has_leg=callbacks.is_token(token) and token not in self._met)
        self._met.discard(token)

    def _end_over(self, *, patient: bool) -> bool:
        """End the calls that are over. Returns whether there was one."""
        over = self._endings.take(patient=patient)
        for token, ending in over:
            self._failed_at.pop(token, None)
            self._rooms.forget(token)
            self._ended(token, ending)
        return bool(over)

    def _on_originate_response(self, event: Event) -> None:
        if event.keys.get("Response") == "Failure":
            self._failed_at[event.keys.get("ActionID", "")] = time.monotonic()

    def _ended(self, token: str, ending: Ending) -> None:
        self._caps.ended(token, ending)
        if side_calls := self._side_calls(token):
            side_calls.ended(token, ours=ours(ending))
        self._moves.ended(token, ending)

    def _side_calls(self, token: str) -> SideCalls | None:
        """Whose call it is that is no callback."""
        if confirmation_calls.is_token(token):
            return self._confirmations
        if turn_near_calls.is_token(token):
            return self._near_calls
        return self._desk_calls if desk_phones.desk_of_token(token) is not None else None

    def _close_never_started(self) -> None:
        """Asterisk reported a failure and no channel of that token ever ended: there was none."""
        for token, at in list(self._failed_at.items()):
            if time.monotonic() - at > _NO_CHANNEL_S:
                del self._failed_at[token]
                self._ended(token, NEVER_BEGAN)


def _channel_id(event: Event) -> str:
    return str(event.keys.get("Uniqueid", ""))
