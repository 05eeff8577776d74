"""Reconciliation of the database with Asterisk's live channels, after a death or a cut of any part."""

import contextlib
import logging
import math
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from db.engine import now, reading, writing
from db.models import Callback, Desk
from db.states import CallbackState, Outcome
from dialer.ami import Ami, NotAccepted
from dialer.callback_writer import CallbackWriter
from dialer.desk_calls import find_phone_desk
from dialer.hangup_causes import HangupCauses
from dialer.rooms import WITH_MUSIC, Rooms
from dialer.silent_lines import SilentLines
from dialer.supervising import Supervising
from dialer.third_party import Guests
from dialplan.variables import SUPERVISE, Context, Variable
from hotline.callbacks import placing, transitions, waiting_callers
from hotline.trunk import call_caps

log = logging.getLogger("dialer")

_BY_CONTEXT = {
    Context.CALLBACK: CallbackState.ANSWERED,
    Context.WAITING: CallbackState.WAITING,
}

_SAYS_WHERE = (Context.LET_GO, Context.HELD, Context.HELD_OVER, Context.ON_HOLD, Context.PARTING)

_OF_DESKS = (Context.FROM_DESK, Context.DESK_KEYS, *SUPERVISE)

Channel = Mapping[str, str]

_HMS = (3600, 60, 1)

_JUMP_S = 1.0
"""Smallest difference of the clocks that counts as a jump, in seconds."""


class Calls(Protocol):
    """Calls of one kind whose end may have been missed."""

    def on_the_phone(self, session: Session) -> Mapping[str, datetime]:
        """Return the tokens of calls whose end is unknown, and when each was placed."""

    def ended(self, token: str) -> None:
        """Record that the call is over."""


class Reconciler:
    """Reconciler of callbacks, calls and phones with Asterisk."""

    def __init__(
        self,
        engine: Engine,
        ami: Ami,
        *,
        writer: CallbackWriter,
        rooms: Rooms,
        silent_lines: SilentLines,
        endings: HangupCauses,
        supervising: Supervising,
        guests: Guests,
        others: Sequence[Calls],
        node: str,
    ) -> None:
        self._node = node
        self._engine = engine
        self._ami = ami
        self._writer = writer
        self._rooms = rooms
        self._silent_lines = silent_lines
        self._endings = endings
        self._supervising = supervising
        self._guests = guests
        self._others = others
        self._ahead_s, self._jumped_at = _ahead(), -math.inf

    def run(self, catch_up: Callable[[], object], no_channel_s: float) -> bool:
        """Adopt every live call, and end every other one that was placed more than `no_channel_s` ago.

        `catch_up` handles the events from before Asterisk's answer. Return whether everything is known; if
        not, run it again. Raises AmiError.
        """
        with reading(self._engine) as session:
            before = {callback.token for callback in placing.list_open_calls(session, self._node)}
        channels = {c.keys.get("Uniqueid", ""): c.keys for c in self._ami.live_channels()}
        ringing = {c.get("Linkedid") for c in channels.values() if c.get("ChannelStateDesc") == "Ringing"}
        phones = self._phones_present(channels)
        catch_up()  # handles the ends before that answer, with their true causes
        with reading(self._engine) as session:
            at = now(session)
            here = placing.list_open_calls(session, self._node)
            placed = [(c, c.placed_at) for c in here if c.placed_at]
        if self._has_jumped(no_channel_s):
            no_channel_s = math.inf  # the age of a call is unknown
        self._rooms.only(channels)
        self._silent_lines.adopt(channels)
        # Callbacks that ended after the question count as known: the answer still has their channels.
        self._see_forgotten(channels, before | {callback.token for callback, _ in placed})
        self._forget_callers(channels)
        self._guests.adopt(channels, ringing)
        known = True
        for callback, placed_at in placed:
            if callback.token in channels:
                self._learn_caller(callback)
                known &= self._adopt(callback, channels[callback.token], callback.token in ringing)
            elif (at - placed_at).total_seconds() > no_channel_s:
                steady = _steady(phones.get(callback.desk_id or 0), callback, at)
                self._writer.lost(callback, steady=steady, died_at=self._last_word(at))
            else:
                known = False  # its channel may be starting
        return all([known, *(self._end_missing(calls, channels, no_channel_s) for calls in self._others)])

    def _last_word(self, at: datetime) -> datetime | None:
        """Return Asterisk's last word before it died, by the database's clock, which shows `at` now."""
        last = self._ami.last_word_at
        return None if last is None else at - timedelta(seconds=time.monotonic() - last)

    def _has_jumped(self, within_s: float) -> bool:
        """Return whether the clock that stamps calls has jumped in the last `within_s` seconds."""
        ahead_s, at = _ahead(), time.monotonic()
        if abs(ahead_s - self._ahead_s) > _JUMP_S:
            log.warning("the clock has jumped by %.0f s", ahead_s - self._ahead_s)
            self._ahead_s, self._jumped_at = ahead_s, at
        return at - self._jumped_at < within_s

    def _see_forgotten(self, channels: Mapping[str, Channel], known: Collection[str]) -> None:
        """Note the room of citizens whose callback is over, so that their line is ended."""
        for token, channel in channels.items():
            where = _where(channel)
            if where and transitions.is_token(token) and token not in known:
                self._rooms.seen(token, where)

    def _forget_callers(self, live: Collection[str]) -> None:
        """Record as gone the callers on the line without a channel in Asterisk: they will be called back."""
        with reading(self._engine) as session:
            waiting, _ = waiting_callers.count_waiting(session)
        if waiting:
            with writing(self._engine) as session:
                waiting_callers.record_gone_except(session, live, self._node)

    def _end_missing(self, calls: Calls, live: Collection[str], no_channel_s: float) -> bool:
        """End the calls without a `live` channel; False if some are too young to decide."""
        with reading(self._engine) as session:
            at, placed = now(session), calls.on_the_phone(session)
            missing = {token: placed_at for token, placed_at in placed.items() if token not in live}
            for token in call_caps.list_calls_of_other_nodes(session, missing, self._node):
                del missing[token]
        gone = [token for token, since in missing.items() if (at - since).total_seconds() > no_channel_s]
        for token in gone:
            calls.ended(token)
        return len(gone) == len(missing)

    def _learn_caller(self, callback: Callback) -> None:
        """Learn whom a callback meets that an earlier dialer has connected with a caller on the line."""
        if not callback.on_the_line or self._endings.caller_of(callback.token):
            return
        with contextlib.suppress(NotAccepted):  # it has just ended
            if caller := self._ami.value(Variable.MEETS, callback.token):
                self._endings.meets(callback.token, caller)

    def _adopt(self, callback: Callback, channel: Channel, ringing: bool) -> bool:
        token = callback.token
        if ringing or channel.get("ChannelStateDesc") == "Ringing":
            self._writer.move(token, CallbackState.RINGING)
            return True
        context, application = channel.get("Context", ""), channel.get("Application", "")
        if where := _where(channel):
            self._rooms.seen(token, where)
        if application == "ConfBridge":
            desk = channel.get("Exten", "")
            if context != Context.SCREENING:
                self._writer.joined(token, int(desk) if desk.isdecimal() else None)
            return True
        if context in _SAYS_WHERE:
            if context == Context.HELD:
                self._writer.held(token)
            return True
        if context == Context.LATER:
            self._writer.close(token, Outcome.CALL_AGAIN)
            return True
        if context in _BY_CONTEXT and application:
            if callback.state is not CallbackState.SCREENING:  # a citizen on the way to the operator stays
                self._writer.move(token, _BY_CONTEXT[Context(context)])
            return True
        # between two steps of the dialplan: look again
        return channel.get("ChannelStateDesc") != "Up"

    def _phones_present(self, channels: Mapping[str, Channel]) -> dict[int, Channel]:
        """Record which desks' phones are connected. Return their channels by desk."""
        present: dict[int, dict[str, Channel]] = {}
        here: dict[int, Channel] = {}
        for channel_id, c in channels.items():
            desk = find_phone_desk(c["Channel"], channel_id)
            if desk is not None and _at_work(c):
                present.setdefault(desk, {})[c["Channel"]] = c
        with reading(self._engine) as session:
            desks = session.scalars(select(Desk)).all()
        known = {d.id: (d.phone_connected, d.channel) for d in desks}
        others = {d.id for d in desks if d.node not in (None, self._node)}
        for desk, was in known.items():
            phones = present.get(desk, {})
            if desk in others and not phones:
                continue
            one = was[1] if was[1] in phones else next(iter(phones), None)
            if one is None:
                self._supervising.forget(desk)
            else:
                self._supervising.seen(desk, phones[one].get("Context", ""), phones[one].get("Exten", ""))
            if was != (one is not None, one):
                self._writer.desk_phone(desk, one)
            if one is not None:
                here[desk] = phones[one]
        return here


def _ahead() -> float:
    """Return how far the clock is ahead of the monotonic clock, in seconds."""
    return time.time() - time.monotonic()


def _where(channel: Channel) -> str | None:
    """Return a citizen's location as `Rooms.seen` takes it; None if it needs no room."""
    context, application = channel.get("Context", ""), channel.get("Application", "")
    if application == "ConfBridge":
        return f"desk-{channel.get('Exten', '')}"
    if context in _SAYS_WHERE:
        return context
    return WITH_MUSIC if context == Context.WAITING and application else None


def _steady(phone: Channel | None, callback: Callback, at: datetime) -> bool:
    """Return whether the desk's phone has been connected since before the conversation began."""
    if phone is None or callback.talking_at is None:
        return False
    lived = phone.get("Duration", "0:00:00").split(":")
    if len(lived) != len(_HMS) or not all(part.isdecimal() for part in lived):
        return False
    seconds = sum(int(part) * unit for part, unit in zip(lived, _HMS, strict=True))
    return callback.talking_at >= at - timedelta(seconds=seconds + 1)


def _at_work(phone: Channel) -> bool:
    """Return whether a desk's phone is in its room, hears another desk, obeys a key, or is moving between."""
    on_the_way = phone.get("ChannelStateDesc") == "Up" and phone.get("Context") in _OF_DESKS
    return phone.get("Application") == "ConfBridge" or on_the_way
