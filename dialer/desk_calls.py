"""Calls the desks' telephones that their people ask for; each is let into its room with a PIN."""

import logging
from datetime import datetime

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from db.engine import reading, writing
from dialer.ami import Ami, NotAccepted
from dialer.caps import Caps
from dialer.originate import originate
from dialplan.accounts import desk_of_channel
from dialplan.variables import Context
from hotline import desk_phones, toll
from settings import Settings

log = logging.getLogger("dialer")


def desk_of(channel: str, channel_id: str) -> int | None:
    """Which desk's phone this channel is: one that dialled in, or a telephone that was called.

    Both are Asterisk's own word: the account in the channel's name, or the id that we gave it.
    """
    dialled_in = desk_of_channel(channel)
    return desk_phones.desk_of_token(channel_id) if dialled_in is None else dialled_in


class DeskCalls:
    """One of the dialer's tasks; that a telephone has come into its room is seen as of every phone."""

    def __init__(self, settings: Settings, engine: Engine, ami: Ami, caps: Caps) -> None:
        self._settings = settings
        self._engine = engine
        self._ami = ami
        self._caps = caps

    def place_asked(self) -> None:
        """Call the telephones that are asked for. Raises AmiError."""
        with reading(self._engine) as session:
            asked = desk_phones.asked(session)
        for desk in asked:
            self._place(desk)

    def _place(self, desk: int) -> None:
        with writing(self._engine) as session:
            call = desk_phones.take_up(session, desk, self._settings)
        if isinstance(call, toll.Cap):
            self._caps.reached(call)
        if not isinstance(call, toll.Call):
            return
        try:
            originate(self._ami, self._settings, call, Context.OFFICIAL, extension=str(desk))
        except NotAccepted as error:
            log.error("desk %d: its telephone is not called: %s", desk, error)
            self._caps.ended(call.token)
            self.ended(call.token)
            return
        log.info("desk %d: its telephone is called", desk)

    def ended(self, token: str) -> None:
        """The call is over."""
        with writing(self._engine) as session:
            desk_phones.ended(session, token)

    def on_the_phone(self, session: Session) -> dict[str, datetime]:
        """The tokens of calls on their way, and when each was placed."""
        return desk_phones.on_the_phone(session)
