"""Makes the database agree with the channels that live in Asterisk, after a death or a cut of any part."""

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
from dialer.ami import Ami
from dialer.callback_writer import CallbackWriter
from dialer.desk_calls import desk_of
from dialer.guests import Guests
from dialer.rooms import WITH_MUSIC, Rooms
from dialer.silent_lines import SilentLines
from dialer.supervising import Supervising
from dialplan.variables import SUPERVISE, Context
from hotline.callbacks import callbacks, on_the_line, placing, toll

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
"""A clock is never put right by so much without a jump."""


class Calls(Protocol):
    """Calls of one kind whose end Asterisk may have told to nobody."""

    def on_the_phone(self, session: Session) -> Mapping[str, datetime]:
        """The tokens of those whose end is not known, and when each was placed."""

    def ended(self, token: str) -> None:
        """The call is over."""


class Reconciler:
    """Asks Asterisk what is true."""

    def __init__(
        self,
        engine: Engine,
        ami: Ami,
        *,
        writer: CallbackWriter,
        rooms: Rooms,
        silent_lines: SilentLines,
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
        self._supervising = supervising
        self._guests = guests
        self._others = others
        self._ahead_s, self._jumped_at = _ahead(), -math.inf

    def run(self, catch_up: Callable[[], object], no_channel_s: float) -> bool:
        """Adopt every call that lives, and end every one that does not and was placed `no_channel_s` ago.

        `catch_up` handles the events that came before Asterisk's answer. Returns whether all is known; ask
        again if not. Raises AmiError.
        """
        with reading(self._engine) as session:
            before = {callback.token for callback in placing.on_the_phone(session, self._node)}
        channels = {c.keys.get("Uniqueid", ""): c.keys for c in self._ami.live_channels()}
        ringing = {c.get("Linkedid") for c in channels.values() if c.get("ChannelStateDesc") == "Ringing"}
        phones = self._phones_present(channels)
        catch_up()  # the ends that came before that answer, with their true causes
        with reading(self._engine) as session:
            at = now(session)
            here = placing.on_the_phone(session, self._node)
            placed = [(c, c.placed_at) for c in here if c.placed_at]
        if self._has_jumped(no_channel_s):
            no_channel_s = math.inf  # how long ago a call was placed, nobody knows
        self._rooms.only(channels)
        self._silent_lines.adopt(channels)
        # Not whose callback has ended since Asterisk was asked: the answer does not know of it.
        self._see_forgotten(channels, before | {callback.token for callback, _ in placed})
        self._forget_callers(channels)
        self._guests.adopt(channels, ringing)
        known = True
        for callback, placed_at in placed:
            if callback.token in channels:
                known &= self._adopt(callback, channels[callback.token], callback.token in ringing)
            elif (at - placed_at).total_seconds() > no_channel_s:
                steady = _steady(phones.get(callback.desk_id or 0), callback, at)
                self._writer.lost(callback, steady=steady, died_at=self._last_word(at))
            else:
                known = False  # its channel may just be coming into being
        return all([known, *(self._end_missing(calls, channels, no_channel_s) for calls in self._others)])

    def _last_word(self, at: datetime) -> datetime | None:
        """When Asterisk was last heard before it was gone, by the database's clock, which says `at` now."""
        last = self._ami.last_word_at
        return None if last is None else at - timedelta(seconds=time.monotonic() - last)

    def _has_jumped(self, within_s: float) -> bool:
        """Whether the clock by which calls are written down has jumped in the last so many seconds."""
        ahead_s, at = _ahead(), time.monotonic()
        if abs(ahead_s - self._ahead_s) > _JUMP_S:
            log.warning("the clock has jumped by %.0f s", ahead_s - self._ahead_s)
            self._ahead_s, self._jumped_at = ahead_s, at
        return at - self._jumped_at < within_s

    def _see_forgotten(self, channels: Mapping[str, Channel], known: Collection[str]) -> None:
        """Whose callback is over, and who still waits for a desk or is with one: the line is ended."""
        for token, channel in channels.items():
            where = _where(channel)
            if where and callbacks.is_token(token) and token not in known:
                self._rooms.seen(token, where)

    def _forget_callers(self, live: Collection[str]) -> None:
        """Who waited on the line, and has no channel in Asterisk any more, will be called back."""
        with reading(self._engine) as session:
            waiting, _ = on_the_line.waiting(session)
        if waiting:
            with writing(self._engine) as session:
                on_the_line.only(session, live, self._node)

    def _end_missing(self, calls: Calls, live: Collection[str], no_channel_s: float) -> bool:
        """End those that are not among the `live` channels; False if some are too young to say."""
        with reading(self._engine) as session:
            at, placed = now(session), calls.on_the_phone(session)
            missing = {token: placed_at for token, placed_at in placed.items() if token not in live}
            for token in toll.of_others(session, missing, self._node):
                del missing[token]
        gone = [token for token, since in missing.items() if (at - since).total_seconds() > no_channel_s]
        for token in gone:
            calls.ended(token)
        return len(gone) == len(missing)

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
            if callback.state is not CallbackState.SCREENING:  # on the way to the operator: goes on
                self._writer.move(token, _BY_CONTEXT[Context(context)])
            return True
        # between two steps of the dialplan: look again
        return channel.get("ChannelStateDesc") != "Up"

    def _phones_present(self, channels: Mapping[str, Channel]) -> dict[int, Channel]:
        """Note which desks' phones are there, and by which channels, which it returns."""
        present: dict[int, dict[str, Channel]] = {}
        here: dict[int, Channel] = {}
        for channel_id, c in channels.items():
            desk = desk_of(c["Channel"], channel_id)
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
    """By how much the clock is ahead of the one that never jumps."""
    return time.time() - time.monotonic()


def _where(channel: Channel) -> str | None:
    """Where a citizen is, as `Rooms.seen` has it; None: nowhere that matters there."""
    context, application = channel.get("Context", ""), channel.get("Application", "")
    if application == "ConfBridge":
        return f"desk-{channel.get('Exten', '')}"
    if context in _SAYS_WHERE:
        return context
    return WITH_MUSIC if context == Context.WAITING and application else None


def _steady(phone: Channel | None, callback: Callback, at: datetime) -> bool:
    """Whether the desk's phone has lived since before the conversation began."""
    if phone is None or callback.talking_at is None:
        return False
    lived = phone.get("Duration", "0:00:00").split(":")
    if len(lived) != len(_HMS) or not all(part.isdecimal() for part in lived):
        return False
    seconds = sum(int(part) * unit for part, unit in zip(lived, _HMS, strict=True))
    return callback.talking_at >= at - timedelta(seconds=seconds + 1)


def _at_work(phone: Channel) -> bool:
    """Whether a desk's phone is in its room, hears another desk, obeys a key, or is on the way between."""
    on_the_way = phone.get("ChannelStateDesc") == "Up" and phone.get("Context") in _OF_DESKS
    return phone.get("Application") == "ConfBridge" or on_the_way
