"""The home of a round: the node that serves it.

It is chosen at the round's first service, and again after the node's failure or drain.
"""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import ColumnElement, String, and_, bindparam, exists, func, or_, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from db import events
from db.engine import now
from db.models import (
    Callback,
    CallerNow,
    Desk,
    Node,
    PlacedCall,
    Registration,
    Round,
    WaitingCaller,
)
from hotline.nodes import draining, leases

NODE = bindparam("node", type_=String)
"""Parameter of a prepared query: the node whose rows are wanted; None: all rows."""


def where_mine(column: InstrumentedAttribute[str | None]) -> ColumnElement[bool]:
    """Condition with the parameter NODE: the row belongs to the node, or to none yet."""
    return or_(column.is_(None), column == NODE, NODE.is_(None))


_HOME = select(Round.node).where(Round.id == bindparam("round"))
# Locks only a row with this home: shared locks of two nodes on a row without a home would block both updates.
_IS_HOME = _HOME.where(Round.node == bindparam("node", type_=String)).with_for_update(read=True)


_HELD_HOME = _HOME.with_for_update(key_share=True)


def find_node_of_round(session: Session, round_id: int) -> str | None:
    """Return the node of the round, or None if nobody has served it yet."""
    return session.execute(_HOME, {"round": round_id}).scalar()


_AT_WORK = (
    select(Round.node)
    .join(Node, Node.name == Round.node)
    .where(
        Round.is_operators_line,
        *leases.where_live(),
        ~draining.where_drained(Round.node),
    )
)


def find_node_of_operators_line(session: Session) -> str | None:
    """Return the node of the operators' line if it is alive and not drained, else None.

    Only on that node can a caller who presses 0 reach a desk.
    """
    return session.execute(_AT_WORK, {"at": now(session)}).scalar()


def settle(session: Session, round_id: int, node: str, *, hold: bool = False) -> bool:
    """Return whether the round's home is this node; choose a home if it has none.

    With several live nodes the transaction that chooses returns False: ask again. `hold` keeps the home until
    the transaction ends; call it then before changing any row.
    """
    if hold and keep_home(session, round_id, node):
        return True
    at_home = find_node_of_round(session, round_id)
    if at_home is not None:
        return at_home == node and not hold
    alive = leases.list_live(session)
    chosen = choose(session, alive, node, round_id)
    # lock the line before the row: those who take from the line continue in this order
    events.hold_line(session, round_id)
    settled = (
        update(Round)
        .where(Round.id == round_id, Round.node.is_(None))
        .values(node=chosen)
        .execution_options(synchronize_session=False)
    )
    session.execute(settled)
    if len(alive) > 1:
        events.append_round(session, round_id, "moved")
        return False  # the event log is locked now, and no row lock may be waited for after it
    return chosen == node and find_node_of_round(session, round_id) == node


def keep_home(session: Session, round_id: int, node: str) -> bool:
    """Return whether the round's home is this node, and keep it until the transaction ends.

    Call it before changing any row.
    """
    return session.execute(_IS_HOME, {"round": round_id, "node": node}).scalar() is not None


def hold(session: Session, round_id: int) -> str | None:
    """Lock the round's home and return it; only this transaction may then move the round.

    Call it before changing any row, and not after `keep_home`: two transactions that do both would deadlock.
    """
    return session.execute(_HELD_HOME, {"round": round_id}).scalar()


def move(session: Session, round_id: int, node: str) -> None:
    """Move the round, which `hold` has locked, to this node."""
    moved = update(Round).where(Round.id == round_id).values(node=node)
    session.execute(moved.execution_options(synchronize_session=False))
    events.append_round(session, round_id, "moved")


def choose(session: Session, alive: Sequence[Node], node: str, round_id: int | None = None) -> str:
    """Choose a live node for a round: most waiting callers, then most connected desks, then most free
    capacity.

    Waiting callers come first because they cannot move. A desk counts if it serves the round or has one of
    its citizens. Full, draining and cut-off nodes are chosen last. Without live nodes, `node` is returned.
    """
    if not alive:
        return node
    waiting = _waiting(session, round_id) if len(alive) > 1 else {}
    desks = _desks(session, round_id) if len(alive) > 1 else {}
    room = {each.name: count_free_calls(session, each) for each in alive}
    drains = {each.name: each.draining_at is not None for each in alive}
    cut_off = draining.list_cut_off(session)

    def rank(name: str) -> tuple[bool, bool, bool, int, int, int, bool, str]:
        return (
            name not in cut_off,
            not drains[name],
            room[name] > 0,
            waiting.get(name, 0),
            desks.get(name, 0),
            room[name],
            name == node,
            name,
        )

    return max(room, key=rank)


def _waiting(session: Session, round_id: int | None) -> dict[str, int]:
    there = (
        select(WaitingCaller.node, func.count())
        .join(Registration, Registration.id == WaitingCaller.registration_id)
        .where(WaitingCaller.left_at.is_(None), Registration.round_id == round_id)
    )
    return {name: count for name, count in session.execute(there.group_by(WaitingCaller.node)) if name}


def _desks(session: Session, round_id: int | None) -> dict[str, int]:
    by_hand = exists().where(
        Callback.desk_id == Desk.id, Callback.round_id == round_id, Callback.ended_at.is_(None)
    )
    at_work = select(Desk.node, func.count()).where(
        or_(Desk.round_id == round_id, by_hand), Desk.phone_connected, Desk.node.is_not(None)
    )
    return {name: count for name, count in session.execute(at_work.group_by(Desk.node)) if name}


def count_free_calls(session: Session, node: Node) -> int:
    """Return how many more calls the node can carry, besides connected desks, callers and placed calls."""
    desks = select(func.count()).where(Desk.node == node.name, Desk.phone_connected)
    placed = select(func.count()).where(PlacedCall.node == node.name, PlacedCall.ended_at.is_(None))
    callers = select(func.count()).where(CallerNow.node == node.name)
    return node.capacity - sum(session.scalar(each) or 0 for each in (desks, placed, callers))


_ELSEWHERE = exists().where(Round.id == Desk.round_id, Round.node != Desk.node)


def where_elsewhere() -> ColumnElement[bool]:
    """Condition on Desk: its phone is not in the Asterisk of its round."""
    return _ELSEWHERE


def is_elsewhere(session: Session, desk_id: int) -> bool:
    """Return whether the desk's phone is not in the Asterisk of its round."""
    return bool(session.scalar(select(exists().where(Desk.id == desk_id, _ELSEWHERE))))


def is_other(session: Session, round_id: int, desk: Desk) -> bool:
    """Return whether the desk's phone is not in the Asterisk of this round."""
    home = find_node_of_round(session, round_id)
    return home is not None and desk.node is not None and home != desk.node


_under_way = exists().where(
    Callback.round_id == Round.id, Callback.placed_at.is_not(None), Callback.ended_at.is_(None)
)


_FOR_LONG = timedelta(seconds=10)
"""How long a node must be cut off before it loses its rounds. By then all nodes know of a silent trunk."""
_IS_ANY_MARKED = select(exists().where(draining.where_marked()))
_DRAINED = select(Node.name).where(draining.where_drained(Node.name, for_long=True))


def list_drained(session: Session) -> Sequence[str]:
    """Return the nodes whose rounds `move_idle` moves."""
    if not session.scalar(_IS_ANY_MARKED):
        return []
    at = now(session)
    return session.scalars(_DRAINED, {"at": at, "long_ago": at - _FOR_LONG}).all()


def move_idle(session: Session) -> int:
    """Free the rounds of drained nodes that have no call in progress; return how many."""
    there = and_(
        Round.node.in_(list_drained(session)), Round.ended_at.is_(None), Round.cancelled_at.is_(None)
    )
    idle = select(Round.id).where(there, ~_under_way).order_by(Round.id)
    held = session.scalars(idle.with_for_update(skip_locked=True)).all()
    # check again: with the lock, nobody places a call for them (`settle`, hold)
    still = session.scalars(select(Round.id).where(Round.id.in_(held), ~_under_way)).all()
    return clear_homes(session, list(still))


def clear_homes(session: Session, round_ids: list[int]) -> int:
    """Clear the home of these rounds; the next node that serves one chooses."""
    if round_ids:
        freed = update(Round).where(Round.id.in_(round_ids)).values(node=None)
        session.execute(freed.execution_options(synchronize_session=False))
        for round_id in sorted(round_ids):
            events.append_round(session, round_id, "moved")
    return len(round_ids)
