"""Count of the calls that the caps leave free, and its log entries."""

import logging
import time
from datetime import datetime

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from db.engine import reading, writing
from dialer.outcomes import UNSEEN, Ending, is_own_fault, is_trunk_failure, is_trunk_success
from dialer.trunk import is_live_call
from dialplan.variables import CAPPED_CAUSE
from hotline.callbacks import placing
from hotline.nodes import draining
from hotline.trunk import call_caps, circuit_breaker
from settings import Settings

log = logging.getLogger("dialer")

_SAY_AGAIN_S = 60.0
_FULL_S = 1.0
"""How long no call is placed after the dialplan found no free channel; then the count is correct again."""
_BUSY = call_caps.Cap.AT_ONCE, call_caps.Cap.CHANNELS
"""Caps that a busy evening reaches: the next call starts as one ends."""


class Caps:
    """Caps, asked before a citizen is taken out of a line, so that no cap costs anybody anything."""

    def __init__(self, settings: Settings, engine: Engine) -> None:
        self._settings = settings
        self._engine = engine
        self._said_at = -_SAY_AGAIN_S
        self._full_until = 0.0

    def room(self, share: float = 1.0) -> int:
        """Return how many calls may be placed besides the requested ones."""
        if time.monotonic() < self._full_until:
            return 0
        with reading(self._engine) as session:
            calls, cap = call_caps.find_capacity(session, self._settings, share, node=self._settings.node)
            asked = len(placing.list_to_place(session, self._settings.node))
        if calls <= 0:
            self.reached(cap)
        return max(calls - asked, 0)

    def reached(self, cap: call_caps.Cap) -> None:
        """Log once a minute that calls are held back."""
        if time.monotonic() > self._said_at + _SAY_AGAIN_S:
            self._said_at = time.monotonic()
            level = logging.WARNING if cap in _BUSY else logging.ERROR
            log.log(level, "no call is placed now: %s", cap)

    def ended(self, token: str, ending: Ending = UNSEEN) -> None:
        """Record that the call of `token` is over or never began, for its line and the trunk's breaker."""
        if ending.cause == CAPPED_CAUSE and ending.sip is None:
            self._full_until = time.monotonic() + _FULL_S
            self.reached(call_caps.Cap.CHANNELS)
        with writing(self._engine) as session:
            if is_live_call(session, token, self._settings):
                if is_trunk_failure(ending):
                    # If this node is cut off, the trunk is not to blame.
                    if not draining.is_cut_off(session, self._settings.node):
                        circuit_breaker.record_failure(session, circuit_breaker.TRUNK, token)
                elif is_trunk_success(ending) and circuit_breaker.has_failures(
                    session, circuit_breaker.TRUNK
                ):
                    circuit_breaker.record_success(session, circuit_breaker.TRUNK, token)
            call_caps.record_end(session, token, ours=is_own_fault(ending))
            circuit_breaker.record_end(session, token)

    def on_the_phone(self, session: Session) -> dict[str, datetime]:
        """Return the tokens of all calls that hold a line, and when each was placed."""
        return call_caps.list_open_calls(session, self._settings.node)
