"""On which node the phone of a desk is to be."""

from collections.abc import Sequence

from sqlalchemy import and_, exists, func, or_, select
from sqlalchemy.orm import Session

from db.models import Callback, Desk, Node, Round
from hotline.nodes import homes, leases

_WITH_CITIZEN = exists().where(
    or_(Callback.desk_id == Desk.id, Callback.screen_desk_id == Desk.id), Callback.ended_at.is_(None)
)
_LINE_ELSEWHERE = and_(
    Desk.round_id.is_(None),
    Desk.takes_live.is_(True),
    exists().where(Round.is_operators_line, Round.node != Desk.node),
)
_ASTRAY = select(Desk).where(
    Desk.node == homes.NODE,
    Desk.phone == "browser",
    Desk.channel.is_not(None),
    or_(homes.elsewhere(), _LINE_ELSEWHERE),
    ~_WITH_CITIZEN,
    Desk.hears_desk_id.is_(None),
)


def astray(session: Session, node: str) -> Sequence[tuple[int, str]]:
    """Desks whose browser is in this node's Asterisk, and belongs in another's, and by which channel it is.

    Hung up, it asks anew where to sign in, and goes there. Not while a citizen is with it.
    """
    found = []
    for desk in session.scalars(_ASTRAY, {"node": node}):
        home = node_of(session, desk)
        if home is not None and home.name != node and desk.channel:
            found.append((desk.id, desk.channel))
    return found


def addresses(session: Session) -> Sequence[str]:
    """Where browsers' phones sign in at one node or another, those that are gone for now included."""
    return session.scalars(select(Node.websocket_url)).all()


def node_of(session: Session, desk: Desk) -> Node | None:
    """Where its citizen is, else where its round lives, or the operators' line; else where it was last.

    A desk that has never been anywhere, or whose node is gone: where there is most room. None: there are not
    several nodes, or none is alive; the settings say where the phone signs in then.
    """
    if (session.scalar(select(func.count()).select_from(Node)) or 0) < 2:
        return None
    alive = {node.name: node for node in leases.live(session)}
    if not alive:
        return None
    with_citizen = select(Callback.node).where(
        or_(Callback.desk_id == desk.id, Callback.screen_desk_id == desk.id), Callback.ended_at.is_(None)
    )
    line = Round.id == desk.round_id if desk.round_id else Round.is_operators_line
    for name in (
        session.scalar(with_citizen.limit(1)),
        session.scalar(select(Round.node).where(line)),
        desk.node,
    ):
        if name in alive:
            return alive[name]
    return alive[homes.choose(session, list(alive.values()), desk.node or "", desk.round_id)]
