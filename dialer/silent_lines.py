"""Checks of telephones without audio: each is asked whether it is still there.

A telephone without power or network sends no BYE. Silence alone proves nothing: telephones send none while
muted or on hold, nor do gateways with silence suppression. So Asterisk sends a re-INVITE, which every
telephone answers and nobody hears. Without an answer Asterisk ends the call after 15 s, twice timer_b of
pjsip.conf, and reports `UNANSWERED_CAUSE`. An official thus hears of a dead line within 30 s.
"""

import logging
import math
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from dialer.ami import Ami, NotAccepted
from dialer.rooms import WITH_MUSIC
from hotline.callbacks import transitions

log = logging.getLogger("dialer")

_LOOK_S = 2.0
"""How often the dialer asks Asterisk for the number of received audio packets."""

_WAITS_S = 4.0
"""Silence after which the telephone of a citizen who waits for a desk is asked."""

_SPEAKS_S = 8.0
"""Silence allowed in a room, on hold, and on the operators' line.

A gateway may send nothing while a citizen listens. Citizens' browsers have a shorter `rtp_timeout`, so the
dialer never asks them.
"""

_AGAIN_S = 30.0
"""How long the dialer waits before it asks a telephone again. Longer than a re-INVITE may be under way."""

_PACKETS = "CHANNEL(rtcp,rxcount)"
_RE_INVITE = {"Variable": "PJSIP_SEND_SESSION_REFRESH()", "Value": "invite"}


@dataclass
class _Sound:
    packets: str
    changed_at: float
    asked_at: float = -math.inf


class SilentLines:
    """Task of the dialer. The task decides nothing: the hang-up of a dead call is handled like any other."""

    def __init__(
        self,
        ami: Ami,
        located: Callable[[], Mapping[str, str]],
        *,
        callers: Callable[[], Collection[str]] = tuple,
        caller_of: Callable[[str], str | None] = lambda _: None,
    ) -> None:
        """`located`: the location of each citizen, by token (`Rooms.located`).

        `callers`: the channels of callers who wait on the operators' line. `caller_of`: the channel of the
        caller whom a callback meets, if any.
        """
        self._ami = ami
        self._located = located
        self._callers = callers
        self._caller_of = caller_of
        self._legs: dict[str, str] = {}
        self._sound: dict[str, _Sound] = {}
        self._next_look = -math.inf

    def rings(self, token: str, leg: str) -> None:
        """Record the channel of this callback's telephone, which rings or was answered."""
        if transitions.is_token(token) and leg.startswith("PJSIP/"):
            self._legs[token] = leg

    def adopt(self, channels: Mapping[str, Mapping[str, str]]) -> None:
        """Learn the legs of an earlier dialer's calls from Asterisk's list by unique id."""
        for channel_id, channel in channels.items():
            if channel_id != (token := channel.get("Linkedid", "")):
                self.rings(token, channel.get("Channel", ""))
        self._legs = {token: leg for token, leg in self._legs.items() if token in channels}

    def forget(self, token: str) -> None:
        """Forget an ended call."""
        self._legs.pop(token, None)

    def ask_silent(self) -> None:
        """Send a re-INVITE to each citizen whose audio has stopped. Raises AmiError."""
        at = time.monotonic()
        if at < self._next_look:
            return
        self._next_look = at + _LOOK_S
        before, self._sound = self._sound, {}
        for token, where in self._located().items():
            if leg := self._caller_of(token) or self._legs.get(token):
                longest = _WAITS_S if where == WITH_MUSIC else _SPEAKS_S
                self._look(token, leg, before.get(token), longest)
        for channel in self._callers():
            self._look(channel, channel, before.get(channel), _SPEAKS_S)

    def _look(self, token: str, leg: str, sound: _Sound | None, longest: float) -> None:
        at = time.monotonic()
        try:
            packets = self._ami.value(_PACKETS, leg)
            if sound is None or packets != sound.packets:
                sound = _Sound(packets, at)
            elif at >= sound.changed_at + longest and at >= sound.asked_at + _AGAIN_S:
                self._ami.request("Setvar", Channel=leg, **_RE_INVITE)
                sound.asked_at = at
                log.info("%s: no sound from the telephone, which is asked whether it is there", token)
        except NotAccepted:  # the call has just ended
            return
        self._sound[token] = sound
