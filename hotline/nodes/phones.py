"""Homes of desks' phones: the node at which a phone should register, and which knows its password."""

from collections.abc import Sequence

from sqlalchemy import and_, exists, func, or_, select, update
from sqlalchemy.orm import Session

from db.models import Callback, Desk, Node, Round
from hotline.nodes import leases, round_affinity

_ITS_CITIZEN = and_(
    or_(Callback.desk_id == Desk.id, Callback.screen_desk_id == Desk.id), Callback.ended_at.is_(None)
)
_WITH_CITIZEN = exists().where(
    _ITS_CITIZEN,
    or_(Callback.node == Desk.node, and_(Callback.node.is_(None), Callback.placed_at.is_not(None))),
)
_CITIZEN_ELSEWHERE = exists().where(
    _ITS_CITIZEN, Round.id == Callback.round_id, func.coalesce(Callback.node, Round.node) != Desk.node
)
"""A citizen of the desk is at another node, or will be called from there, in any round."""
_LINE_ELSEWHERE = and_(
    Desk.round_id.is_(None),
    Desk.takes_live.is_(True),
    exists().where(Round.is_operators_line, Round.node != Desk.node),
)
_ASTRAY = select(Desk).where(
    Desk.node == round_affinity.NODE,
    Desk.phone == "browser",
    Desk.channel.is_not(None),
    or_(round_affinity.where_elsewhere(), _LINE_ELSEWHERE, _CITIZEN_ELSEWHERE),
    ~_WITH_CITIZEN,
    Desk.hears_desk_id.is_(None),
)


def list_astray(session: Session, node: str) -> Sequence[tuple[int, str]]:
    """Return the desks, with their channels, whose browser is at this node but belongs at another.

    Hung up, the browser asks for its node and registers there. A desk that has a citizen in this Asterisk is
    left out.
    """
    found = []
    for desk in session.scalars(_ASTRAY, {"node": node}):
        home = find_node(session, desk)
        if home is not None and home.name != node and desk.channel:
            found.append((desk.id, desk.channel))
    return found


def list_addresses(session: Session) -> Sequence[str]:
    """Return the WebSocket addresses of all nodes, including nodes that are away."""
    return session.scalars(select(Node.websocket_url)).all()


def find_node(session: Session, desk: Desk) -> Node | None:
    """Return the node where the desk's phone should register.

    The node of its citizen comes first, then that of its round, then its last node. A desk that serves no
    round uses the round of its last citizen, then the operators' line. Without any of these, the node with
    the most free capacity is returned. None: there are not several nodes, or none is alive; the settings then
    name the address.
    """
    if (session.scalar(select(func.count()).select_from(Node)) or 0) < 2:
        return None
    alive = {node.name: node for node in leases.list_live(session)}
    if not alive:
        return None
    citizens = (
        select(func.coalesce(Callback.node, Round.node))
        .join(Round, Round.id == Callback.round_id)
        .where(or_(Callback.desk_id == desk.id, Callback.screen_desk_id == desk.id))
    )
    in_hand = citizens.where(Callback.ended_at.is_(None)).order_by(Callback.node.is_(None), Callback.id)
    line = Round.id == desk.round_id if desk.round_id else Round.is_operators_line
    of_line = select(Round.node).where(line)
    last = (
        select(Round.node)
        .join(Callback, Callback.round_id == Round.id)
        .where(Callback.desk_id == desk.id)
        .order_by(Callback.id.desc())
        .limit(1)
    )
    serves = desk.round_id is not None or desk.takes_live
    for where in (in_hand.limit(1), *([of_line] if serves else [last, of_line])):
        name = session.scalar(where)
        if name in alive:
            return alive[name]
    if desk.node in alive:
        return alive[desk.node]
    return alive[round_affinity.choose(session, list(alive.values()), desk.node or "", desk.round_id)]


def has_desk_passwords(session: Session, node: str) -> bool:
    """Return whether the node's Asterisk knows desks by their own passwords."""
    return bool(session.scalar(select(Node.has_desk_passwords).where(Node.name == node)))


def record_desk_passwords(session: Session, node: str, *, has: bool) -> None:
    """Record whether the node's Asterisk knows desks by their own passwords."""
    session.execute(update(Node).where(Node.name == node).values(has_desk_passwords=has))
