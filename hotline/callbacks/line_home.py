"""On which node the operators' line is for a caller who presses 0: idle on another one, it follows them.

The desks' browsers follow the line by themselves (nodes.phones), within a few seconds; the caller has music.
Locks: the line's row before any other, and the caller's place is written while it is held. So who asks on
another node at the same moment sees the first one's place, and does not take the line away from them.
"""

from enum import Enum

from sqlalchemy import Integer, String, and_, bindparam, exists, or_, select
from sqlalchemy.orm import Session

from db.engine import core
from db.models import Callback, CallerNow, Desk, Registration, Round, WaitingCaller, word
from db.states import CallbackState, RegistrationState
from hotline.callbacks import callbacks, live_desks
from hotline.nodes import draining, homes, leases
from hotline.rounds import rounds


class Side(Enum):
    """Where the line is, as the caller's node sees it."""

    HERE = "here"
    COMES = "comes"
    """It may move here, with the caller's place (`follow`)."""
    ELSEWHERE = "elsewhere"


_LINE = bindparam("line", type_=Integer)
_HERE = bindparam("node", type_=String)

_NOBODY_UNDER_WAY = ~exists().where(
    Callback.round_id == _LINE,
    or_(
        Callback.state == word(CallbackState.DIALING),  # asked for, and not placed yet
        and_(Callback.placed_at.is_not(None), Callback.ended_at.is_(None)),
    ),
)
_NOBODY_WAITS = ~exists().where(
    WaitingCaller.left_at.is_(None), or_(WaitingCaller.node.is_(None), WaitingCaller.node != _HERE)
)
_NOBODY_HEARS = ~exists().where(  # that they stay, or have a choice: they wait in a moment
    Registration.round_id == _LINE,
    Registration.state == word(RegistrationState.WAITING),
    CallerNow.number == Registration.number,
    or_(CallerNow.node.is_(None), CallerNow.node != _HERE),
)
_has_one = exists().where(Callback.desk_id == Desk.id, Callback.round_id == _LINE, callbacks.OCCUPIES)
_of_line = or_(Desk.round_id == _LINE, and_(Desk.round_id.is_(None), live_desks.TAKES), _has_one)
_at_work = or_(Desk.phone_connected, Desk.call_asked_at.is_not(None), Desk.call_token.is_not(None))
_NO_PHONE_STAYS = ~exists().where(_at_work, Desk.phone != "browser", _of_line)
"""Of the desks at work: a SIP phone is where it signed in, a telephone where it was called from."""
_IS_IDLE = select(and_(_NOBODY_UNDER_WAY, _NOBODY_WAITS, _NOBODY_HEARS, _NO_PHONE_STAYS))
_NOBODY_IS_THERE = select(
    and_(
        _NOBODY_UNDER_WAY,
        ~exists().where(WaitingCaller.left_at.is_(None)),
        ~exists().where(Desk.phone_connected, Desk.node == _HERE, _of_line),
    )
)


def hold(session: Session, node: str) -> Side:
    """Where the operators' line is for a caller on this node, until the transaction ends.

    Call it before the change of any row.
    """
    line = rounds.find_operators_line(session)
    if line is None:
        return Side.HERE
    if line.node == node:
        return Side.HERE if homes.stays(session, line.id, node) else Side.ELSEWHERE
    if _may_come(session, line, node):  # else no row is waited for: so it is while much goes on
        home = homes.hold(session, line.id)
        if home == node:  # another caller of this node was a moment earlier
            return Side.HERE
        session.refresh(line)  # it may have been paused meanwhile
        if _may_come(session, line, node):
            return Side.COMES
        return Side.ELSEWHERE if home else Side.HERE
    return Side.ELSEWHERE if line.node else Side.HERE


def follow(session: Session, node: str) -> None:
    """The line, which `hold` found to come, lives here from now on. After every other change."""
    line = rounds.find_operators_line(session)
    if line is not None:
        homes.move(session, line.id, node)


def is_left_empty(session: Session, node: str) -> bool:
    """Whether the line lives here, and has nobody here, nor any desk's phone; but others live."""
    line = rounds.find_operators_line(session)
    return line is not None and line.node == node and _is_empty(session, line, node)


def free(session: Session, node: str) -> None:
    """The line that is left empty here lives nowhere: whoever presses 0 next, or serves it, chooses.

    A desk whose browser cannot reach this node goes back where it was.
    """
    line = rounds.find_operators_line(session)
    if line and homes.hold(session, line.id) == node and _is_empty(session, line, node):
        homes.free_rounds(session, [line.id])


def _is_empty(session: Session, line: Round, node: str) -> bool:
    empty = core(session).scalar(_NOBODY_IS_THERE, {"line": line.id, "node": node})
    return bool(empty) and len(leases.live(session)) > 1


def _may_come(session: Session, line: Round, node: str) -> bool:
    if not live_desks.is_any_ready(session, line):
        return False
    if not core(session).scalar(_IS_IDLE, {"line": line.id, "node": node}):
        return False
    alive = {each.name: each for each in leases.live(session)}
    if len(alive) < 2 or not {node, line.node or node} <= alive.keys() or draining.drains(session, node):
        return False
    return homes.free(session, alive[node]) > 0
