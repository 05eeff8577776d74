"""What the dialer hears of the trunk and of the scripts, told to their breakers (hotline.callbacks.breaker).

Only what our own calls show counts, and what Asterisk says of the trunk itself: a phone of /phone rings
without any trunk, and a citizen who comes back to music has spoken with no script.
"""

import logging
from collections.abc import Callable

from asterisk.ami.event import Event
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from db import events
from db.engine import reading, writing
from db.models import PlacedCall
from dialer.ami import Ami, NotAccepted
from dialer.outcomes import PROVISIONAL, Ending
from dialplan.accounts import BROWSER_PHONES, TRUNK_ALIVE
from hotline.callbacks import breaker, callbacks
from settings import Settings

log = logging.getLogger("dialer")

_ANSWERS = {"Reachable": True, "Unreachable": False}


def carries(session: Session, token: str, settings: Settings) -> bool:
    """Whether the call of `token` is one of ours that goes on, by the trunk, and shows how that is.

    A carrier may well refuse the short number of the emergency service, and carry every other call.
    """
    call = session.get(PlacedCall, token)
    if call is not None and call.number == settings.urgent_number:
        return False
    by_browser = call is not None and settings.browser_phone and call.number in BROWSER_PHONES.values()
    return call is not None and call.ended_at is None and not by_browser


class Trunk:
    """It decides nothing; what it knows is in the database."""

    def __init__(self, settings: Settings, engine: Engine, ami: Ami) -> None:
        self._settings = settings
        self._engine = engine
        self._ami = ami
        self._said: str | None = None
        self._missed = True
        self._heard = 0

    def rings(self, token: str) -> None:
        """The phone that this call asked for rings."""
        with reading(self._engine) as session:
            troubled = breaker.troubled(session, breaker.TRUNK)
            if not troubled or not carries(session, token, self._settings):
                return
        with writing(self._engine) as session:
            breaker.worked(session, breaker.TRUNK, token)

    def as_heard(self, token: str, ending: Ending) -> Ending:
        """The ending of this call; one whose phone rang on while the trunk had fallen silent tells nothing.

        Nobody knows then whether it rang at all, or was picked up: that is no fault of its owner.
        """
        if ending.sip not in PROVISIONAL:
            return ending
        with reading(self._engine) as session:
            silent = breaker.knows(session) is False and carries(session, token, self._settings)
        return ending._replace(sip=0) if silent else ending

    def script_spoke(self, token: str) -> None:
        """A script has spoken in this call; not so with who is confirmed already and only waits again."""
        with reading(self._engine) as session:
            if not breaker.troubled(session, breaker.SCRIPTS) or not _goes_on(session, token):
                return
            callback = callbacks.by_token(session, token)
            if callback and callback.confirmed_at:
                return
        with writing(self._engine) as session:
            breaker.worked(session, breaker.SCRIPTS, token)

    def script_failed(self, token: str) -> None:
        """Somebody whom we called picked up, and no script spoke with them; other channels say nothing."""
        with reading(self._engine) as session:
            if not _goes_on(session, token):
                return
        with writing(self._engine) as session:
            breaker.failed(session, breaker.SCRIPTS, token)

    def on_contact(self, event: Event) -> None:
        """Asterisk tells whether the trunk answers when it is asked how it is."""
        if event.keys.get("AOR") == TRUNK_ALIVE:
            self._heard += 1
            self._answers(event.keys.get("ContactStatus", ""))

    def missed(self) -> None:
        """What Asterisk has told of late may not have been heard."""
        self._missed = True

    def catch_up(self, handle_events: Callable[[], object]) -> None:
        """Ask how the trunk is if that was missed; `handle_events` that came since: they know better.

        Raises AmiError.
        """
        if not self._missed:
            return
        try:
            contact = self._ami.value(f"PJSIP_AOR({TRUNK_ALIVE},contact)")
            status = self._ami.value(f"PJSIP_CONTACT({contact},status)")
        except NotAccepted as error:
            log.warning("nobody knows how the trunk is: %s", error)
            status = ""
        self._missed, heard = False, self._heard
        handle_events()
        if heard == self._heard:
            self._answers(status)

    def _answers(self, status: str) -> None:
        yes = _ANSWERS.get(status)
        with reading(self._engine) as session:
            if yes is None or yes == breaker.knows(session):
                return
        with writing(self._engine) as session:
            breaker.answers(session, yes=yes)

    def rest(self) -> None:
        """After all who are due were called: whether anybody is left to show that calls flow again."""
        with reading(self._engine) as session:
            if not breaker.may_rest(session):
                return
        with writing(self._engine) as session:
            breaker.rest(session)

    def look(self) -> None:
        """Tell the pages, and the log, when calls stop or flow again."""
        with reading(self._engine) as session:
            down = breaker.down(session)
        says = down.why if down else "up"
        if says == self._said:
            return
        if down or self._said:
            log.log(logging.ERROR if down else logging.INFO, "calls: %s", says)
            with writing(self._engine) as session:
                events.telephone_changed(session, "down" if down else "up")
        self._said = says


def _goes_on(session: Session, token: str) -> bool:
    call = session.get(PlacedCall, token)
    return call is not None and call.ended_at is None
