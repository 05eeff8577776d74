"""Silent callers, who pressed no key in time: the next call gives them more time.

A number is kept for 90 days. Once a day a silent number gets an operator, and after that a message. A silent
caller may have missed the keys, be a pocket call, or be a robot.
"""

from datetime import timedelta

from sqlalchemy import delete
from sqlalchemy.orm import Session

from db.engine import now
from db.models import SilentCaller
from db.trusted_time import trusted_now
from hotline import limits
from settings import Settings

KEPT = timedelta(days=90)
_A_DAY = timedelta(days=1)
_FROM_A_NUMBER, _WITHHELD = limits.Bucket(1, 86_400), limits.Bucket(10, 360)


def record_silence(session: Session, number: str) -> None:
    """Record that this number (E.164) let a question pass in silence."""
    _of(session, number).silent_at = now(session)


def has_turn(session: Session, number: str) -> bool:
    """Return whether this silent number gets a place in the operators' line; it gets one a day."""
    caller, at = _of(session, number), now(session)
    caller.silent_at = at
    if caller.operator_at is not None and at - caller.operator_at < _A_DAY:
        return False
    caller.operator_at = at
    return True


def may_leave_message(session: Session, number: str | None, settings: Settings) -> bool:
    """Return whether a silent caller may leave a message in the inbox.

    The limit is one a day for each number, and ten an hour for all withheld numbers.
    """
    bucket = _FROM_A_NUMBER if number else _WITHHELD
    who = limits.hash_key(settings.secret_for("limits"), "silent", number or "withheld")
    return limits.take(session, bucket, who)


def forget(session: Session) -> None:
    """Delete numbers that were not silent for 90 days."""
    session.execute(delete(SilentCaller).where(SilentCaller.silent_at < trusted_now(session) - KEPT))


def _of(session: Session, number: str) -> SilentCaller:
    caller = session.get(SilentCaller, number, with_for_update=True)
    if caller is None:
        caller = SilentCaller(number=number, silent_at=now(session))
        session.add(caller)
    return caller
