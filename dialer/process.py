"""The dialer's process: one connection to Asterisk, one loop, and work only while this one leads."""

import contextlib
import queue
import threading
from collections.abc import Callable

from db.engine import connect
from dialer.ami import Ami
from dialer.dialer import POLL_S, Dialer
from dialer.leader import Leader, leader
from dialplan.accounts import AMI_USER
from hotline import watchdog
from settings import Settings


def serve(settings: Settings) -> None:
    """Work until the process is told to stop."""
    ami = Ami(settings.ami, AMI_USER, settings.secret_for(AMI_USER))
    engine = connect(settings.database)
    listening = threading.Thread(target=ami.run, daemon=True)
    listening.start()
    turns = Turns(leader(settings), ami, lambda: Dialer(settings, engine, ami))
    try:
        while listening.is_alive():  # without it nothing of Asterisk's would ever be heard
            turns.take()
            watchdog.worked()
    finally:
        ami.stop()


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
