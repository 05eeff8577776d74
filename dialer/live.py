"""Live calls: callers who wait on the line get a desk that takes live calls, without a dialled phone."""

import logging

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from db.engine import reading, writing
from db.models import Callback
from db.states import CallbackState, Outcome
from dialer import originate
from dialer.ami import Ami, NotAccepted
from dialer.caps import Caps
from dialer.tone import Tone
from dialplan.variables import LIVE_CALL
from hotline.callbacks import closing, direct_routing, waiting_callers
from settings import Settings

log = logging.getLogger("dialer")


class Live:
    """Task of the dialer."""

    def __init__(self, settings: Settings, engine: Engine, ami: Ami, caps: Caps, tone: Tone) -> None:
        self._settings = settings
        self._engine = engine
        self._ami = ami
        self._caps = caps
        self._tone = tone

    def give(self) -> None:
        """Give each free desk the next of the operators' line while anybody waits on it. Raises AmiError."""
        with reading(self._engine) as session:
            if not direct_routing.has_work(session) or not waiting_callers.is_here(
                session, self._settings.node
            ):
                return
        with writing(self._engine) as session:
            if not waiting_callers.settle(session, self._settings.node):
                return
        may_dial = self._caps.room() > 0
        while True:
            with writing(self._engine) as session:
                desk = direct_routing.give(session, may_dial=may_dial)
                channel = desk.channel if desk else None
            if desk is None:
                return
            log.info("desk %d: gets the next of the operators' line", desk.id)
            if channel:
                self._tone.sound(channel, LIVE_CALL)

    def caller(self, session: Session, callback: Callback) -> str | None:
        """Return the channel of the caller whom this taken-up callback meets; None: its number is dialled."""
        caller = waiting_callers.find(session, callback.registration_id)
        if caller is None:
            return None
        callback.on_the_line = True
        return caller.channel

    def meet(self, callback: Callback, caller: str) -> None:
        """Connect the callback with the caller of this channel; a refusal loses nobody. Raises AmiError."""
        token = callback.token
        try:
            originate.connect_waiting_caller(self._ami, token, caller, callback.registration.language)
        except NotAccepted as error:
            log.error("%s: not connected: %s", token, error)
            with writing(self._engine) as session:
                closing.close(session, token, Outcome.RETURNED, self._settings)
                waiting_callers.record_hangup(session, callback.registration_id)
            return
        log.info("%s: meets a caller on the line", token)


def has_hung_up(callback: Callback) -> bool:
    """Return whether a caller who waited on the line has gone without talking."""
    waited = (CallbackState.DIALING, CallbackState.RINGING, CallbackState.ANSWERED, CallbackState.WAITING)
    return callback.on_the_line and callback.state in waited
