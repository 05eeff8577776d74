"""Reports about the trunk and the scripts to their breakers (hotline.trunk.circuit_breaker).

Only our own calls count, and Asterisk's reports about the trunk. A phone of /phone rings without any trunk,
and a citizen who returns to the music has heard no script.
"""

import logging
import time

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from db import events
from db.engine import reading, writing
from db.models import PlacedCall
from dialer.outcomes import PROVISIONAL, Ending, is_trunk_failure
from dialer.trunks import Trunks
from dialplan.accounts import BROWSER_PHONES
from hotline.callbacks import transitions
from hotline.trunk import circuit_breaker, selection
from settings import Settings

log = logging.getLogger("dialer")

_STARTS_S = 15.0
"""How long after its start ivr may be silent without a fault."""


def is_live_call(session: Session, token: str, settings: Settings) -> bool:
    """Return whether the call of `token` is a live call of ours by the trunk that shows the trunk's health.

    A carrier may refuse the emergency service's short number and carry every other call.
    """
    call = session.get(PlacedCall, token)
    if call is not None and call.number == settings.urgent_number:
        return False
    by_browser = call is not None and settings.browser_phone and call.number in BROWSER_PHONES.values()
    return call is not None and call.ended_at is None and not by_browser


class Trunk:
    """Observer of the trunk, which decides nothing; all state is in the database."""

    def __init__(self, settings: Settings, engine: Engine, trunks: Trunks) -> None:
        self._settings = settings
        self._engine = engine
        self._trunks = trunks
        self._said: str | None = None
        self._is_down = True
        self._started = time.monotonic()

    def rings(self, token: str, leg: str) -> None:
        """Record that the called phone rings, by this channel."""
        name = self._trunks.rings(token, leg)
        with reading(self._engine) as session:
            troubled = circuit_breaker.has_failures(session, circuit_breaker.TRUNK)
            one = name is not None and selection.has_failures(session, name)
            if not (troubled or one) or not is_live_call(session, token, self._settings):
                return
        with writing(self._engine) as session:
            if name:
                selection.record_success(session, name, calls=0)
            if troubled:
                circuit_breaker.record_success(session, circuit_breaker.TRUNK, token)

    def failed(self, token: str, name: str, sip: int) -> None:
        """Record that this trunk did not take the call; the next one is tried."""
        with reading(self._engine) as session:
            if not is_live_call(session, token, self._settings) or self._trunks.is_cut_off(session):
                return
        self._trunks.failed(token, name, sip)

    def over(self, token: str, ending: Ending) -> None:
        """Record whether the trunk took the call, before the call's end is written."""
        name = self._trunks.of(token)
        self._trunks.forget(token)
        if name is None:  # no phone was dialled
            return
        with writing(self._engine) as session:
            if not is_live_call(session, token, self._settings):
                return
            if is_trunk_failure(ending):
                log.warning("%s: trunk %s did not take it (%s)", token, name, ending.sip or "silence")
                if not self._trunks.is_cut_off(session):
                    selection.record_failure(session, name, token, ending.sip or 0)
            else:
                selection.record_success(session, name)

    def as_heard(self, token: str, ending: Ending) -> Ending:
        """Return the call's ending, without the SIP status if the trunk fell silent while the phone rang.

        It is unknown then whether the phone rang or was answered: that is no fault of its owner.
        """
        if ending.sip not in PROVISIONAL:
            return ending
        name = self._trunks.of(token)
        with reading(self._engine) as session:
            row = selection.find_states(session, [name]).get(name) if name else None
            answers = row.answers if row else circuit_breaker.is_answering_options(session)
            silent = answers is False or self._trunks.is_cut_off(session)
            silent = silent and is_live_call(session, token, self._settings)
        return ending._replace(sip=0) if silent else ending

    def script_spoke(self, token: str) -> None:
        """Record that a script has spoken; a confirmed citizen who only waits again proves nothing."""
        with reading(self._engine) as session:
            if not circuit_breaker.has_failures(session, circuit_breaker.SCRIPTS) or not _goes_on(
                session, token
            ):
                return
            callback = transitions.find_by_token(session, token)
            if callback and callback.confirmed_at:
                return
        with writing(self._engine) as session:
            circuit_breaker.record_success(session, circuit_breaker.SCRIPTS, token)

    def script_failed(self, token: str) -> None:
        """Record that a called person picked up and no script spoke; other channels prove nothing."""
        with reading(self._engine) as session:
            if not _goes_on(session, token):
                return
        with writing(self._engine) as session:
            circuit_breaker.record_failure(session, circuit_breaker.SCRIPTS, token)

    def rest(self) -> None:
        """Close the trunk's breaker if nobody is left to prove that calls flow.

        Call it after all due calls.
        """
        if not self._is_down:
            return
        with reading(self._engine) as session:
            if not circuit_breaker.may_close_unproven(session):
                return
        with writing(self._engine) as session:
            circuit_breaker.close_unproven(session)

    def look(self) -> None:
        """Report to the pages and the log when calls stop or flow again."""
        with reading(self._engine) as session:
            down = circuit_breaker.find_outage(session)
        self._is_down = down is not None
        says = down.why if down else "up"
        if says == self._said or (says == "ivr" and time.monotonic() < self._started + _STARTS_S):
            return
        if down or self._said:
            log.log(logging.ERROR if down else logging.INFO, "calls: %s", says)
            with writing(self._engine) as session:
                events.append_telephone(session, "down" if down else "up")
        self._said = says


def _goes_on(session: Session, token: str) -> bool:
    call = session.get(PlacedCall, token)
    return call is not None and call.ended_at is None
