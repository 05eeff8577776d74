"""Callers who pressed no key in time: they have longer the next time.

Kept per number for 90 days; once a day each has an operator, and then a message. A silent caller is somebody
who did not find the keys, a pocket, or a robot.
"""

from datetime import timedelta

from sqlalchemy import delete
from sqlalchemy.orm import Session

from db.engine import core, now
from db.models import SilentCaller
from db.trusted_time import trusted_now
from hotline import limits
from settings import Settings

KEPT = timedelta(days=90)
_A_DAY = timedelta(days=1)
_FROM_A_NUMBER, _WITHHELD = limits.Bucket(1, 86_400), limits.Bucket(10, 360)


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


def may_leave_message(session: Session, number: str | None, settings: Settings) -> bool:
    """Return whether a silent caller may speak into the inbox: once a day from a number, ten times an hour
    from all telephones without one.
    """
    bucket = _FROM_A_NUMBER if number else _WITHHELD
    who = limits.hash_key(settings.secret_for("limits"), "silent", number or "withheld")
    return limits.take(core(session), bucket, who)


def forget(session: Session) -> None:
    """Delete those who found the keys for 90 days."""
    session.execute(delete(SilentCaller).where(SilentCaller.silent_at < trusted_now(session) - KEPT))


def _of(session: Session, number: str) -> SilentCaller:
    caller = session.get(SilentCaller, number, with_for_update=True)
    if caller is None:
        caller = SilentCaller(number=number, silent_at=now(session))
        session.add(caller)
    return caller
