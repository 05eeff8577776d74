"""Tells Asterisk whether this node is being drained: then the SIP proxy's new callers go to another one."""

import time

from sqlalchemy import Engine

from db.engine import reading
from dialer.ami import Ami
from dialplan.variables import Variable
from hotline.nodes import leases
from settings import Settings

_LOOK_S = 2.0


class Draining:
    """Without a proxy before it nobody else could take them."""

    def __init__(self, settings: Settings, engine: Engine, ami: Ami) -> None:
        self._node = settings.node if settings.sip_proxy else ""
        self._engine = engine
        self._ami = ami
        self._next_look = 0.0

    def tell(self) -> None:
        """Let Asterisk, which may have been started anew, know what is true. Raises AmiError."""
        if not self._node or time.monotonic() < self._next_look:
            return
        self._next_look = time.monotonic() + _LOOK_S
        with reading(self._engine) as session:
            drains = "1" if leases.drains(session, self._node) else ""
        if self._ami.value(Variable.DRAINS) != drains:
            self._ami.request("Setvar", Variable=Variable.DRAINS.value, Value=drains)
