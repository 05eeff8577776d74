"""Clips that only an official hears, for example shortly before the agreed minutes are over."""

import logging
import time

from sqlalchemy import Engine

from db.engine import now, reading, writing
from dialer.ami import Ami, NotAccepted
from dialer.originate import say_aside
from dialer.patient_clock import PatientClock
from dialplan.variables import NEARLY_OVER
from hotline.callbacks import time_left

log = logging.getLogger("dialer")

_LOOK_S = 1.0
_LONGEST_S = 36_000.0
"""No conversation is agreed to last longer (`minutes` of a round: at most 600)."""


class Tone:
    """Task of the dialer. The task cuts nobody off, and does not repeat a failed tone."""

    def __init__(self, engine: Engine, ami: Ami, node: str | None = None) -> None:
        self._engine = engine
        self._ami = ami
        self._node = node
        self._clock = PatientClock(_LONGEST_S)
        self._next_look = 0.0

    def sound_due(self) -> None:
        """Play each due tone once. Raises AmiError."""
        if time.monotonic() < self._next_look:
            return
        self._next_look = time.monotonic() + _LOOK_S
        with reading(self._engine) as session:
            at = self._clock.read(now(session))
            tokens = [callback.token for callback in time_left.list_nearly_over(session, at, self._node)]
        for token in tokens:
            with writing(self._engine) as session:
                phone = time_left.take_up(session, token)
            if phone is not None:
                self.sound(phone, NEARLY_OVER)

    def sound(self, phone: str, clip: str) -> None:
        """Play the clip to this phone's channel alone. Raises AmiError."""
        try:
            say_aside(self._ami, phone, clip)
        except NotAccepted as error:
            log.warning("no tone: %s", error)
