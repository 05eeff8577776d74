"""Lets an official hear, and nobody else, that the agreed minutes of the conversation are nearly over."""

import logging
import time

from sqlalchemy import Engine

from db.engine import reading, writing
from dialer.ami import Ami, NotAccepted
from dialplan.variables import Context, Variable
from hotline import time_left

log = logging.getLogger("dialer")

_LOOK_S = 1.0
_TIMEOUT_S = 5


class Tone:
    """One of the dialer's tasks. Nobody is cut off, and a tone that fails is not tried again."""

    def __init__(self, engine: Engine, ami: Ami) -> None:
        self._engine = engine
        self._ami = ami
        self._next_look = 0.0

    def sound_due(self) -> None:
        """Sound each tone whose time has come, once. Raises AmiError."""
        if time.monotonic() < self._next_look:
            return
        self._next_look = time.monotonic() + _LOOK_S
        with reading(self._engine) as session:
            tokens = [callback.token for callback in time_left.nearly_over(session)]
        for token in tokens:
            with writing(self._engine) as session:
                phone = time_left.take_up(session, token)
            if phone is not None:
                self._sound(phone)

    def _sound(self, phone: str) -> None:
        """One half of the channel plays the tone, the other whispers it into the desk's phone."""
        try:
            self._ami.request(
                "Originate",
                Channel=f"Local/s@{Context.TONE}/n",
                Context=Context.ASIDE.value,
                Exten="s",
                Variable=f"{Variable.HEARS}={phone}",
                Priority=1,
                Timeout=_TIMEOUT_S * 1000,
                Async="true",
            )
        except NotAccepted as error:
            log.warning("no tone: %s", error)
