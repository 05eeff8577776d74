"""What all calls that are no callbacks have in common: placed once by a token, and ended by it."""

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
from dialer.outcomes import NEVER_BEGAN, Ending, ours
from dialplan.variables import Context
from hotline.callbacks.toll import CallPermit
from settings import Settings

log = logging.getLogger("dialer")

AT_ONCE = 5
"""Of one kind."""
SHARE = 0.5
"""Of each cap, at most: whoever has them called, callbacks always find the other half."""


class SystemCalls(ABC):
    """One more task of the dialer; it shares the dialer's connection and thread."""

    context: Context
    """Where the dialplan goes on when such a call is answered."""
    apology_is_a_try = False
    """Whether a call in which somebody heard an apology counts: who can be called later is not rung again at
    once. Otherwise it is our own fault alone."""

    def __init__(self, settings: Settings, engine: Engine, ami: Ami, caps: Caps) -> None:
        self._settings = settings
        self._engine = engine
        self._ami = ami
        self._caps = caps

    @abstractmethod
    def owns(self, token: str) -> bool:
        """Whether a channel's id can be the token of such a call."""

    @abstractmethod
    def _end(self, session: Session, token: str, *, ours: bool) -> None:
        """Record that the call is over; `ours`: it came to nothing by our own fault."""

    @abstractmethod
    def on_the_phone(self, session: Session) -> Mapping[str, datetime]:
        """The tokens of the calls whose end is not known, and when each was placed."""

    def _room(self) -> int:
        """How many more may be placed now."""
        with reading(self._engine) as session:
            busy = len(self.on_the_phone(session))
        return max(0, min(AT_ONCE - busy, self._caps.room(SHARE)))

    def _originate(self, call: CallPermit, extension: str = "s", meets: str = "") -> None:
        """Place a call whose token is committed. Raises AmiError: nobody knows what became of it."""
        try:
            originate(self._ami, self._settings, call, self.context, extension=extension, meets=meets)
        except NotAccepted as error:
            log.error("%s: not placed: %s", call.token, error)
            self._caps.ended(call.token, NEVER_BEGAN)
            self.ended(call.token, ours=True)

    def rings(self, token: str) -> None:  # noqa: B027  (most do not care)
        """The telephone rings."""

    def said(self, token: str, trunk: str, sip: int, *, goes_on: bool) -> None:  # noqa: B027
        """What a trunk said of the call (SIP; 0: nothing), and whether the next one is tried."""

    def came(self, token: str, stage: str) -> None:  # noqa: B027
        """The dialplan tells how far the call has come."""

    def joined(self, token: str, room: str) -> None:  # noqa: B027
        """The call has come into a desk's room."""

    def over(self, token: str, ending: Ending) -> None:
        """The channel has ended so."""
        self.ended(token, ours=ours(ending))

    def script_failed(self, token: str) -> None:
        """Somebody picked up, and heard an apology."""
        self.ended(token, ours=not self.apology_is_a_try)

    def ended(self, token: str, *, ours: bool = False) -> None:
        """The call is over; `ours`: it came to nothing by our own fault, and is not counted."""
        with writing(self._engine) as session:
            self._end(session, token, ours=ours)
