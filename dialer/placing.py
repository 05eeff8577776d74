"""Placing of requested callbacks: each is taken up once, then dialled, or connected with its caller."""

import logging
from datetime import timedelta

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from db.engine import now, reading, writing
from db.models import Callback
from db.states import Outcome
from dialer.ami import Ami, NotAccepted
from dialer.callback_writer import CallbackWriter
from dialer.caps import Caps
from dialer.hangup_causes import HangupCauses
from dialer.live import Live
from dialer.originate import originate
from dialer.outcomes import NEVER_BEGAN
from dialplan.variables import Context
from hotline.callbacks import closing, placing, transitions, waiting_callers
from hotline.line import blocked
from hotline.nodes import round_affinity
from hotline.trunk import call_caps
from settings import Settings

log = logging.getLogger("dialer")


class Placing:
    """Task of the dialer, on the dialer's connection and thread."""

    def __init__(
        self,
        settings: Settings,
        engine: Engine,
        ami: Ami,
        *,
        caps: Caps,
        writer: CallbackWriter,
        live: Live,
        endings: HangupCauses,
    ) -> None:
        self._settings = settings
        self._engine = engine
        self._ami = ami
        self._caps = caps
        self._writer = writer
        self._live = live
        self._endings = endings

    def place_asked(self) -> None:
        """Place all requested calls."""
        with reading(self._engine) as session:
            waiting = placing.list_to_place(session, self._settings.node)
        for token in waiting:
            self.place(token)

    def place(self, token: str) -> None:
        """Place the call once, or connect the desk with the caller on the line."""
        node = self._settings.node
        with writing(self._engine) as session:
            asked = transitions.find_by_token(session, token)
            if asked is None or not round_affinity.settle(session, asked.round_id, node, hold=True):
                return
            callback = placing.take_up(session, token, node)
            if callback is None or self._is_taken_back(session, callback):
                return
            caller = self._live.caller(session, callback)
            call = None if caller else self._call(session, callback)
        if caller:
            self._endings.meets(token, caller)
            self._live.meet(callback, caller)
        elif call:
            self._originate(call)

    def _is_taken_back(self, session: Session, callback: Callback) -> bool:
        """Return the citizen to the line, as if never taken, if the call must not be placed any more."""
        called_at, placed_at = callback.called_at, callback.placed_at
        stale = not (called_at and placed_at) or placed_at - called_at > placing.STALE
        if not (
            callback.hangup_asked_at
            or blocked.is_blocked(session, callback.registration.number)
            or stale
            or waiting_callers.has_just_left(session, callback.registration_id)
            or waiting_callers.is_left_elsewhere(session, callback.registration_id, self._settings.node)
        ):
            return False
        closing.close(session, callback.token, Outcome.RETURNED, self._settings)
        return True

    def _call(self, session: Session, callback: Callback) -> call_caps.CallPermit | None:
        """Record the call to the number; None if it may not be placed, and the citizen is back in line."""
        number = callback.registration.number
        owed = placing.is_owed(session, callback)
        call = call_caps.claim_call(session, callback.token, number, self._settings, owed=owed)
        if isinstance(call, call_caps.Cap):
            self._capped(session, callback, call)
            return None
        return call

    def _originate(self, call: call_caps.CallPermit) -> None:
        try:
            originate(self._ami, self._settings, call, Context.CALLBACK)
        except NotAccepted as error:
            log.error("%s: not placed: %s", call.token, error)
            self._caps.ended(call.token, NEVER_BEGAN)
            self._writer.close(call.token, Outcome.FAILED)
            return
        log.info("%s: placed", call.token)

    def _capped(self, session: Session, callback: Callback, cap: call_caps.Cap) -> None:
        """Return the citizen to the line as if never taken, or with a wait until the number may be called."""
        if cap is call_caps.Cap.PER_NUMBER:
            until = call_caps.find_next_free_at(session, callback.registration.number, self._settings)
            closing.close(session, callback.token, Outcome.FAILED, self._settings, until=until)
            log.error("%s: not placed: this number has been called too often", callback.token)
        elif cap is call_caps.Cap.NOT_ALLOWED:
            until = now(session) + timedelta(seconds=self._settings.retry_seconds)
            closing.close(session, callback.token, Outcome.FAILED, self._settings, until=until)
        else:
            closing.close(session, callback.token, Outcome.RETURNED, self._settings)
            self._caps.reached(cap)
