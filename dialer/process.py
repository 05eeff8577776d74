"""The dialer's process: one connection to Asterisk, one loop, and work only while it has its node's lease."""

import contextlib
import logging
import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial

from asterisk.ami.event import Event
from sqlalchemy import Engine

from db.engine import connect, writing
from db.news import Watch
from dialer import hold_notices
from dialer.ami import Ami
from dialer.asterisk_events import NEWS
from dialer.hang_up import hang_up_placed
from dialer.leader import Leader, create_leadership
from dialer.lease import NodeLease, fence_engine
from dialer.loop import Dialer
from dialer.polling import POLL_S
from dialplan.accounts import AMI_USER
from hotline import heartbeats, watchdog
from settings import Settings

log = logging.getLogger("dialer")

_AGAIN_S = 1.0


def serve(settings: Settings) -> None:
    """Work until the process is told to stop."""
    ami = Ami(settings.ami, AMI_USER, settings.secret_for(AMI_USER))
    engine = connect(settings.database)
    hold_notices.tell_scripts(ami)
    listening = threading.Thread(target=ami.run, daemon=True)
    listening.start()
    watch = Watch(engine)
    threading.Thread(target=_wake, args=(engine, ami, watch, settings.node), daemon=True).start()
    try:
        with _turns(settings, engine, ami, lambda: watch.newest) as turns:
            while listening.is_alive() and turns.are_kept():  # the AMI thread must live to hear events
                turns.take()
                watchdog.record_work()
    finally:
        ami.stop()


def _wake(engine: Engine, ami: Ami, watch: Watch, node: str) -> None:
    """Wake the dialer as soon as anybody has changed anything; without a wake-up it polls.

    A dialer that waits for a hung Asterisk cannot report that, so this thread does.
    """
    while True:
        try:
            news = watch.wait()
            heartbeats.record_answer(engine)
            if ami.hangs():
                with writing(engine) as session:
                    heartbeats.record_hang(session, "asterisk", node)
            if news:
                ami.events.put(Event(NEWS))
        except Exception as error:
            log.warning("nothing is told of changes: %s", type(error).__name__)
            time.sleep(_AGAIN_S)


@contextlib.contextmanager
def _turns(
    settings: Settings, engine: Engine, ami: Ami, newest: Callable[[], int | None] = lambda: None
) -> Iterator["Turns"]:
    """Yield the turns of work. On SQLite, whose file only one machine uses, the leader has the node, too."""
    leads = create_leadership(settings)
    if settings.database.startswith("sqlite"):
        yield Turns(leads, ami, lambda: Dialer(settings, engine, ami, newest=newest))
        return
    lease = NodeLease(settings, partial(hang_up_placed, ami), ami.connected.is_set)
    keepers = [threading.Thread(target=keep, daemon=True) for keep in (lease.guard, lease.run)]
    for each in keepers:
        each.start()

    def begin() -> Dialer:
        epoch = lease.epoch
        ami.may_place_for = lambda: lease.lasts(epoch)
        return Dialer(settings, fence_engine(engine, settings, epoch), ami, leads.leads, newest)

    try:
        yield Turns(lease, ami, begin, keepers, leads.release)
    finally:
        lease.stop()


class Turns:
    """Turns of work while this process has its node's lease.

    Each new lease starts a new dialer, because the old one's memory may be out of date.
    """

    def __init__(
        self,
        lead: Leader,
        ami: Ami,
        begin: Callable[[], Dialer],
        keepers: Sequence[threading.Thread] = (),
        cannot: Callable[[], None] = lambda: None,
    ) -> None:
        """`keepers`: the threads that keep the lease. `cannot`: called while no work can be done."""
        self._keepers = keepers
        self._cannot = cannot
        self._lead = lead
        self._ami = ami
        self._begin = begin
        self._dialer: Dialer | None = None
        self._epoch = 0

    def are_kept(self) -> bool:
        """Return whether the lease can be kept at all; if not, the process must restart."""
        return all(each.is_alive() for each in self._keepers)

    def take(self) -> bool:
        """Do one turn, or drop Asterisk's events for POLL_S. Return whether this process works."""
        if not self._lead.leads():
            self._dialer = None
            self._cannot()
            with contextlib.suppress(queue.Empty):
                self._ami.events.get(timeout=POLL_S)
            return False
        if self._dialer is None or self._epoch != self._lead.epoch:
            self._epoch = self._lead.epoch
            self._dialer = self._begin()
        self._dialer.step()
        if not self._ami.connected.is_set():
            self._cannot()
        return True
