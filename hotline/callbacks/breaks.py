"""Breaks of desks: a desk on a break gets no citizen, and the pages show the reason.

A finished break is stored as part of its person's day.
"""

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.engine import now
from db.models import Break, BreakReason, Desk, User


def begin_break(session: Session, desk: Desk, reason: BreakReason) -> None:
    """Begin a break of the locked desk, or change the reason. The desk keeps its current citizen."""
    if desk.break_reason is not reason:
        end(session, desk)
        desk.break_reason, desk.break_since = reason, now(session)
        session.flush()


def end(session: Session, desk: Desk) -> bool:
    """End the break of the locked desk. Return whether there was one."""
    if desk.break_reason is None or desk.break_since is None:
        return False
    user_id = session.scalar(select(User.id).where(User.desk_id == desk.id))
    over = Break(
        desk_id=desk.id,
        user_id=user_id,
        reason=desk.break_reason,
        began_at=desk.break_since,
        ended_at=now(session),
    )
    session.add(over)
    desk.break_reason = desk.break_since = None
    session.flush()
    return True
