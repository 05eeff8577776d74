"""Writer of callbacks: their steps by token, their ends, and the desks' phones."""

import logging
from datetime import datetime

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from db.engine import now, reading, writing
from db.models import Callback
from db.states import IN_TALK, CallbackState, Outcome
from dialer.live import has_hung_up
from dialer.outcomes import UNSEEN, Ending, is_cut, map_hangup
from dialer.patient_clock import PatientClock
from hotline import heartbeats
from hotline.callbacks import (
    closing,
    conversations,
    placing,
    schedule,
    serving,
    transitions,
    unreached_desks,
    waiting_callers,
)
from hotline.callbacks.own_faults import Cut
from hotline.desks import desk_phones
from hotline.line import busy_numbers
from settings import Settings

log = logging.getLogger("dialer")

_STAMPS = {
    CallbackState.ANSWERED: "answered_at",
    CallbackState.WAITING: "confirmed_at",
    CallbackState.TALKING: "talking_at",
}

_BUSY_WITH_US = {Outcome.BUSY, Outcome.NO_ANSWER, Outcome.UNREACHABLE}
"""Outcomes of a call to a citizen who is on the line of 137 themselves."""

_PICKED_UP = (CallbackState.ANSWERED, CallbackState.WAITING, CallbackState.SCREENING)
"""States after the answer in which a cut by our side hits a citizen who waits for a desk."""

_NORMAL = 16


class CallbackWriter:
    """Writes of the dialer, one transaction each; a late, repeated or foreign step changes nothing."""

    def __init__(self, settings: Settings, engine: Engine) -> None:
        self._settings = settings
        self._engine = engine
        self._clock = PatientClock(max(settings.hold_seconds, settings.on_hold_seconds))

    def move(self, token: str, to: CallbackState) -> None:
        """Move the callback of `token` to this state."""
        if not transitions.is_token(token):
            return  # the channel is a caller's or a desk's
        with writing(self._engine) as session:
            callback = transitions.find_by_token(session, token)
            if callback:
                _move(session, callback, to)

    def joined(self, token: str, desk: int | None) -> None:
        """Begin the conversation if the citizen has come into their own desk's room (None: into some room).

        A citizen goes on waiting who is screened, was taken back on the way, or finds no desk phone there.
        The same holds after a put-on-hold a moment ago.
        """
        with writing(self._engine) as session:
            callback = transitions.find_by_token(session, token)
            theirs = callback and callback.desk_id is not None and desk in (None, callback.desk_id)
            if callback and theirs and not callback.on_hold_at and serving.clear_request(session, callback):
                _move(session, callback, CallbackState.TALKING)

    def close(self, token: str, outcome: Outcome, *, cut: Cut | None = None) -> None:
        """Record the outcome that the network or the citizen gave; with `cut` nobody gave it."""
        with writing(self._engine) as session:
            if closing.close(session, token, outcome, self._settings, cut=cut):
                log.info("%s: %s", token, outcome)

    def ended(self, token: str, ending: Ending) -> None:
        """Close the callback of the ended channel `token`, or leave the outcome to its desk."""
        if not transitions.is_token(token):
            return
        with writing(self._engine) as session:
            callback = transitions.find_by_token(session, token)
            if callback is None:
                return
            placing.record_channel_end(session, callback)
            if callback.state in (CallbackState.ENDED, CallbackState.CLOSED):
                return
            if callback.state in (*IN_TALK, CallbackState.PARTING):
                hung_up = ending != UNSEEN and not is_cut(ending)
                conversations.record_line_end(session, callback, self._settings, hung_up=hung_up)
                log.info("%s: ended, %s, in state %s", token, ending, callback.state)
                return
            by_us = callback.hangup_asked_at is not None
            outcome = map_hangup(callback.state, ending, by_us=by_us, called_ahead=callback.desk_id is None)
            if has_hung_up(callback) and not by_us:
                outcome = Outcome.RETURNED
                waiting_callers.record_hangup(session, callback.registration_id)
            until = None
            if _is_our_doing(session, callback, outcome):
                outcome, until = Outcome.RETURNED, now(session) + schedule.find_busy_pause(self._settings)
            if outcome is None:
                transitions.move(session, token, CallbackState.ENDED, ended_at=now(session))
            else:
                # `again_at` is set if a supervisor freed the citizen, who is due at once then.
                again_at = callback.again_at if outcome is Outcome.CALL_AGAIN else None
                cut = Cut.BY_NETWORK if callback.state in _PICKED_UP and is_cut(ending) else None
                conf = self._settings
                closing.close(session, token, outcome, conf, until=until, again_at=again_at, cut=cut)
            log.info("%s: ended, %s, %s", token, ending, outcome or "the desk will say")

    def lost(self, callback: Callback, *, steady: bool, died_at: datetime | None = None) -> None:
        """Close a callback whose end nobody saw: the desk gives the outcome; without a desk nobody talked.

        `steady`: the desk's phone was there throughout, so the desk did not end the call. `died_at`:
        Asterisk's last word before it died; None if it did not.
        """
        if callback.state is CallbackState.CLOSED:
            self.ended(callback.token, UNSEEN)
            return
        if callback.desk_id is None or has_hung_up(callback):
            log.warning("%s: ended unseen in state %s", callback.token, callback.state)
            outcome = Outcome.RETURNED if has_hung_up(callback) else Outcome.FAILED
            self.close(callback.token, outcome, cut=Cut.BY_US)
            return
        if died_at and callback.parting_at and callback.parting_at > died_at:
            with writing(self._engine) as session:
                if its_own := transitions.find_by_token(session, callback.token):
                    conversations.revoke_end(session, its_own, self._settings)
            log.warning("%s: cut by Asterisk's end before its desk ended it", callback.token)
            return
        if callback.state in (*IN_TALK, CallbackState.PARTING):
            log.warning("%s: ended unseen in state %s", callback.token, callback.state)
            self.ended(callback.token, Ending(_NORMAL) if steady else UNSEEN)
            return
        with writing(self._engine) as session:
            at = now(session)
            cut_at = at if callback.state in _PICKED_UP else None
            if transitions.move(session, callback.token, CallbackState.ENDED, ended_at=at, held_until=cut_at):
                log.warning("%s: ended unseen in state %s", callback.token, callback.state)

    def held(self, token: str) -> None:
        """Hold the citizen whose desk's phone has left the room."""
        with writing(self._engine) as session:
            desk_phones.ask_again(session, token)
            if conversations.hold_without_desk(session, token, self._settings):
                log.warning("%s: the desk's phone is gone in mid-conversation", token)

    def end_overdue(self) -> None:
        """End overdue conversations: held, past the time for undo, or waiting for a desk that stays away."""
        with reading(self._engine) as session:
            at = self._clock.read(now(session))
            tokens = conversations.list_overdue(session, at)
            unreached = unreached_desks.list_waiting_too_long(session, self._settings, at)
        for token in tokens:
            with writing(self._engine) as session:
                conversations.end_overdue(session, token, self._settings, at)
        for token in unreached:
            with writing(self._engine) as session:
                if unreached_desks.request_end(session, token, self._settings, at):
                    log.warning("%s: let go: the desk's phone has not come to where the citizen waits", token)

    def desk_phone(self, desk: int, channel: str | None) -> str | None:
        """Record that the desk's phone is in its room by this channel, or has left.

        Return the former channel.
        """
        there, node = channel is not None, self._settings.node
        with writing(self._engine) as session:
            if not there and heartbeats.is_elsewhere(session, desk, node):
                return None
            conversations.adjust_holds(session, desk, there=there, settings=self._settings)
            return heartbeats.record_phone(session, desk, channel, node)


def _move(session: Session, callback: Callback, to: CallbackState) -> None:
    stamp = _STAMPS.get(to)
    values: dict[str, datetime | None] = {}
    if stamp and getattr(callback, stamp) is None:
        values[stamp] = now(session)
    if to is CallbackState.TALKING:
        values["held_until"] = None
    forward = Callback.state != CallbackState.TALKING  # only an undo leads back
    transitions.move(session, callback.token, to, forward, **values)


def _is_our_doing(session: Session, callback: Callback, outcome: Outcome | None) -> bool:
    """Return whether our own call keeps the citizen's phone busy."""
    if outcome in _BUSY_WITH_US and busy_numbers.is_on_the_line(session, callback.registration.number):
        return True
    return outcome is Outcome.BUSY and busy_numbers.has_just_hung_up(session, callback)
