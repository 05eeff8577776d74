"""On which node the phone of a desk is to be."""

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from db.models import Callback, Desk, Node, Round
from hotline.nodes import homes, leases


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
    chosen = homes.choose(session, list(alive.values()), desk.node or "")
    return alive.get(chosen or "") or min(alive.values(), key=lambda node: node.name)
