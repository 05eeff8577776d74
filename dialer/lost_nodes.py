"""Takeover of lost nodes' work, and moves of rounds from drained nodes."""

import logging
import time
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from sqlalchemy import Engine
from sqlalchemy.exc import InterfaceError, OperationalError

from db.engine import reading, writing
from dialer import leader
from hotline.call_deadlines import APOLOGY_S
from hotline.callbacks import lost_nodes
from hotline.nodes import leases, round_affinity
from settings import Settings

log = logging.getLogger("dialer")

_LOOK_S = 1.0
_SILENT_S = leases.LEASE.total_seconds() + APOLOGY_S
"""Silence after which a node, or its Asterisk's parent, has ended all calls except conversations, and every
apology (dialer.lease).
"""
_LEFT_S = 7.0
"""How long a desk's phone must be at another node until its citizen's line there has ended. Asterisk notices
a browser's missing audio within 5 s, and ends the line of a citizen who is alone.
"""
_FOLLOWS_S = 30.0
"""How long a round waits for the desks of its conversations. After that others of the line are called first.
"""


class Silence:
    """Silence of nodes, measured by a clock that never jumps.

    The database's clock may jump: it is adjusted, or another server's is ahead. Then all leases are over
    until their next renewals.
    """

    def __init__(self) -> None:
        self._since: dict[str, tuple[datetime, float]] = {}

    def look(self, renewals: Mapping[str, datetime]) -> None:
        """Note the nodes' last renewals; call it repeatedly."""
        at = time.monotonic()
        for name, until in renewals.items():
            if name not in self._since or self._since[name][0] != until:
                self._since[name] = until, at

    def lasts(self, name: str) -> bool:
        """Return whether this node has been silent for _SILENT_S."""
        return time.monotonic() - self._since[name][1] >= _SILENT_S


class LostNodes:
    """Task of the leading dialer; the others watch, so that each can lead at once."""

    def __init__(self, settings: Settings, engine: Engine) -> None:
        self._settings = settings
        self._engine = engine
        self._next_look = 0.0
        self._silence = Silence()
        """Silence since this dialer's start: after an outage a node that returns a little later is not dead.
        """
        self._left_since: dict[str, float] = {}
        """Map a callback's token to the moment since when its desk's phone is at another node."""
        self._phones: dict[str, str | None] = {}
        """Map a callback's token to the phone that was at the citizen's node (`DeskOfCitizen.phone`)."""
        self._lost_since: dict[str, float] = {}

    def take_over(self, *, leads: bool = True) -> bool:
        """Take over each lost node.

        Return whether there was one: some of its calls are now this dialer's to end.
        """
        if time.monotonic() < self._next_look:
            return False
        self._next_look = time.monotonic() + _LOOK_S
        with reading(self._engine) as session:
            renewals = leases.list_lease_ends(session)
            if renewals.keys() <= {self._settings.node}:
                return False
            self._silence.look(renewals)
            left, at = self._find_left(lost_nodes.list_desks(session)), time.monotonic()
        self._left_since = {token: self._left_since.get(token, at) for token in left}
        if not leads:
            self._depose()
            return False
        with reading(self._engine) as session:
            dead = [name for name in lost_nodes.list_dead(session) if self._silence.lasts(name)]
            may_move = round_affinity.list_drained(session)
        self._lost_since = {name: since for name, since in self._lost_since.items() if name in dead}
        for name in dead:
            try:
                self._take_over(name)
            except leases.Fenced as fenced:
                log.warning("%s", fenced)
        if may_move:
            with writing(self._engine) as session:
                round_affinity.move_idle(session)
        return bool(dead)

    def _find_left(self, desks: Sequence[lost_nodes.DeskOfCitizen]) -> list[str]:
        """Return the tokens of the citizens whose desk's phone is at another node now.

        A phone of another sign-in is no move: the desk's first phone may still be with the citizen.
        """
        known = {each.token: self._phones[each.token] for each in desks if each.token in self._phones}
        self._phones = known | {each.token: each.phone for each in desks if each.here}
        away = [each for each in desks if each.elsewhere]
        return [each.token for each in away if self._phones.get(each.token, each.phone) == each.phone]

    def _depose(self) -> None:
        """Depose a dead node's dialer: a stopped process keeps its session, and so the lock."""
        with reading(self._engine) as session:
            over = [node.name for node in leases.list_dead(session) if self._silence.lasts(node.name)]
            hung = [name for name in over if leader.is_led_by(session, name)]
        for name in hung:
            try:
                with writing(self._engine) as session:
                    epoch = leases.declare_dead(session, name)
                if epoch is None:
                    continue
                with writing(self._engine) as session:
                    leases.check_lost(session, name, epoch)
                    leader.depose(session, name)
                log.error("node %s hangs: its dialer leads no more", name)
            except leases.Fenced as fenced:
                log.warning("%s", fenced)

    def _take_over(self, name: str) -> None:
        with writing(self._engine) as session:
            epoch = lost_nodes.declare_dead(session, name, self._settings.node)
        if epoch is None:
            return
        at = time.monotonic()
        if name not in self._lost_since:
            log.error("node %s is gone: its work is taken over", name)
            self._lost_since[name] = at
        with reading(self._engine) as session:
            talking = lost_nodes.list_in_conversation(session, name)
        going_on = {token for token in talking if self._left_since.get(token, at) > at - _LEFT_S}
        waits = at < self._lost_since[name] + _FOLLOWS_S
        close_cut(
            self._engine,
            self._settings,
            name,
            epoch,
            but=going_on if waits else (),
            later=() if waits else going_on,
        )
        with writing(self._engine) as session:
            leases.check_lost(session, name, epoch)
            rounds = lost_nodes.free_rounds(session, name)
        if rounds:
            log.warning("node %s: %d rounds are free for other nodes", name, rounds)


def close_cut(
    engine: Engine,
    settings: Settings,
    name: str,
    lost_in: int | None = None,
    *,
    but: Collection[str] = (),
    later: Collection[str] = (),
    ended: Collection[str] | None = None,
) -> None:
    """Close each callback whose call was cut with the node. A failure to close one stops no other.

    `lost_in`: only while the node is lost in this epoch. `but`: callbacks that continue. `later`: callbacks
    that may continue, and whose citizens are not called before their end. `ended`: the calls that this node
    has ended, if it lives; the reconciler learns of its other conversations. Raises leases.Fenced.
    """
    with reading(engine) as session:
        tokens = [token for token in lost_nodes.list_cut(session, name, ended) if token not in but]
    for token in tokens:
        try:
            with writing(engine) as session:
                if lost_in is not None:
                    leases.check_lost(session, name, lost_in)
                lost_nodes.close(session, token, settings, may_go_on=token in later)
            log.warning("%s: %s with node %s", token, "perhaps not cut" if token in later else "cut", name)
        except (OperationalError, InterfaceError, leases.Fenced):
            raise
        except Exception:
            log.exception("%s: cut with node %s, and cannot be closed", token, name)
