"""Causes of ended calls, combined from the events of a call's three channels in any order.

A call that we place is a Local channel with two halves, and the leg to the phone. The dialling half knows why
nobody picked up. After an answer it always reports «normal» (16): only the phone's leg has the cause. The
cause says whether the citizen hung up (16), the audio stopped (44) or the network failed. The leg ends in a
thread of its own, so its event may follow the end of the call itself.
"""

import time

from dialer.outcomes import Ending
from dialplan.variables import CAPPED_CAUSE

_LEG_S = 0.5
"""How long after the end of a call the event of the phone's leg is awaited."""


class HangupCauses:
    """Knowledge about calls that are ending."""

    def __init__(self) -> None:
        self._said: dict[str, int] = {}
        self._dialled: dict[str, int] = {}
        self._legs: dict[str, int] = {}
        self._over: dict[str, tuple[float, int, bool]] = {}
        self._met: dict[str, str] = {}
        self._again: list[tuple[str, Ending]] = []

    def said(self, token: str, sip: int) -> None:
        """Note the network's last SIP status for a call that nobody picked up."""
        self._said[token] = sip

    def dialled(self, token: str, cause: int) -> None:
        """Note that the dialling half has ended."""
        self._dialled[token] = cause

    def leg(self, token: str, cause: int) -> None:
        """Note that the leg to the phone has ended."""
        self._legs[token] = cause

    def meets(self, token: str, caller: str) -> None:
        """Note that the callback dials nobody: its desk gets the caller of this channel."""
        self._met[token] = caller

    def caller_of(self, token: str) -> str | None:
        """Return the channel of the caller whom this callback meets; None: a phone was dialled."""
        return self._met.get(token)

    def callback_of(self, caller: str) -> str | None:
        """Return the token of the callback that meets the caller of this channel."""
        return next((token for token, channel in self._met.items() if channel == caller), None)

    def over(self, token: str, cause: int, *, has_leg: bool) -> None:
        """Note that the call itself has ended.

        `has_leg`: a phone's leg has the cause, unless the callback met a caller.
        """
        has_leg = has_leg and token not in self._met
        self._met.pop(token, None)
        self._over[token] = (time.monotonic() + _LEG_S, cause, has_leg)

    def take(self, *, patient: bool) -> tuple[str, Ending] | None:
        """Return a call that is over, each once, or None.

        `patient`: not one whose leg may still send its cause.
        """
        if self._again:
            return self._again.pop()
        at = time.monotonic()
        for token, (until, _, has_leg) in self._over.items():
            if not (patient and has_leg and at < until) or self._is_known(token):
                return token, self._take(token)
        return None

    def again(self, token: str, ending: Ending) -> None:
        """Return a taken call whose end could not be written."""
        self._again.append((token, ending))

    def _is_known(self, token: str) -> bool:
        told = token in self._legs or token in self._said
        return told or self._dialled.get(token) == CAPPED_CAUSE  # no phone was dialled

    def _take(self, token: str) -> Ending:
        _, cause, _ = self._over.pop(token)
        cause, said = self._dialled.pop(token, cause), self._said.pop(token, None)
        leg = self._legs.pop(token, cause)
        return Ending(cause if said is not None else leg, said)
