"""Desk phones that must leave: without a right to the room, or on another node than their round."""

import logging
import time

from sqlalchemy import Engine

from db.engine import reading
from dialer.ami import Ami, NotAccepted
from dialplan.variables import REPLACED_CAUSE
from hotline.nodes import phones
from hotline.people import desk_admission
from settings import Settings

log = logging.getLogger("dialer")

_LOOK_S = 1.0


class EmptyDesks:
    """Task of the dialer. The desk's next person finds no other browser in the room."""

    def __init__(self, settings: Settings, engine: Engine, ami: Ami) -> None:
        self._settings = settings
        self._engine = engine
        self._ami = ami
        self._node = settings.node
        self._next_look = 0.0

    def hang_up(self) -> None:
        """Hang up each such phone so that it does not call back by itself. Raises AmiError."""
        if time.monotonic() < self._next_look:
            return
        self._next_look = time.monotonic() + _LOOK_S
        with reading(self._engine) as session:
            left = desk_admission.list_unwelcome_phones(session, self._settings, self._node)
            astray = phones.list_astray(session, self._node) if self._node else []
        for desk, channel in left:
            self._end(channel, f"desk {desk}: its phone may not be in the room any more, it is hung up")
        for desk, channel in astray:
            self._end(channel, f"desk {desk}: its phone is hung up, and signs in at the node of its round")

    def _end(self, channel: str, why: str) -> None:
        try:
            self._ami.request("Hangup", Channel=channel, Cause=REPLACED_CAUSE)
            log.info(why)
        except NotAccepted:
            pass  # the channel has ended
