"""A node's dialer under its lease: one process of all with the node's name, while the database says so.

A thread of its own renews it, whatever the dialer waits for. A dialer that cannot renew begins no call, and
ends those that it has placed in its own Asterisk before anybody else may take over, but for conversations: so
nobody is called twice. Conversations outlive a failover of the database; the node that takes over calls their
citizens later (hotline.callbacks.lost_nodes). Ending is another thread's work, which looks at a clock and
asks nothing but Asterisk.
"""

import contextlib
import logging
import threading
from collections.abc import Callable
from functools import partial
from typing import Protocol

from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from db.engine import reading, writing
from dialer.asterisks_parent import AsterisksParent
from dialer.leader import STILL, DatabaseLeader, impatient, key_of
from dialer.lost_nodes import close_cut
from hotline.calls_until import CONVERSATIONS_S, clock
from hotline.nodes import leases, machines
from settings import Settings

log = logging.getLogger("dialer")

_LOCK = 138
"""(138, a node's name) is the advisory lock of its dialers."""
_SHARE = text("SELECT pg_try_advisory_lock_shared(137, 0)")
"""The dialers of version 0.3.0 have this lock for themselves: so none of them works beside one of these."""
_RENEW_S, _ALONE_S = 1.0, 3.0
"""So often; less often on the only node."""
_FENCE_S = leases.LEASE.total_seconds()
"""Without a renewal for so long all that was placed is ended but conversations, before the grace is over."""
_START_S = 3.0
"""So soon after its start, if this node was not the only one: how long there was no dialer, nobody knows."""
_GUARD_S = 0.2
_LOOK_AGAIN_S = 0.5
"""Without a lease: a citizen whom the desk's phone has left is not kept for longer."""
_SAY_AGAIN_S = 60.0
_ASTERISK_S = 10.0
"""Without its Asterisk for so long a node of several leaves its work to another."""


class HangUp(Protocol):
    """Ends the calls that this node has placed (dialer.hang_up)."""

    def __call__(self, *, conversations: bool) -> frozenset[str] | None:
        """With `conversations` those go on, and their tokens are returned; None: Asterisk was not told."""


class NodeLease(DatabaseLeader):
    """Whether this process acts for its node. Asked from the dialer's thread, kept by two of its own."""

    words = "acts for its node now", "does not act for its node any more"

    def __init__(
        self, settings: Settings, hang_up: HangUp, has_asterisk: Callable[[], bool] = lambda: True
    ) -> None:
        """`has_asterisk`: whether this node's Asterisk answers."""
        super().__init__(settings.database, (_LOCK, key_of(settings.node)))
        self._settings = settings
        self._hang_up = hang_up
        self._has_asterisk = has_asterisk
        self._had_asterisk_at = clock()
        self._rows = impatient(settings.database, pool_size=1, max_overflow=0, hide_parameters=True)
        self._at_once = self._rows.execution_options(isolation_level="AUTOCOMMIT")
        """For a renewal, which is one statement: no transaction is begun and ended around it."""
        self._others = settings.state_dir / "other-nodes"
        self._alone = not self._others.exists()
        self._parent = AsterisksParent(settings)
        self._fence_at = float("inf") if self._alone else self._fence_at_start()
        self._unclean = False
        """Its Asterisk may have calls that others have taken for ended, or has had calls that were cut."""
        self._told = False
        self._other_said_at: float | None = None
        """When it was said that another machine has this one's name."""
        self._fencing = threading.Lock()
        """Who holds it ends calls, or says from when on they are to be ended."""
        self._stopped = threading.Event()

    def leads(self) -> bool:
        """Whether to act now."""
        return self._leads and clock() < self._fence_at

    def lasts(self, epoch: int) -> float:
        """For how many seconds to act for whoever began in this epoch; 0: not any more."""
        return max(0.0, self._fence_at - clock()) if self._leads and self.epoch == epoch else 0.0

    def run(self) -> None:
        """Keep it until `stop`; meant for a thread of its own."""
        while not self._stopped.is_set():
            try:
                self.turn()
            except Exception:
                log.exception("node %s: its lease cannot be kept now", self._settings.node)
                self._leads = False
            self._stopped.wait(_ALONE_S if self._leads and self._alone else _RENEW_S)

    def guard(self) -> None:
        """End all calls when the lease is over, whatever `run` waits for; meant for a thread of its own."""
        while not self._stopped.is_set():
            try:
                self.fence()
            except Exception:
                log.exception("node %s: its calls cannot be ended now", self._settings.node)
            most = _ALONE_S if self._alone else _RENEW_S
            left = _LOOK_AGAIN_S if self._unclean else self._fence_at - clock()
            self._stopped.wait(max(_GUARD_S, min(most, left)))

    def stop(self) -> None:
        """Let go of it. It is not given back: this node's next dialer has it at once, another's in time."""
        self._stopped.set()

    def turn(self) -> None:
        """Renew or take it."""
        self._look()

    def fence(self) -> None:
        """End what was placed if it has not been renewed for too long.

        Again until Asterisk has heard it, and no conversation goes on.
        """
        if self._has_asterisk():
            self._had_asterisk_at = clock()
        with self._fencing:
            if self._is_over() and not self._told:
                self._end_calls()

    def _is_over(self) -> bool:
        if clock() >= self._fence_at and not self._unclean:
            log.error("node %s: no lease any more: it keeps its conversations only", self._settings.node)
            self._unclean = True
        return self._unclean

    def _end_calls(self, *, lost: bool = False) -> frozenset[str] | None:
        """End the calls; `lost`: the conversations, too, whose citizens another node may be calling by now.

        Returns the conversations that go on; None: Asterisk could not be told.
        """
        in_time = clock() < self._fence_at + CONVERSATIONS_S
        kept = self._hang_up(conversations=in_time and not lost)
        self._told = kept is not None and not kept
        if kept is None:
            log.warning("node %s: its Asterisk could not be told to end its calls", self._settings.node)
        return kept

    def _take(self) -> bool:
        has_lock = super()._take()
        if self._is_other_machines():
            super().close()
            return False
        if not has_lock:
            self._stand_by()
            return False
        if not self._is_no_other_versions():
            return False
        with reading(self._rows) as session:
            lost = leases.is_lost(session, self._settings.node)
        kept: frozenset[str] | None = frozenset()
        with self._fencing:
            self._unclean |= lost
            if over := self._is_over():
                kept = self._end_calls(lost=lost)
        if kept is None:
            return False  # and the lease is left to run out, so that others see to its work
        with writing(self._rows) as session:
            lease = leases.take(session, self._settings)
        self.epoch = lease.epoch
        if lease.lost and not lost:
            return False  # just now: to be ended first
        if over:
            close_cut(self._rows, self._settings, self._settings.node, but=kept)
        with writing(self._rows) as session:
            cleaned = leases.clean(session, self._settings.node, lease.epoch)
        return cleaned and self._renewed(clean=over)

    def _is_other_machines(self) -> bool:
        """Whether another machine works under this node's name: then this one does not."""
        said_at = self._other_said_at
        with reading(self._rows) as session:
            sip = leases.at_other_machine(session, self._settings, seen=said_at is not None)
        if sip and (said_at is None or clock() >= said_at + _SAY_AGAIN_S):
            self._other_said_at = clock()
            log.error("%s", machines.word(self._settings, sip))
        return sip is not None

    def _stand_by(self) -> None:
        """At its start: another dialer of this node is at work, and has its own fence."""
        if self.epoch == 0 and self._connection is not None and self._connection.scalar(STILL):
            with self._fencing:
                if not self._is_over():
                    self._fence_at = float("inf")

    def _is_no_other_versions(self) -> bool:
        shared = self._connection is not None and bool(self._connection.scalar(_SHARE))
        if not shared:
            log.warning("node %s: a dialer of the version before is at work", self._settings.node)
        return shared

    def _holds(self) -> bool:
        if self._is_without_asterisk():
            log.error("node %s: no Asterisk: its work is left to another", self._settings.node)
            self._unclean = True  # until it has one, and its calls are ended, it takes no lease
            return False
        return super()._holds() and self._renewed()

    def _is_without_asterisk(self) -> bool:
        late = clock() - self._had_asterisk_at > _ASTERISK_S
        return not self._alone and late and not self._has_asterisk()  # or it slept, as this process did

    def _renewed(self, *, clean: bool = False) -> bool:
        """`clean`: the calls that were to end have been ended, and are written down as cut."""
        asked_at, fences = clock(), not self._alone
        with Session(self._at_once) as session:
            renewed = leases.renew(session, self._settings.node, self.epoch, fences=fences)
        with self._fencing:
            if renewed is None:
                self._unclean |= not self._alone  # of the only node nobody can have taken the work
                return False
            if self._is_over() and not clean:
                return False  # too late
            self._unclean = self._told = False
            # with the first renewal that says so it begins to fence, with the second it ends
            self._fence_at = float("inf") if renewed.alone and not fences else asked_at + _FENCE_S
        self._parent.tell(self._fence_at)
        comes = self._alone and not renewed.alone
        self._remember(alone=renewed.alone)
        return self._renewed() if comes else True  # now: so that another may take its work

    def _fence_at_start(self) -> float:
        """Of those that the last dialer has said, too: what it had placed may have been ended already."""
        known, soon = self._parent.known_fence(), clock() + _START_S
        return soon if known is None else min(soon, known)

    def _remember(self, *, alone: bool) -> None:
        """Whether this is the only node, for its next dialer: the database may be away when that starts."""
        if alone is self._alone:
            return
        self._alone = alone
        with contextlib.suppress(OSError):
            if alone:
                self._others.unlink(missing_ok=True)
            else:
                self._others.parent.mkdir(parents=True, exist_ok=True)
                self._others.touch()

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
