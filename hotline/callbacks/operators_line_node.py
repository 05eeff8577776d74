"""The node of the operators' line when a caller presses 0: an idle line moves to the caller's node.

The desks' browsers follow the line within a few seconds (nodes.phones), while the caller hears music. Lock
order: the line's row before all others. The caller's place is written under that lock. A caller on another
node at the same moment sees that place and leaves the line there.
"""

from enum import Enum

from sqlalchemy import Integer, String, and_, bindparam, exists, or_, select
from sqlalchemy.orm import Session

from db.models import Callback, CallerNow, Desk, Registration, Round, WaitingCaller, make_literal
from db.states import CallbackState, RegistrationState
from hotline.callbacks import direct_routing, transitions
from hotline.nodes import draining, leases, round_affinity
from hotline.rounds import phases


class Side(Enum):
    """Location of the line, as the caller's node sees it."""

    HERE = "here"
    COMES = "comes"
    """The line may move here, with the caller's place (`follow`)."""
    ELSEWHERE = "elsewhere"


_LINE = bindparam("line", type_=Integer)
_HERE = bindparam("node", type_=String)

_NOBODY_UNDER_WAY = ~exists().where(
    Callback.round_id == _LINE,
    or_(
        Callback.state == make_literal(CallbackState.DIALING),  # asked for, and not placed yet
        and_(Callback.placed_at.is_not(None), Callback.ended_at.is_(None)),
    ),
)
_NOBODY_WAITS = ~exists().where(
    WaitingCaller.left_at.is_(None), or_(WaitingCaller.node.is_(None), WaitingCaller.node != _HERE)
)
_NOBODY_HEARS = ~exists().where(  # callers in the menu of the line: they will wait in a moment
    Registration.round_id == _LINE,
    Registration.state == make_literal(RegistrationState.WAITING),
    CallerNow.number == Registration.number,
    or_(CallerNow.node.is_(None), CallerNow.node != _HERE),
)
_has_one = exists().where(Callback.desk_id == Desk.id, Callback.round_id == _LINE, transitions.OCCUPIES)
_of_line = or_(Desk.round_id == _LINE, and_(Desk.round_id.is_(None), direct_routing.TAKES), _has_one)
_at_work = or_(Desk.phone_connected, Desk.call_asked_at.is_not(None), Desk.call_token.is_not(None))
_NO_PHONE_STAYS = ~exists().where(_at_work, Desk.phone != "browser", _of_line)
"""No desk at work has a fixed phone: a SIP phone or a called telephone cannot change its node."""
_IS_IDLE = select(and_(_NOBODY_UNDER_WAY, _NOBODY_WAITS, _NOBODY_HEARS, _NO_PHONE_STAYS))
_NOBODY_IS_THERE = select(
    and_(
        _NOBODY_UNDER_WAY,
        ~exists().where(WaitingCaller.left_at.is_(None)),
        ~exists().where(Desk.phone_connected, Desk.node == _HERE, _of_line),
    )
)


def hold(session: Session, node: str) -> Side:
    """Return the operators' line's location for a caller on this node; it holds until the transaction ends.

    Call it before any row is changed.
    """
    line = phases.find_operators_line(session)
    if line is None:
        return Side.HERE
    if line.node == node:
        return Side.HERE if round_affinity.keep_home(session, line.id, node) else Side.ELSEWHERE
    if _may_come(session, line, node):  # a busy line takes no lock
        home = round_affinity.hold(session, line.id)
        if home == node:  # another caller of this node was faster
            return Side.HERE
        session.refresh(line)  # a desk may have paused the line meanwhile
        if _may_come(session, line, node):
            return Side.COMES
        return Side.ELSEWHERE if home else Side.HERE
    return Side.ELSEWHERE if line.node else Side.HERE


def follow(session: Session, node: str) -> None:
    """Move the line that `hold` found movable to this node. Call it after all other changes."""
    line = phases.find_operators_line(session)
    if line is not None:
        round_affinity.move(session, line.id, node)


def is_left_empty(session: Session, node: str) -> bool:
    """Return whether the line lives here without callers and desk phones, while other nodes are alive."""
    line = phases.find_operators_line(session)
    return line is not None and line.node == node and _is_empty(session, line, node)


def detach(session: Session, node: str) -> None:
    """Detach the empty line from this node: the next caller who presses 0, or desk, chooses its node.

    A desk whose browser cannot reach this node can then return to its former node.
    """
    line = phases.find_operators_line(session)
    if line and round_affinity.hold(session, line.id) == node and _is_empty(session, line, node):
        round_affinity.clear_homes(session, [line.id])


def _is_empty(session: Session, line: Round, node: str) -> bool:
    empty = session.scalar(_NOBODY_IS_THERE, {"line": line.id, "node": node})
    return bool(empty) and len(leases.list_live(session)) > 1


def _may_come(session: Session, line: Round, node: str) -> bool:
    if not direct_routing.is_any_ready(session, line):
        return False
    if not session.scalar(_IS_IDLE, {"line": line.id, "node": node}):
        return False
    alive = {each.name: each for each in leases.list_live(session)}
    if len(alive) < 2 or not {node, line.node or node} <= alive.keys() or draining.is_drained(session, node):
        return False
    return round_affinity.count_free_calls(session, alive[node]) > 0
