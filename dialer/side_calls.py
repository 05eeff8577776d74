"""What all calls that are no callbacks have in common: placed once by a token, and ended by it."""

import logging
from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from db.engine import reading, writing
from dialer.ami import Ami, NotAccepted
from dialer.caps import Caps
from dialer.originate import originate
from dialplan.variables import Context
from hotline.toll import Call
from settings import Settings

log = logging.getLogger("dialer")


class SideCalls(ABC):
    """One more task of the dialer; it shares the dialer's connection and thread."""

    context: Context
    """Where the dialplan goes on when such a call is answered."""

    def __init__(self, settings: Settings, engine: Engine, ami: Ami, caps: Caps) -> None:
        self._settings = settings
        self._engine = engine
        self._ami = ami
        self._caps = caps

    @abstractmethod
    def _end(self, session: Session, token: str) -> None:
        """Record that the call is over."""

    @abstractmethod
    def _on_the_phone(self, session: Session, *, for_s: float = 0.0) -> Sequence[str]:
        """The tokens of the calls placed so many seconds ago or longer whose end is not known."""

    def _originate(self, call: Call, extension: str = "s") -> None:
        """Place a call whose token is committed. Raises AmiError: nobody knows what became of it."""
        try:
            originate(self._ami, self._settings, call, self.context, extension=extension)
        except NotAccepted as error:
            log.error("%s: not placed: %s", call.token, error)
            self._caps.ended(call.token)
            self.ended(call.token)

    def ended(self, token: str) -> None:
        """The call is over."""
        with writing(self._engine) as session:
            self._end(session, token)

    def reconcile(self, live: Collection[str], *, older_than_s: float) -> bool:
        """End every call that Asterisk, who lists `live`, knows nothing of any more.

        Returns whether some are too young to say: ask again.
        """
        with reading(self._engine) as session:
            missing = [t for t in self._on_the_phone(session) if t not in live]
            gone = [t for t in self._on_the_phone(session, for_s=older_than_s) if t in missing]
        for token in gone:
            self.ended(token)
        return len(gone) < len(missing)
