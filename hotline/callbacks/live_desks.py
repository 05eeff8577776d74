"""Desks that take live calls: whoever waits on the line comes to them without their asking.

In the order of the line: who stands before and is not on the line is called for the desk first.
"""

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select
from sqlalchemy.orm import Session

from db import events
from db.models import Callback, Desk, Registration, Role, Round, User
from db.states import RegistrationState
from hotline.callbacks import assignment, callbacks, claims
from hotline.errors import Refused
from hotline.line import engaged
from hotline.rounds import rounds


def takes(operators_line: Round) -> ColumnElement[bool]:
    """In a query of Desk: whether it takes live calls.

    If it has not said so, an operator's does that serves the operators' line.
    """
    operator = exists().where(User.desk_id == Desk.id, User.role == Role.OPERATOR)
    by_itself = and_(Desk.takes_live.is_(None), Desk.round_id == operators_line.id, operator)
    return or_(Desk.takes_live.is_(True), by_itself)


def takes_live(session: Session, desk: Desk) -> bool:
    """Whether this desk takes live calls."""
    if desk.takes_live is not None:
        return desk.takes_live
    operators_line = rounds.find_operators_line(session)
    if operators_line is None:
        return False
    return bool(session.scalar(select(exists().where(Desk.id == desk.id, takes(operators_line)))))


def say(session: Session, desk: Desk, takes: bool | None) -> None:
    """The desk takes live calls, or none; None: as the line that it serves says."""
    callbacks.hold(session, desk)
    if desk.takes_live is takes:
        return
    desk.takes_live = takes
    session.flush()
    events.desk_changed(session, desk.id, "live-calls")


def _free(operators_line: Round) -> Select[Desk]:
    """Those whose person is there, and has nobody in hand; longest first."""
    person = exists().where(User.desk_id == Desk.id, User.disabled_at.is_(None))
    here = or_(Desk.round_id.is_(None), Desk.round_id == operators_line.id)
    last = select(func.max(Callback.ended_at)).where(Callback.desk_id == Desk.id).scalar_subquery()
    return (
        select(Desk)
        .where(
            takes(operators_line),
            person,
            here,
            Desk.next_asked_at.is_(None),
            ~assignment.gone(),
            ~assignment.busy(),
        )
        .order_by(last.is_not(None), last, Desk.id)
    )


def some_desk_is_free(session: Session, operators_line: Round) -> bool:
    """Whether a caller who stands first would be given to a desk now."""
    if operators_line.paused_at:
        return False
    return session.scalar(select(_free(operators_line).exists())) or False


def _some_wait(session: Session, operators_line: Round) -> bool:
    waits = and_(Registration.round_id == operators_line.id, Registration.state == RegistrationState.WAITING)
    if session.scalar(select(exists().where(waits, engaged.ON_THE_LINE))):
        return True
    return any(c.on_the_line and not c.hangup_asked_at for c in assignment.ready(session, operators_line.id))


def has_work(session: Session) -> bool:
    """Whether `give` may have something to do."""
    operators_line = rounds.find_operators_line(session)
    return (
        operators_line is not None
        and some_desk_is_free(session, operators_line)
        and _some_wait(session, operators_line)
    )


def give(session: Session, *, may_dial: bool) -> Desk | None:
    """If anybody waits on the line, give a free desk the next of the operators' line; the desk, if one has.

    One desk at a time: after the log is written, nobody waits for a row. `may_dial`: whether a phone may be
    called now; if not, who is not on the line is not taken, and nobody passes them.
    """
    operators_line = rounds.find_operators_line(session)
    if operators_line is None or operators_line.paused_at or not _some_wait(session, operators_line):
        return None
    first = _free(operators_line).limit(1).with_for_update(of=Desk, key_share=True, skip_locked=True)
    desk = session.scalars(first).first()
    if desk is None:
        return None
    if assignment.meets(session, desk, operators_line.id):
        return desk
    user_id = session.scalar(select(User.id).where(User.desk_id == desk.id))
    try:
        with session.begin_nested() as step:
            callback = claims.call_for(session, operators_line, desk.id, user_id)
            if callback and not (may_dial or engaged.waits_on_the_line(session, callback.registration_id)):
                step.rollback()
                return None
    except Refused:  # somebody at the desk has just taken another
        return None
    return desk if callback else None
