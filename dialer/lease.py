"""Lease of a node: at most one dialer acts for it, and only while the database confirms that.

A thread of its own renews the lease, whatever the dialer waits for. A dialer that cannot renew begins no
call. Such a dialer ends its calls in Asterisk before another node may take over, so that nobody is called
twice. Conversations survive a failover of the database; the node that takes over calls their citizens later
(hotline.callbacks.lost_nodes). Another thread ends calls: it reads a clock and asks only Asterisk.
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
from dialer.asterisk_watchdog import DeadlineFile
from dialer.hang_up import Ends
from dialer.leader import STILL, DatabaseLeader, create_impatient_engine, hash_node_name
from dialer.lost_nodes import close_cut
from hotline.call_deadlines import APOLOGY_S, CONVERSATIONS_S, read_clock
from hotline.nodes import draining, leases, node_identity
from settings import Settings

log = logging.getLogger("dialer")

_LOCK = 138
"""Class of the advisory lock (138, a node's name) of a node's dialers."""
_SHARE = text("SELECT pg_try_advisory_lock_shared(137, 0)")
"""Shared lock that version 0.3.0 takes exclusively: no dialer of it works beside one of this version."""
_RENEW_S, _ALONE_S = 1.0, 3.0
"""Intervals of renewals, in seconds; the second one on an only node."""
_FENCE_S = leases.LEASE.total_seconds()
"""Seconds without a renewal after which calls, except conversations, are ended, within the grace."""
_START_S = 3.0
"""Fence after a start on one of several nodes: how long there was no dialer is unknown."""
_GUARD_S = 0.2
_LOOK_AGAIN_S = 0.5
"""Poll interval without a lease, so that a citizen whom the desk's phone has left is soon released."""
_SAY_AGAIN_S = 60.0
_ASTERISK_S = 10.0
"""Seconds without its Asterisk after which one of several nodes leaves its work to another."""


class HangUp(Protocol):
    """Function that ends the calls that this node has placed (dialer.hang_up)."""

    def __call__(self, *, conversations: bool, apology_until: float) -> Ends:
        """End the calls; with `conversations` those continue. Others may hear an apology for so long."""


class NodeLease(DatabaseLeader):
    """Lease of this process for its node; the dialer's thread asks, two threads of its own maintain it."""

    words = "acts for its node now", "does not act for its node any more"

    def __init__(
        self, settings: Settings, hang_up: HangUp, has_asterisk: Callable[[], bool] = lambda: True
    ) -> None:
        """`has_asterisk`: whether this node's Asterisk answers."""
        super().__init__(settings.database, (_LOCK, hash_node_name(settings.node)))
        self._settings = settings
        self._hang_up = hang_up
        self._has_asterisk = has_asterisk
        self._had_asterisk_at = read_clock()
        self._rows = create_impatient_engine(
            settings.database, pool_size=1, max_overflow=0, hide_parameters=True
        )
        self._at_once = self._rows.execution_options(isolation_level="AUTOCOMMIT")
        """Engine of a renewal, which is one statement and needs no transaction around it."""
        self._others = settings.state_dir / "other-nodes"
        self._alone = not self._others.exists()
        self._parent = DeadlineFile(settings)
        self._apology_until = float("-inf")
        """Time at which each apology must have ended; no renewal is known: the past."""
        self._fence_at = float("inf") if self._alone else self._fence_at_start()
        self._unclean = False
        """Asterisk may have calls that others believe ended, or had calls that were cut."""
        self._ended: frozenset[str] | None = None
        """Tokens of the calls that this dialer has ended since its lease was over; None: it had none."""
        self._told = False
        self._other_said_at: float | None = None
        """Time of the last log entry that another machine has this one's name."""
        self._fencing = threading.Lock()
        """Lock around ending calls and setting the time of their end."""
        self._stopped = threading.Event()

    def leads(self) -> bool:
        """Return whether to act now."""
        return self._leads and read_clock() < self._fence_at

    def lasts(self, epoch: int) -> float:
        """Return the seconds left for a dialer that began in this epoch; 0: none."""
        return max(0.0, self._fence_at - read_clock()) if self._leads and self.epoch == epoch else 0.0

    def run(self) -> None:
        """Keep the lease until `stop`; meant for a thread of its own."""
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
            left = _LOOK_AGAIN_S if self._unclean else self._fence_at - read_clock()
            self._stopped.wait(max(_GUARD_S, min(most, left)))

    def stop(self) -> None:
        """Stop renewing.

        The lease is not given back: this node's next dialer gets it at once, another's in time.
        """
        self._stopped.set()

    def turn(self) -> None:
        """Renew or take the lease."""
        self._look()

    def fence(self) -> None:
        """End the placed calls if the lease has not been renewed for too long.

        Repeat until Asterisk has confirmed it and no conversation is left.
        """
        if self._has_asterisk():
            self._had_asterisk_at = read_clock()
        with self._fencing:
            if self._is_over() and not self._told:
                self._end_calls()

    def _is_over(self) -> bool:
        if read_clock() >= self._fence_at and not self._unclean:
            log.error("node %s: no lease any more: it keeps its conversations only", self._settings.node)
            self._unclean = True
        return self._unclean

    def _end_calls(self, *, lost: bool = False) -> frozenset[str] | None:
        """End the calls; with `lost` also conversations, whose citizens another node may be calling.

        Return the continuing conversations; None if Asterisk could not be told, or while citizens hear the
        apology.
        """
        in_time = read_clock() < self._fence_at + CONVERSATIONS_S
        ended, kept, listens = self._hang_up(
            conversations=in_time and not lost,
            apology_until=float("-inf") if lost else self._apology_until,
        )
        if self._ended is not None:
            self._ended |= ended
        self._told = kept is not None and not kept
        if kept is None and not listens:
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
            return False  # the lease runs out, so that other nodes take over its work
        with writing(self._rows) as session:
            lease = leases.take(session, self._settings)
            draining.expect_ivr(session, self._settings.node)
        self.epoch = lease.epoch
        if lease.lost and not lost:
            return False  # lost a moment ago: end its calls first
        if over:
            close_cut(self._rows, self._settings, self._settings.node, but=kept, ended=self._ended)
        with writing(self._rows) as session:
            cleaned = leases.clean(session, self._settings.node, lease.epoch)
        return cleaned and self._renewed(clean=over)

    def _is_other_machines(self) -> bool:
        """Return whether another machine works under this node's name; then this one does not."""
        said_at = self._other_said_at
        with reading(self._rows) as session:
            sip = leases.find_other_machine(session, self._settings, seen=said_at is not None)
        if sip and (said_at is None or read_clock() >= said_at + _SAY_AGAIN_S):
            self._other_said_at = read_clock()
            log.error("%s", node_identity.describe_conflict(self._settings, sip))
        return sip is not None

    def _stand_by(self) -> None:
        """Set no fence at the start while another dialer of this node works with its own fence."""
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
            self._unclean = True  # no lease until it has an Asterisk and its calls are ended
            return False
        return super()._holds() and self._renewed()

    def _is_without_asterisk(self) -> bool:
        late = read_clock() - self._had_asterisk_at > _ASTERISK_S
        return not self._alone and late and not self._has_asterisk()  # else it slept, like this process

    def _renewed(self, *, clean: bool = False) -> bool:
        """Renew the lease. `clean`: the calls that had to end have ended, and are recorded as cut."""
        asked_at, fences = read_clock(), not self._alone
        with Session(self._at_once) as session:
            renewed = leases.renew(session, self._settings.node, self.epoch, fences=fences)
        with self._fencing:
            if renewed is None:
                self._unclean |= not self._alone  # an only node loses no work
                return False
            if self._is_over() and not clean:
                return False  # too late
            self._unclean = self._told = False
            self._ended = frozenset()
            # the first renewal with others sets a fence, the second without removes it
            self._fence_at = float("inf") if renewed.alone and not fences else asked_at + _FENCE_S
            self._apology_until = asked_at + _FENCE_S + APOLOGY_S
        self._parent.tell(self._fence_at)
        comes = self._alone and not renewed.alone
        self._remember(alone=renewed.alone)
        return self._renewed() if comes else True  # at once, with a fence

    def _fence_at_start(self) -> float:
        """Return the fence at the start, at most the last dialer's: its calls may have ended already."""
        known, soon = self._parent.known_fence(), read_clock() + _START_S
        if known is None:
            return soon
        self._apology_until = known + APOLOGY_S
        return min(soon, known)

    def _remember(self, *, alone: bool) -> None:
        """Store whether this is the only node, for the next dialer's start without the database."""
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


def fence_engine(engine: Engine, settings: Settings, epoch: int) -> Engine:
    """Return the engine of a dialer of this epoch: it commits nothing after the epoch (db.engine.writing)."""
    fence: Callable[[Session], None] = partial(leases.check, name=settings.node, epoch=epoch)
    return engine.execution_options(fence=fence)
