"""The dialer's process: one connection to Asterisk, one loop, and work only while this one leads."""

import contextlib
import logging
import queue
import threading
import time
from collections.abc import Callable

from asterisk.ami.event import Event

from db.engine import connect
from db.news import Watch
from dialer.ami import Ami
from dialer.dialer import Dialer
from dialer.leader import Leader, leader
from dialer.pace import POLL_S
from dialplan.accounts import AMI_USER
from hotline import watchdog
from settings import Settings

log = logging.getLogger("dialer")

_AGAIN_S = 1.0


def serve(settings: Settings) -> None:
    """Work until the process is told to stop."""
    ami = Ami(settings.ami, AMI_USER, settings.secret_for(AMI_USER))
    engine = connect(settings.database)
    listening = threading.Thread(target=ami.run, daemon=True)
    listening.start()
    threading.Thread(target=_wake, args=(Watch(engine), ami), daemon=True).start()
    turns = Turns(leader(settings), ami, lambda: Dialer(settings, engine, ami))
    try:
        while listening.is_alive():  # without it nothing of Asterisk's would ever be heard
            turns.take()
            watchdog.worked()
    finally:
        ami.stop()


def _wake(watch: Watch, ami: Ami) -> None:
    """Begin the dialer's turn as soon as anybody has changed anything; without it, it looks by itself."""
    while True:
        try:
            if watch.wait():
                ami.events.put(Event("News"))
        except Exception as error:
            log.warning("nothing is told of changes: %s", type(error).__name__)
            time.sleep(_AGAIN_S)


class Turns:
    """One turn of work after another, while this process leads.

    Each time it comes to lead, a new dialer begins: what an old one remembered may be long out of date.
    """

    def __init__(self, lead: Leader, ami: Ami, begin: Callable[[], Dialer]) -> None:
        self._lead = lead
        self._ami = ami
        self._begin = begin
        self._dialer: Dialer | None = None

    def take(self) -> bool:
        """Do one turn, or let what Asterisk tells go by for POLL_S. Returns whether this process leads."""
        if not self._lead.leads():
            self._dialer = None
            with contextlib.suppress(queue.Empty):
                self._ami.events.get(timeout=POLL_S)
            return False
        self._dialer = self._dialer or self._begin()
        self._dialer.step()
        return True
