"""Callers who pressed no key in time: they have longer the next time, and once a day an operator.

Kept per number for 90 days. Whoever calls them is somebody who did not find the keys, a pocket, or a robot.
"""

from datetime import timedelta

from sqlalchemy import delete
from sqlalchemy.orm import Session

from db.engine import now
from db.models import SilentCaller
from db.trusted_time import trusted_now

KEPT = timedelta(days=90)
_A_DAY = timedelta(days=1)


def note(session: Session, number: str) -> None:
    """This number (E.164) let a question pass in silence."""
    _of(session, number).silent_at = now(session)


def has_turn(session: Session, number: str) -> bool:
    """Whether this silent number may have a place in the operators' line; then that was its one of a day."""
    caller, at = _of(session, number), now(session)
    caller.silent_at = at
    if caller.operator_at is not None and at - caller.operator_at < _A_DAY:
        return False
    caller.operator_at = at
    return True


def forget(session: Session) -> None:
    """Delete those who found the keys for 90 days."""
    session.execute(delete(SilentCaller).where(SilentCaller.silent_at < trusted_now(session) - KEPT))


def _of(session: Session, number: str) -> SilentCaller:
    caller = session.get(SilentCaller, number, with_for_update=True)
    if caller is None:
        caller = SilentCaller(number=number, silent_at=now(session))
        session.add(caller)
    return caller
