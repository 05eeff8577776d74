"""Commands about nodes: list them, drain one, give up one, remove one."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, exists, func, or_, select
from sqlalchemy.orm import Session

from db.engine import now
from db.models import Callback, CallerNow, Desk, Node, PlacedCall, Round
from hotline import audit, heartbeats
from hotline.errors import Refused
from hotline.nodes import draining, leases, round_affinity


class State(NamedTuple):
    """A node as an administrator sees it."""

    name: str
    state: str
    """One of live, draining, no-asterisk, no-trunk, no-ivr, silent, gone.

    No-asterisk: it does not answer. No-trunk: only other nodes reach a trunk. No-ivr: its ivr is away.
    Silent: its lease has ended, and nobody has its work yet.
    """
    sip: str
    websocket_url: str
    capacity: int
    free: int
    rounds: int
    calls: int
    """Callbacks in progress, and other placed calls; each counts once."""
    desks: int
    lease_until: datetime
    started_at: datetime


def list_all(session: Session) -> Sequence[State]:
    """Return all nodes that were ever seen and not removed, by name."""
    at = now(session)
    return [_state(session, node, at) for node in session.scalars(select(Node).order_by(Node.name))]


def _state(session: Session, node: Node, at: datetime) -> State:
    goes_on = Round.node == node.name, Round.ended_at.is_(None), Round.cancelled_at.is_(None)
    lasts = or_(Round.ends_at > at, Round.is_operators_line, _under_way(node.name))
    its_callback = exists().where(Callback.token == PlacedCall.token, _calls(node.name))
    placed = PlacedCall.node == node.name, PlacedCall.ended_at.is_(None), ~its_callback
    counts = (
        select(func.count()).select_from(Round).where(*goes_on, lasts),
        select(func.count()).select_from(Callback).where(_calls(node.name)),
        select(func.count()).select_from(PlacedCall).where(*placed),
        select(func.count()).select_from(Desk).where(Desk.node == node.name, Desk.phone_connected),
    )
    rounds, callbacks, others, desks = (session.scalar(each) or 0 for each in counts)
    return State(
        name=node.name,
        state=describe_state(node, at, draining.list_cut_off(session), hung=_hangs(session, node)),
        sip=node.sip,
        websocket_url=node.websocket_url,
        capacity=node.capacity,
        free=round_affinity.count_free_calls(session, node),
        rounds=rounds,
        calls=callbacks + others,
        desks=desks,
        lease_until=node.lease_until,
        started_at=node.started_at,
    )


def _calls(name: str) -> ColumnElement[bool]:
    return and_(Callback.node == name, Callback.ended_at.is_(None))


def _under_way(name: str) -> ColumnElement[bool]:
    return exists().where(Callback.round_id == Round.id, _calls(name))


def list_states(session: Session) -> dict[str, str]:
    """Return the state of each node by name.

    While no node could renew its lease, the state before that counts (`heartbeats`).
    """
    at = now(session)
    cut_off = draining.list_cut_off(session)
    found = session.scalars(select(Node).order_by(Node.name))
    return {
        node.name: describe_state(node, _as_of(session, node, at), cut_off, hung=_hangs(session, node))
        for node in found
    }


def _hangs(session: Session, node: Node) -> bool:
    return heartbeats.is_hung(session, "asterisk", node.name)


def _as_of(session: Session, node: Node, at: datetime) -> datetime:
    renewed = node.lease_until - leases.LEASE
    excused = at > node.lease_until and heartbeats.is_excused(session, at - renewed, leases.LEASE)
    return renewed if excused else at


def list_unheard(session: Session) -> dict[str, datetime]:
    """Return the nodes that are gone and were not drained, with the end of their leases.

    After a gap of the database all leases have just ended, so such a node is left out. A single node is left
    out as well.
    """
    at = now(session)
    every = session.scalars(select(Node).order_by(Node.name)).all()
    gone = [each for each in every if describe_state(each, _as_of(session, each, at)) == "gone"]
    return {each.name: each.lease_until for each in gone if len(every) > 1 and not each.draining_at}


def list_without_trunk(session: Session) -> dict[str, datetime]:
    """Return the nodes that are cut off from the trunks, and since when."""
    cut_off = [session.get_one(Node, name) for name in sorted(draining.list_cut_off(session))]
    return {node.name: node.trunk_told_at for node in cut_off if node.trunk_told_at}


def describe_state(node: Node, at: datetime, cut_off: Collection[str] = (), *, hung: bool = False) -> str:
    """Return the node's state in one word.

    `cut_off`: names of nodes cut off from the trunks. `hung`: its Asterisk does not answer.
    """
    if not leases.is_live(node, at):
        return "gone" if node.lost_at or node.lease_until < at - leases.GRACE else "silent"
    if node.draining_at:
        return "draining"
    if hung or node.name in cut_off:
        return "no-asterisk" if hung else "no-trunk"
    is_mute = node.ivr_at is not None and node.ivr_at < at - draining.SILENT
    return "no-ivr" if is_mute else "live"


def drain(session: Session, name: str, *, who: str, drained: bool = True) -> Node:
    """Give the node no new rounds, or undo that. Raises Refused("not-found" | "last-node")."""
    # lock all: two commands must not drain the last two nodes
    session.scalars(select(Node).order_by(Node.name).with_for_update(key_share=True)).all()
    node = _get(session, name)
    takers = {each.name for each in leases.list_live(session) if not each.draining_at}
    if drained and not takers - draining.list_cut_off(session) - {name}:
        raise Refused("last-node", f"no other node lives that would take the work of node {name}")
    if (node.draining_at is not None) is not drained:
        node.draining_at = now(session) if drained else None
        audit.record(session, who, "node-drained" if drained else "node-undrained", f"node {name}")
    return node


def count_in_progress(session: Session, name: str) -> dict[str, int]:
    """Count what is in progress there, by kind: rounds, calls, callers. Empty for a node that is gone."""
    node = session.get(Node, name)
    if node is None or describe_state(node, now(session)) == "gone":
        return {}
    state = _state(session, node, now(session))
    callers = select(func.count()).where(CallerNow.node == name)
    counts = {
        "rounds": state.rounds,
        "calls": state.calls,
        "callers": session.scalar(callers) or 0,
    }
    return {kind: count for kind, count in counts.items() if count}


def give_up(session: Session, name: str, *, who: str) -> None:
    """Record that a dead node's machine is off, as its administrator confirms, so that its work can be taken.

    Only a node that never knew of another needs this. Raises Refused("not-found").
    """
    node = _get(session, name)
    if describe_state(node, now(session)) == "gone" and not node.fences:
        node.fences = True
        audit.record(session, who, "node-given-up", f"node {name}")


def remove(session: Session, name: str, *, who: str) -> None:
    """Remove a node for good. Raises Refused("not-found" | "node-at-work").

    If another node lives, it must take over the work first (`give_up`).
    """
    node = _get(session, name)
    at_work = select(
        exists().where(Round.node == name, Round.ended_at.is_(None), Round.cancelled_at.is_(None))
    )
    if describe_state(node, now(session)) != "gone" or session.scalar(select(exists().where(_calls(name)))):
        state = describe_state(node, now(session))
        what = "it may come back: again in a moment" if state == "silent" else "stop it first"
        raise Refused("node-at-work", f"node {name} is {state}: {what}")
    if session.scalar(at_work) or (node.lost_at is None and leases.list_live(session)):
        raise Refused("node-at-work", f"nobody has taken the work of node {name} yet: again in a moment")
    session.delete(node)
    audit.record(session, who, "node-removed", f"node {name}")


def _get(session: Session, name: str) -> Node:
    node = session.get(Node, name, with_for_update=True)
    if node is None:
        raise Refused("not-found", f"no node {name!r}")
    return node
