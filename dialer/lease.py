"""A node's dialer under its lease: one process of all with the node's name, while the database says so.

A thread of its own renews it, whatever the dialer waits for. Who cannot renew ends all calls that it has
placed in its own Asterisk before anybody else may take over, and begins none: so nobody is called twice.
"""

import logging
import re
import threading
import time
import zlib
from collections.abc import Callable, Sequence
from functools import partial

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from db.engine import writing
from dialer.ami import Ami, AmiError
from dialer.leader import DatabaseLeader, impatient
from dialer.originate import token_of
from hotline.nodes import leases
from settings import Settings

log = logging.getLogger("dialer")

_LOCK = 138
"""(138, a node's name) is the advisory lock of its dialers."""
_RENEW_S, _ALONE_S = 1.0, 3.0
"""So often; less often on the only node."""
_FENCE_S = leases.LEASE.total_seconds() / 2
"""Without a renewal for so long all that was placed is ended. What the database is asked meanwhile it
answers, or does not, within four seconds more."""
_PLACED = re.compile(r"[a-z]+(-\d+)?-[0-9a-f]{32}")


def clock() -> float:
    """Seconds that go on while the process is stopped, and while the machine sleeps."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class NodeLease(DatabaseLeader):
    """Whether this process acts for its node. Asked from the dialer's thread, kept by its own."""

    def __init__(self, settings: Settings, hang_up: Callable[[], bool]) -> None:
        """`hang_up`: ends every call that this node has placed; whether all were told to."""
        super().__init__(settings.database, (_LOCK, zlib.crc32(settings.node.encode()) & 0x7FFFFFFF))
        self._settings = settings
        self._hang_up = hang_up
        self._rows = impatient(settings.database, pool_size=1, max_overflow=0, hide_parameters=True)
        self._fence_at = float("inf")
        self._unclean = False
        """Its Asterisk may have calls that others have taken for ended."""
        self._stopped = threading.Event()

    def leads(self) -> bool:
        """Whether to act now."""
        return self._leads and clock() < self._fence_at

    def holds(self, epoch: int) -> bool:
        """Whether to act now for whoever began in this epoch."""
        return self.leads() and self.epoch == epoch

    def run(self) -> None:
        """Keep it until `stop`; meant for a thread of its own."""
        while not self._stopped.is_set():
            self.turn()
            alone = self._leads and self._fence_at == float("inf")
            self._stopped.wait(_ALONE_S if alone else _RENEW_S)

    def stop(self) -> None:
        """Let go of it. It is not given back: this node's next dialer has it at once, another's in time."""
        self._stopped.set()

    def turn(self) -> None:
        """Renew or take it; end what was placed if that has not been possible for too long."""
        if clock() >= self._fence_at:
            if not self._unclean:
                log.error("node %s: no lease any more: all its calls are ended", self._settings.node)
            self._unclean, self._leads = True, False
            self._ended()
        self._look()
        if self._leads and clock() >= self._fence_at:  # it was stopped meanwhile
            self._leads = False

    def _ended(self) -> bool:
        if self._hang_up():
            return True
        log.warning("node %s: its Asterisk could not be told to end its calls", self._settings.node)
        return False

    def _take(self) -> bool:
        asked_at = clock()
        if not super()._take():
            return False
        with writing(self._rows) as session:
            lease = leases.take(session, self._settings)
        self.epoch = lease.epoch
        self._unclean |= lease.lost
        if self._unclean and not self._ended():
            return False
        self._unclean = False
        with writing(self._rows) as session:
            cleaned = leases.clean(session, self._settings.node, lease.epoch)
        self._fence_at = float("inf")
        return cleaned and self._renewed(asked_at)

    def _holds(self) -> bool:
        return super()._holds() and self._renewed(clock())

    def _renewed(self, asked_at: float) -> bool:
        with writing(self._rows) as session:
            renewed = leases.renew(session, self._settings.node, self.epoch)
        if renewed is None:
            self._unclean = True
            return False
        self._fence_at = float("inf") if renewed.alone else asked_at + _FENCE_S
        return True

    def close(self) -> None:
        """End the session, and with it the node's lock."""
        super().close()
        try:
            self._rows.dispose()
        except SQLAlchemyError as error:
            log.debug("a connection did not close: %s", type(error).__name__)


def fenced(engine: Engine, settings: Settings, epoch: int) -> Engine:
    """The same, for a dialer that began in this epoch: it commits nothing after it (db.engine.writing)."""
    fence: Callable[[Session], None] = partial(leases.check, name=settings.node, epoch=epoch)
    return engine.execution_options(fence=fence)


def hang_up_placed(ami: Ami) -> bool:
    """End every call that we have placed, whatever it is for. Whether Asterisk was told of each."""
    try:
        channels: Sequence[str] = [c.keys.get("Uniqueid", "") for c in ami.live_channels()]
        ours = sorted({token_of(each) for each in channels if _PLACED.fullmatch(token_of(each))})
        return all([_end(ami, token) for token in ours])
    except AmiError as error:
        log.warning("Asterisk: %s", error)
        return False


def _end(ami: Ami, token: str) -> bool:
    try:
        ami.request("Hangup", Channel=token, Cause=16)
        log.warning("%s: ended with the lease of this node", token)
    except AmiError as error:
        log.info("%s: not ended: %s", token, error)
    return True
