"""Handler of Asterisk's events: it moves the callbacks and calls that the events are about."""

import logging
import queue
import time
from collections.abc import Callable, Sequence

from asterisk.ami.event import Event
from sqlalchemy.exc import InterfaceError, OperationalError, TimeoutError

from db.states import CallbackState, Outcome
from dialer.ami import Ami, NotAccepted
from dialer.callback_writer import CallbackWriter
from dialer.caps import Caps
from dialer.desk_calls import find_phone_desk
from dialer.desk_passwords import DeskPasswords
from dialer.hangup_causes import HangupCauses
from dialer.keys import Keys
from dialer.outcomes import NEVER_BEGAN, UNANSWERED_CAUSE, Ending
from dialer.ring_timeouts import RingTimeouts
from dialer.rooms import WITH_MUSIC, Rooms
from dialer.silent_lines import SilentLines
from dialer.supervising import Supervising
from dialer.system_calls import SystemCalls
from dialer.trunk import Trunk
from dialer.trunks import Trunks
from dialplan.accounts import DESK_EXTENSION
from dialplan.variables import (
    KEY_EVENT,
    REPLACED_CAUSE,
    SAID_EVENT,
    STAGE_EVENT,
    SUPERVISE_EVENT,
    TRUNK_EVENT,
    Context,
    Stage,
)
from hotline.call_deadlines import find_token
from hotline.callbacks import transitions

log = logging.getLogger("dialer")

NO_CHANNEL_S = 3.0
"""How long after a reported failure the channel's own hang-up, which has the cause, may still arrive."""

_ENDING = {
    Stage.NOT_CONFIRMED: Outcome.NOT_CONFIRMED,
    Stage.LATER: Outcome.CALL_AGAIN,
    Stage.FAILED: Outcome.FAILED,
}

_WHERE = {
    Stage.HELD: Context.HELD,
    Stage.HELD_OVER: Context.HELD_OVER,
    Stage.ON_HOLD: Context.ON_HOLD,
    Stage.PARTING: Context.PARTING,
}

_NORMAL = 16

NEWS = "News"
"""Event of our own: somebody has changed the database."""


class AsteriskEvents:
    """Task of the dialer, on the dialer's connection and thread."""

    def __init__(
        self,
        ami: Ami,
        *,
        writer: CallbackWriter,
        rooms: Rooms,
        silent_lines: SilentLines,
        ring_timeouts: RingTimeouts,
        caps: Caps,
        trunk: Trunk,
        trunks: Trunks,
        desk_passwords: DeskPasswords,
        keys: Keys,
        supervising: Supervising,
        endings: HangupCauses,
        system_calls: Sequence[SystemCalls],
    ) -> None:
        self.in_sync = False
        """No event was missed: the database agrees with Asterisk."""
        self.spoke = False
        """An event of the last `handle` was Asterisk's and had a handler."""
        self._ami = ami
        self._writer = writer
        self._rooms = rooms
        self._silent_lines = silent_lines
        self._ring_timeouts = ring_timeouts
        self._caps = caps
        self._trunk = trunk
        self._trunks = trunks
        self._desk_passwords = desk_passwords
        self._keys = keys
        self._supervising = supervising
        self._endings = endings
        self._system = system_calls
        self._failed_at: dict[str, float] = {}
        self._unwritten: dict[str, Outcome] = {}
        """Outcomes from the dialplan, each told once, while the database was away; they outweigh the
        hang-up's cause.
        """
        self._handlers: dict[str, Callable[[Event], None]] = {
            "Resync": self._on_resync,
            "DialState": self._on_dial_state,
            "UserEvent": self._on_user_event,
            "ConfbridgeJoin": self._on_join,
            "Hangup": self._on_hangup,
            "OriginateResponse": self._on_originate_response,
            "ContactStatus": self._trunks.on_contact,
            "Registry": self._trunks.on_registry,
        }

    def handle(self, wait_s: float) -> bool:
        """Handle the events of the next `wait_s` seconds. Return whether there was one."""
        some, self.spoke = False, False
        try:
            event = self._ami.events.get(timeout=wait_s)
            while True:
                some = True
                if handler := self._handlers.get(event.name):
                    self.spoke = True
                    handler(event)
                event = self._ami.events.get_nowait()
        except queue.Empty:
            ended = self.end_over(patient=True)
            self.spoke |= ended
            return ended or some

    def _on_resync(self, _event: Event) -> None:
        self.in_sync = False
        self._trunks.missed()
        self._desk_passwords.forget()

    def _on_dial_state(self, event: Event) -> None:
        token, status = find_token(_channel_id(event)), event.keys.get("DialStatus")
        if status in ("RINGING", "PROGRESS", "ANSWER"):
            leg = event.keys.get("DestChannel", "")
            self._silent_lines.rings(token, leg)
            self._ring_timeouts.rings(token, leg)
            self._trunk.rings(token, leg)
        if status == "RINGING":
            self._writer.move(token, CallbackState.RINGING)
            if system_calls := self._system_calls(token):
                system_calls.rings(token)

    def _on_user_event(self, event: Event) -> None:
        if event.keys.get("UserEvent") == KEY_EVENT:
            desk = find_phone_desk(event.keys.get("Channel", ""), _channel_id(event))
            self._keys.pressed(desk, event.keys.get("Key", ""))
        elif event.keys.get("UserEvent") == SUPERVISE_EVENT:
            self._on_supervise(event)
        elif event.keys.get("UserEvent") == STAGE_EVENT:
            self._on_stage(_channel_id(event), event.keys.get("Stage", ""))
        elif event.keys.get("Sip", "").isdecimal():
            self._on_said(event, find_token(_channel_id(event)), int(event.keys["Sip"]))

    def _on_said(self, event: Event, token: str, sip: int) -> None:
        name = event.keys.get("Trunk", "")
        if event.keys.get("UserEvent") == TRUNK_EVENT:
            self._trunk.failed(token, name, sip)
        elif event.keys.get("UserEvent") == SAID_EVENT:
            self._trunks.said(token, name)
            self._endings.said(token, sip)
        if system_calls := self._system_calls(token):
            system_calls.said(token, name, sip, goes_on=event.keys.get("UserEvent") == TRUNK_EVENT)

    def _on_supervise(self, event: Event) -> None:
        desk = find_phone_desk(event.keys.get("Channel", ""), _channel_id(event))
        if desk is not None:
            self._supervising.seen(desk, event.keys.get("Context", ""), event.keys.get("Desk", ""))

    def _on_stage(self, token: str, stage: str) -> None:
        system_calls = self._system_calls(token)
        if stage in _ENDING and not system_calls:
            self._unwritten[token] = _ENDING[Stage(stage)]
        if stage == Stage.FAILED:
            self._trunk.script_failed(token)
            if system_calls:
                system_calls.script_failed(token)
        elif stage in (Stage.CONFIRMED, Stage.NOT_CONFIRMED, Stage.SPOKE):
            self._trunk.script_spoke(token)
        if system_calls:
            system_calls.came(token, stage)
            return
        if stage in _ENDING:
            self._rooms.forget(token)  # the prompt that plays now ends the call by itself
            self._close(token)
        elif stage == Stage.ANSWERED:
            self._writer.move(token, CallbackState.ANSWERED)
        elif stage == Stage.CONFIRMED:
            self._rooms.seen(token, WITH_MUSIC)
            self._writer.move(token, CallbackState.WAITING)
        elif stage in _WHERE:
            self._rooms.seen(token, _WHERE[Stage(stage)])
            if stage == Stage.HELD:
                self._writer.held(token)

    def _on_join(self, event: Event) -> None:
        channel, token, room = (event.keys.get(key, "") for key in ("Channel", "Uniqueid", "Conference"))
        desk = find_phone_desk(channel, token)
        if desk is not None:
            before = self._writer.desk_phone(desk, channel)
            if before and before != channel:
                self._replaced(desk, before)
            if room == f"desk-{desk}":
                self._supervising.seen(desk, Context.FROM_DESK, DESK_EXTENSION)
        elif transitions.is_token(token):
            self._rooms.seen(token, room)
            number = room.removeprefix("desk-")
            if self.in_sync:  # else the desk's phone may just have gone, and the reconciler asks
                self._writer.joined(token, int(number) if number.isdecimal() else None)
        elif system_calls := self._system_calls(token):
            system_calls.joined(token, room)

    def _replaced(self, desk: int, before: str) -> None:
        """Hang up the desk phone's old channel, which may not know yet that it is dead."""
        try:
            self._ami.request("Hangup", Channel=before, Cause=REPLACED_CAUSE)
            log.info("desk %d: its phone is there by another channel", desk)
        except NotAccepted:
            pass  # it has ended

    def _on_hangup(self, event: Event) -> None:
        channel, channel_id = event.keys.get("Channel", ""), _channel_id(event)
        token, call = find_token(channel_id), event.keys.get("Linkedid", "")
        cause = int(event.keys["Cause"]) if event.keys.get("Cause", "").isdecimal() else 0
        if find_phone_desk(channel, channel_id) is not None:
            self.in_sync = False  # the desk may have a second phone in its room: reconcile
        elif transitions.is_token(call) and channel.startswith("PJSIP/") and channel_id != call:
            # Where a re-INVITE got no answer (408), or nobody there knows the call (481), Asterisk's cause
            # is 16 as after a hang-up. Only then there is a TechCause.
            unanswered = cause == _NORMAL and event.keys.get("TechCause")
            self._endings.leg(call, UNANSWERED_CAUSE if unanswered else cause)
            return
        if (met := self._endings.callback_of(channel_id)) and event.keys.get("TechCause"):
            self._endings.leg(met, UNANSWERED_CAUSE)
            return
        if channel_id != token:
            self._endings.dialled(token, cause)
            return
        self._endings.over(token, cause, has_leg=transitions.is_token(token))

    def end_over(self, *, patient: bool) -> bool:
        """Finish the calls that are over. Return whether there was one."""
        some = False
        while over := self._endings.take(patient=patient):
            some, (token, ending) = True, over
            self._failed_at.pop(token, None)
            self._rooms.forget(token)
            self._silent_lines.forget(token)
            try:
                ending = self._trunk.as_heard(token, ending)
                self._ended(token, ending)
            except (OperationalError, InterfaceError, TimeoutError):  # the database is away, or locked
                self._endings.again(token, ending)  # Asterisk sends the event once
                raise
        return some

    def _on_originate_response(self, event: Event) -> None:
        if event.keys.get("Response") == "Failure":
            self._failed_at[event.keys.get("ActionID", "")] = time.monotonic()

    def _ended(self, token: str, ending: Ending) -> None:
        self._trunk.over(token, ending)
        self._caps.ended(token, ending)
        if system_calls := self._system_calls(token):
            system_calls.over(token, ending)
        self._close(token)
        self._writer.ended(token, ending)

    def _close(self, token: str) -> None:
        if outcome := self._unwritten.get(token):
            self._writer.close(token, outcome)
            del self._unwritten[token]

    def _system_calls(self, token: str) -> SystemCalls | None:
        """Return the kind of a call that is not a callback."""
        return next((calls for calls in self._system if calls.owns(token)), None)

    def close_never_started(self) -> None:
        """Finish calls that never had a channel: Asterisk reported a failure, and no hang-up followed."""
        for token, at in list(self._failed_at.items()):
            if time.monotonic() - at > NO_CHANNEL_S:
                del self._failed_at[token]
                self._ended(token, NEVER_BEGAN)


def _channel_id(event: Event) -> str:
    return str(event.keys.get("Uniqueid", ""))
