"""Ends of calls that nobody answers, by the monotonic clock.

Asterisk counts the ringing time by the wall clock. If that clock is set back meanwhile, the phone rings until
the clock has caught up: for minutes or years. Without a leap Asterisk ends the call first.
"""

import logging
import time
from collections.abc import Callable
from datetime import datetime

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from db.engine import reading
from dialer.ami import Ami, NotAccepted
from settings import Settings

log = logging.getLogger("dialer")

_LOOK_S = 1.0
_SLACK_S = 5.0
"""How much longer than HOTLINE_RING_SECONDS a phone may ring: Asterisk, which knows the cause, goes first."""
_UNHEARD_S = 20.0
"""The same before a phone is known to ring; longer than Asterisk waits for the answer of a silent trunk."""
_NO_ANSWER, _NORMAL = 19, 16
"""Causes (Q.850) of our hang-ups."""


class RingTimeouts:
    """Task of the dialer. The end of such a call is handled like the end of any other unanswered call."""

    def __init__(
        self,
        settings: Settings,
        engine: Engine,
        ami: Ami,
        on_the_phone: Callable[[Session], dict[str, datetime]],
    ) -> None:
        """`on_the_phone`: the tokens of all calls of this node that have no end yet (`Caps.on_the_phone`)."""
        self._engine = engine
        self._ami = ami
        self._on_the_phone = on_the_phone
        self._ring_s = settings.ring_seconds
        self._until: dict[str, float] = {}
        """When each call is overdue, by the monotonic clock."""
        self._legs: dict[str, str] = {}
        self._answered: set[str] = set()
        self._next_look = 0.0

    def rings(self, token: str, leg: str) -> None:
        """Begin to count when the phone rings; anew if another channel rings, which is the next trunk's."""
        if self._legs.get(token) != leg:
            self._legs[token] = leg
            self._until[token] = time.monotonic() + self._ring_s + _SLACK_S

    def hang_up_overdue(self) -> None:
        """Hang up the phones that have rung for too long. Raises AmiError."""
        at = time.monotonic()
        if at < self._next_look:
            return
        self._next_look = at + _LOOK_S
        with reading(self._engine) as session:
            tokens = self._on_the_phone(session).keys()
        unheard_until = at + self._ring_s + _UNHEARD_S
        self._until = {token: self._until.get(token, unheard_until) for token in tokens}
        self._legs = {token: leg for token, leg in self._legs.items() if token in tokens}
        self._answered &= tokens
        overdue = {token for token, until in self._until.items() if at >= until}
        if unknown := overdue - self._answered:
            self._hang_up(unknown)

    def _hang_up(self, overdue: set[str]) -> None:
        """Hang up those of these calls that are not answered.

        The phone's own channel is hung up, so the dialplan goes on as after its own timeout.
        """
        channels = [channel.keys for channel in self._ami.live_channels()]
        waiting = [channel for channel in channels if channel.get("ChannelStateDesc") != "Up"]
        unanswered = overdue & {channel.get("Uniqueid", "") for channel in waiting}
        legs = {channel.get("Linkedid", ""): channel["Channel"] for channel in waiting if _is_leg(channel)}
        self._answered |= overdue - unanswered
        for token in unanswered:
            self._until[token] = time.monotonic() + self._ring_s + _UNHEARD_S
            leg = legs.get(token)
            try:
                self._ami.request("Hangup", Channel=leg or token, Cause=_NO_ANSWER if leg else _NORMAL)
                log.warning("%s: rang for too long, though Asterisk's clock says otherwise", token)
            except NotAccepted:  # it has ended, or was answered by another channel
                pass


def _is_leg(channel: dict[str, str]) -> bool:
    return channel["Channel"].startswith("PJSIP/")
