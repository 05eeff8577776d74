"""Base of all calls that are no callbacks: placed once by a token, and ended by it."""

import logging
from abc import ABC, abstractmethod
from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from db.engine import reading, writing
from dialer.ami import Ami, NotAccepted
from dialer.caps import Caps
from dialer.originate import originate
from dialer.outcomes import NEVER_BEGAN, Ending, is_own_fault
from dialplan.variables import Context
from hotline.trunk.call_caps import CallPermit
from settings import Settings

log = logging.getLogger("dialer")

AT_ONCE = 5
"""How many calls of one kind may be in progress."""
SHARE = 0.5
"""The part of each cap that a kind may use: callbacks always find the other half."""


class SystemCalls(ABC):
    """Task of the dialer that shares the dialer's connection and thread."""

    context: Context
    """Context of the dialplan for an answered call."""
    apology_is_a_try = False
    """Whether a call with our apology counts as an attempt. Otherwise it is our own fault, and costs none."""

    def __init__(self, settings: Settings, engine: Engine, ami: Ami, caps: Caps) -> None:
        self._settings = settings
        self._engine = engine
        self._ami = ami
        self._caps = caps

    @abstractmethod
    def owns(self, token: str) -> bool:
        """Return whether a channel's id can be the token of such a call."""

    @abstractmethod
    def _end(self, session: Session, token: str, *, ours: bool) -> None:
        """Record that the call is over; `ours`: it failed by our own fault."""

    @abstractmethod
    def on_the_phone(self, session: Session) -> Mapping[str, datetime]:
        """Return the tokens of the calls without a known end, with the time when each was placed."""

    def _room(self) -> int:
        """Return how many more calls may be placed now."""
        with reading(self._engine) as session:
            busy = len(self.on_the_phone(session))
        return max(0, min(AT_ONCE - busy, self._caps.room(SHARE)))

    def _originate(self, call: CallPermit, extension: str = "s", meets: str = "") -> None:
        """Place a call whose token is committed. Raises AmiError: the call's fate is unknown then."""
        try:
            originate(self._ami, self._settings, call, self.context, extension=extension, meets=meets)
        except NotAccepted as error:
            log.error("%s: not placed: %s", call.token, error)
            self._caps.ended(call.token, NEVER_BEGAN)
            self.ended(call.token, ours=True)

    def rings(self, token: str) -> None:  # noqa: B027  (most do not care)
        """Handle that the telephone rings."""

    def said(self, token: str, trunk: str, sip: int, *, goes_on: bool) -> None:  # noqa: B027
        """Handle a trunk's SIP response (0: none); `goes_on`: the dialer tries the next trunk."""

    def came(self, token: str, stage: str) -> None:  # noqa: B027
        """Handle the stage that the dialplan reports."""

    def joined(self, token: str, room: str) -> None:  # noqa: B027
        """Handle the entry of the call into a desk's room."""

    def over(self, token: str, ending: Ending) -> None:
        """Handle the end of the channel."""
        self.ended(token, ours=is_own_fault(ending))

    def script_failed(self, token: str) -> None:
        """Handle that a person answered and heard an apology."""
        self.ended(token, ours=not self.apology_is_a_try)

    def ended(self, token: str, *, ours: bool = False) -> None:
        """Record that the call is over; `ours`: it failed by our own fault, and is not counted."""
        with writing(self._engine) as session:
            self._end(session, token, ours=ours)
