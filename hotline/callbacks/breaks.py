"""A desk's break: for a while it is given nobody, and its page, the round's and the supervisors' say why.

What is over is kept: it is part of its person's day.
"""

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.engine import now
from db.models import Break, BreakReason, Desk, User


def begin(session: Session, desk: Desk, reason: BreakReason) -> None:
    """The desk, which is held, takes a break, or goes on with it for another reason. It keeps whom it has."""
    if desk.break_reason is not reason:
        end(session, desk)
        desk.break_reason, desk.break_since = reason, now(session)
        session.flush()


def end(session: Session, desk: Desk) -> bool:
    """The desk, which is held, takes citizens again. Returns whether it was on a break."""
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
