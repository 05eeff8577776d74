"""Desks that take live calls: citizens who wait on the line come to them without a request.

The line's order holds: a citizen further ahead who is not on the line is called for the desk first.
"""

from sqlalchemy import Integer, and_, bindparam, exists, func, or_, select
from sqlalchemy.orm import Session

from db import events
from db.models import Callback, Desk, Registration, Role, Round, User, make_literal
from db.states import RegistrationState
from hotline.callbacks import assignment, claims, transitions
from hotline.errors import Refused
from hotline.line import busy_numbers
from hotline.rounds import phases

_LINE = bindparam("line", type_=Integer)
"""Parameter of queries: the id of the operators' line."""

_operator = exists().where(User.desk_id == Desk.id, User.role == make_literal(Role.OPERATOR))
TAKES = or_(Desk.takes_live.is_(True), and_(Desk.takes_live.is_(None), Desk.round_id == _LINE, _operator))
"""Condition on Desk that the desk takes live calls; its parameter `line` is the operators' line.

Without a choice of its own, a desk takes live calls if its operator serves the operators' line.
"""


def takes_live_calls(session: Session, desk: Desk) -> bool:
    """Return whether this desk takes live calls."""
    if desk.takes_live is not None:
        return desk.takes_live
    operators_line = phases.find_operators_line(session)
    if operators_line is None:
        return False
    taken = select(exists().where(Desk.id == desk.id, TAKES))
    return bool(session.scalar(taken, {"line": operators_line.id}))


def set_live_calls(session: Session, desk: Desk, takes: bool | None) -> None:
    """Set whether the desk takes live calls; None follows the line that it serves."""
    transitions.hold(session, desk)
    if desk.takes_live is takes:
        return
    desk.takes_live = takes
    session.flush()
    tell(session, desk, takes=takes_live_calls(session, desk))


def tell(session: Session, desk: Desk, *, takes: bool) -> None:
    """Record the event that the desk takes live calls from now on, or that it takes none."""
    events.append_desk(session, desk.id, "live-on" if takes else "live-off")


_person = exists().where(User.desk_id == Desk.id, User.disabled_at.is_(None))
_here = or_(Desk.round_id.is_(None), Desk.round_id == _LINE)
_at_callers = ~exists().where(Round.id == _LINE, Round.node != Desk.node)
_READY = select(Desk).where(
    TAKES,
    _person,
    _here,
    _at_callers,
    ~assignment.where_takes_nobody(),
    ~assignment.where_busy(),
)
"""Desks that take live calls, have their person, and have no citizen in hand."""
_FREE = _READY.where(Desk.next_asked_at.is_(None))
_IS_ANY_READY = select(_READY.exists())
_IS_ANY_FREE = select(_FREE.exists())
_IS_ANY_AT_WORK = select(exists().where(TAKES, _person, _here, Desk.phone_connected))
_last = select(func.max(Callback.ended_at)).where(Callback.desk_id == Desk.id).scalar_subquery()
_FIRST_FREE = (
    _FREE.order_by(_last.is_not(None), _last, Desk.id)  # longest first
    .limit(1)
    .with_for_update(of=Desk, key_share=True, skip_locked=True)
)


def is_any_free(session: Session, operators_line: Round) -> bool:
    """Return whether a desk would take a caller who stands first now."""
    if operators_line.paused_at:
        return False
    return session.scalar(_IS_ANY_FREE, {"line": operators_line.id}) or False


def is_any_ready(session: Session, operators_line: Round) -> bool:
    """Return whether a desk that takes live calls has no citizen, even if it has asked for the next."""
    if operators_line.paused_at:
        return False
    return session.scalar(_IS_ANY_READY, {"line": operators_line.id}) or False


def is_any_at_work(session: Session) -> bool:
    """Return whether any desk that takes live calls is at work, free or not."""
    operators_line = phases.find_operators_line(session)
    if operators_line and operators_line.paused_at:
        return False
    nobodys = 0  # the operators' line is created for its first caller
    return (
        session.scalar(_IS_ANY_AT_WORK, {"line": operators_line.id if operators_line else nobodys}) or False
    )


_IS_ANY_WAITING = select(
    exists().where(
        Registration.round_id == _LINE,
        Registration.state == make_literal(RegistrationState.WAITING),
        busy_numbers.ON_THE_LINE,
    )
)


def _is_any_waiting(session: Session, operators_line: Round) -> bool:
    if session.scalar(_IS_ANY_WAITING, {"line": operators_line.id}):
        return True
    return any(
        c.on_the_line and not c.hangup_asked_at for c in assignment.list_ready(session, operators_line.id)
    )


def has_work(session: Session) -> bool:
    """Return whether `give` may have work."""
    operators_line = phases.find_operators_line(session)
    return (
        operators_line is not None
        and is_any_free(session, operators_line)
        and _is_any_waiting(session, operators_line)
    )


def give(session: Session, *, may_dial: bool) -> Desk | None:
    """Give a free desk the next citizen of the operators' line if anybody waits on it. Return the desk.

    One desk for each transaction: no row lock is taken after the log is written. `may_dial`: whether a phone
    may be called now. If not, a citizen who is not on the line is not taken, and nobody passes them.
    """
    operators_line = phases.find_operators_line(session)
    if operators_line is None or operators_line.paused_at or not _is_any_waiting(session, operators_line):
        return None
    desk = session.scalars(_FIRST_FREE, {"line": operators_line.id}).first()
    if desk is None:
        return None
    if assignment.assign_first(session, desk, operators_line.id):
        return desk
    user_id = session.scalar(select(User.id).where(User.desk_id == desk.id))
    try:
        with session.begin_nested() as step:
            callback = claims.call_for(session, operators_line, desk.id, user_id)
            if callback and not (
                may_dial or busy_numbers.is_caller_waiting(session, callback.registration_id)
            ):
                step.rollback()
                return None
    except Refused:  # the desk has just taken another citizen
        return None
    return desk if callback else None
