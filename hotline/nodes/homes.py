"""On which node a round lives: chosen when it is first served, and anew when that node is gone or drained."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import ColumnElement, String, and_, bindparam, exists, func, or_, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from db import events
from db.engine import core, now
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
"""In a query that is built once: whose rows are asked for; None: everybody's."""


def mine(column: InstrumentedAttribute[str | None]) -> ColumnElement[bool]:
    """In a query, whose parameter is NODE: whether this row is the node's, or nobody's yet."""
    return or_(column.is_(None), column == NODE, NODE.is_(None))


_HOME = select(Round.node).where(Round.id == bindparam("round"))
# Of no other's row: who holds one that has no home yet, as another does, cannot give it one.
_IS_HOME = _HOME.where(Round.node == bindparam("node", type_=String)).with_for_update(read=True)


_HELD_HOME = _HOME.with_for_update(key_share=True)


def of_round(session: Session, round_id: int) -> str | None:
    """The node on which the round lives; None: nobody has served it yet."""
    return core(session).execute(_HOME, {"round": round_id}).scalar()


_AT_WORK = (
    select(Round.node)
    .join(Node, Node.name == Round.node)
    .where(
        Round.is_operators_line,
        *leases.lives(),
        ~draining.drained(Round.node),
    )
)


def of_operators_line(session: Session) -> str | None:
    """The node on which the operators' line lives, if it is alive and not drained; None: there is none.

    Only there whoever presses 0 meets a desk.
    """
    return core(session).execute(_AT_WORK, {"at": now(session)}).scalar()


def settle(session: Session, round_id: int, node: str, *, hold: bool = False) -> bool:
    """Whether the round lives on this node; if on none yet, on the one that is chosen now, from now on.

    Of several nodes none has it in the transaction in which it is chosen: to be asked again.
    `hold`: it does so until the transaction ends. Call it then before the change of any row.
    """
    if hold and stays(session, round_id, node):
        return True
    at_home = of_round(session, round_id)
    if at_home is not None:
        return at_home == node and not hold
    alive = leases.live(session)
    chosen = choose(session, alive, node, round_id)
    events.hold_line(session, round_id)  # before the row: whoever goes on takes from the line
    settled = (
        update(Round)
        .where(Round.id == round_id, Round.node.is_(None))
        .values(node=chosen)
        .execution_options(synchronize_session=False)
    )
    session.execute(settled)
    if len(alive) > 1:
        events.round_changed(session, round_id, "moved")
        return False  # the log is held now, after which no row is waited for
    return chosen == node and of_round(session, round_id) == node


def stays(session: Session, round_id: int, node: str) -> bool:
    """Whether the round lives on this node, and does so until the transaction ends.

    Call it before the change of any row.
    """
    return core(session).execute(_IS_HOME, {"round": round_id, "node": node}).scalar() is not None


def hold(session: Session, round_id: int) -> str | None:
    """The node on which the round lives; only this transaction may move it. Before the change of any row.

    Not after `stays`: two that did both would wait for each other.
    """
    return core(session).execute(_HELD_HOME, {"round": round_id}).scalar()


def move(session: Session, round_id: int, node: str) -> None:
    """The round, which is held (`hold`), lives on this node from now on."""
    moved = update(Round).where(Round.id == round_id).values(node=node)
    session.execute(moved.execution_options(synchronize_session=False))
    events.round_changed(session, round_id, "moved")


def choose(session: Session, alive: Sequence[Node], node: str, round_id: int | None = None) -> str:
    """The live node where most of the round's callers wait on the line, who cannot go elsewhere, then most of
    its desks have their phones, and then with most room.

    A desk is one of the round's if it serves that, or has a citizen of it in hand.

    None that is full, draining or cut off, where there is another; this one where none is known at all.
    """
    if not alive:
        return node
    waiting = _waiting(session, round_id) if len(alive) > 1 else {}
    desks = _desks(session, round_id) if len(alive) > 1 else {}
    room = {each.name: free(session, each) for each in alive}
    drains = {each.name: each.draining_at is not None for each in alive}
    cut_off = draining.all_cut_off(session)

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


def free(session: Session, node: Node) -> int:
    """So many more calls it can carry: besides its desks' phones, its callers, and what it has placed."""
    desks = select(func.count()).where(Desk.node == node.name, Desk.phone_connected)
    placed = select(func.count()).where(PlacedCall.node == node.name, PlacedCall.ended_at.is_(None))
    callers = select(func.count()).where(CallerNow.node == node.name)
    return node.capacity - sum(session.scalar(each) or 0 for each in (desks, placed, callers))


_ELSEWHERE = exists().where(Round.id == Desk.round_id, Round.node != Desk.node)


def elsewhere() -> ColumnElement[bool]:
    """In a query of Desk: whether its phone is not in the Asterisk in which its round's citizens are."""
    return _ELSEWHERE


def is_elsewhere(session: Session, desk_id: int) -> bool:
    """Whether the phone of this desk is."""
    return bool(session.scalar(select(exists().where(Desk.id == desk_id, _ELSEWHERE))))


def is_other(session: Session, round_id: int, desk: Desk) -> bool:
    """Whether the phone of this desk is not in the Asterisk in which the citizens of this round are."""
    home = of_round(session, round_id)
    return home is not None and desk.node is not None and home != desk.node


_under_way = exists().where(
    Callback.round_id == Round.id, Callback.placed_at.is_not(None), Callback.ended_at.is_(None)
)


_FOR_LONG = timedelta(seconds=10)
"""Cut off for so long a node loses its rounds: of a trunk that falls silent all nodes have heard by then."""
_IS_ANY_MARKED = select(exists().where(draining.marked()))
_DRAINED = select(Node.name).where(draining.drained(Node.name, for_long=True))


def drained(session: Session) -> Sequence[str]:
    """The nodes whose rounds `move_idle` moves."""
    if not core(session).scalar(_IS_ANY_MARKED):
        return []
    at = now(session)
    return session.scalars(_DRAINED, {"at": at, "long_ago": at - _FOR_LONG}).all()


def move_idle(session: Session) -> int:
    """Rounds on drained nodes, of which nobody is under way, are free for another node. How many moved."""
    there = and_(Round.node.in_(drained(session)), Round.ended_at.is_(None), Round.cancelled_at.is_(None))
    idle = select(Round.id).where(there, ~_under_way).order_by(Round.id)
    held = session.scalars(idle.with_for_update(skip_locked=True)).all()
    # asked again, now that nobody places a call for them meanwhile (`settle`, hold)
    still = session.scalars(select(Round.id).where(Round.id.in_(held), ~_under_way)).all()
    return free_rounds(session, list(still))


def free_rounds(session: Session, round_ids: list[int]) -> int:
    """These rounds live nowhere: whoever serves them next chooses."""
    if round_ids:
        freed = update(Round).where(Round.id.in_(round_ids)).values(node=None)
        session.execute(freed.execution_options(synchronize_session=False))
        for round_id in sorted(round_ids):
            events.round_changed(session, round_id, "moved")
    return len(round_ids)
