"""Why a call ended, put together from what its three parts tell, in whatever order they tell it.

A call that we place is a Local channel with two halves, and the leg to the phone. The half that dialled knows
why nobody picked up. Once somebody did, it always says «normal» (16), whatever happened: only the phone's leg
knows whether the citizen hung up (16), the sound stayed away (44) or the network failed. The leg ends in a
thread of its own, so that its word may come a moment after the end of the call itself.
"""

import time

from dialer.outcomes import Ending
from dialplan.variables import CAPPED_CAUSE

_LEG_S = 0.5
"""So long after the end of a call the word of the phone's leg is waited for."""


class Endings:
    """Holds what is known of calls that are ending."""

    def __init__(self) -> None:
        self._said: dict[str, int] = {}
        self._dialled: dict[str, int] = {}
        self._legs: dict[str, int] = {}
        self._over: dict[str, tuple[float, int, bool]] = {}
        self._met: dict[str, str] = {}
        self._again: list[tuple[str, Ending]] = []

    def said(self, token: str, sip: int) -> None:
        """The network's last word about a call that nobody picked up."""
        self._said[token] = sip

    def dialled(self, token: str, cause: int) -> None:
        """The half that dialled has ended."""
        self._dialled[token] = cause

    def leg(self, token: str, cause: int) -> None:
        """The leg to the phone has ended."""
        self._legs[token] = cause

    def meets(self, token: str, caller: str) -> None:
        """The callback is no call of its own: who waits on the line is given to the desk, by this channel."""
        self._met[token] = caller

    def caller_of(self, token: str) -> str | None:
        """Return the channel of the caller whom this callback meets; None: a phone was dialled."""
        return self._met.get(token)

    def callback_of(self, caller: str) -> str | None:
        """Return the token of the callback that meets the caller of this channel."""
        return next((token for token, channel in self._met.items() if channel == caller), None)

    def over(self, token: str, cause: int, *, has_leg: bool) -> None:
        """The call itself has ended. `has_leg`: a phone's leg belongs to it, which tells why, unless met."""
        has_leg = has_leg and token not in self._met
        self._met.pop(token, None)
        self._over[token] = (time.monotonic() + _LEG_S, cause, has_leg)

    def take(self, *, patient: bool) -> tuple[str, Ending] | None:
        """A call that is over, each once; None: none is. `patient`: not one whose leg may still tell why."""
        if self._again:
            return self._again.pop()
        at = time.monotonic()
        for token, (until, _, has_leg) in self._over.items():
            if not (patient and has_leg and at < until) or self._is_known(token):
                return token, self._take(token)
        return None

    def again(self, token: str, ending: Ending) -> None:
        """What was taken could not be written down: it is to be had once more."""
        self._again.append((token, ending))

    def _is_known(self, token: str) -> bool:
        told = token in self._legs or token in self._said
        return told or self._dialled.get(token) == CAPPED_CAUSE  # no phone was dialled

    def _take(self, token: str) -> Ending:
        _, cause, _ = self._over.pop(token)
        cause, said = self._dialled.pop(token, cause), self._said.pop(token, None)
        leg = self._legs.pop(token, cause)
        return Ending(cause if said is not None else leg, said)
