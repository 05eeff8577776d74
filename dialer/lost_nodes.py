"""Takes over the work of nodes that are gone, and moves rounds from nodes that are being drained."""

import logging
import time

from sqlalchemy import Engine
from sqlalchemy.exc import InterfaceError, OperationalError

from db.engine import reading, writing
from hotline.callbacks import lost_nodes
from hotline.nodes import homes, leases
from settings import Settings

log = logging.getLogger("dialer")

_LOOK_S = 1.0


class LostNodes:
    """One of the tasks of the dialer that leads."""

    def __init__(self, settings: Settings, engine: Engine) -> None:
        self._settings = settings
        self._engine = engine
        self._next_look = time.monotonic() + leases.GRACE.total_seconds()
        """After an outage those that come back a little later than this one are no dead ones."""

    def take_over(self) -> bool:
        """See to each node that is gone. Whether any was: then some of its calls are this one's to end."""
        if time.monotonic() < self._next_look:
            return False
        self._next_look = time.monotonic() + _LOOK_S
        with reading(self._engine) as session:
            dead, may_move = lost_nodes.found(session), homes.some_drain(session)
        for name in dead:
            try:
                self._take_over(name)
            except leases.Fenced as fenced:
                log.warning("%s", fenced)
        if may_move:
            with writing(self._engine) as session:
                homes.move_idle(session)
        return bool(dead)

    def _take_over(self, name: str) -> None:
        with writing(self._engine) as session:
            epoch = lost_nodes.begin(session, name, self._settings.node)
        if epoch is None:
            return
        log.error("node %s is gone: its work is taken over", name)
        close_cut(self._engine, self._settings, name, epoch)
        with writing(self._engine) as session:
            leases.check_lost(session, name, epoch)
            rounds = lost_nodes.free(session, name)
        log.warning("node %s: %d rounds are free for other nodes", name, rounds)


def close_cut(engine: Engine, settings: Settings, name: str, lost_in: int | None = None) -> None:
    """Close each callback whose call was cut with the node. One that cannot be closed stops no other.

    `lost_in`: only while the node is lost in this epoch. Raises leases.Fenced.
    """
    with reading(engine) as session:
        tokens = lost_nodes.cut(session, name)
    for token in tokens:
        try:
            with writing(engine) as session:
                if lost_in is not None:
                    leases.check_lost(session, name, lost_in)
                lost_nodes.close(session, token, settings)
            log.warning("%s: cut with node %s", token, name)
        except (OperationalError, InterfaceError, leases.Fenced):
            raise
        except Exception:
            log.exception("%s: cut with node %s, and cannot be closed", token, name)
