"""Blame for failed calls: the numbers of a line that are untried, and the numbers that fail alone.

The breaker asks. A number fails alone if another number's call got through since it failed. Then the fault is
its phone's, and says nothing about the trunk.
"""

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from db.engine import now
from db.models import Callback, PlacedCall, Registration
from db.states import Fact, Outcome, RegistrationState
from hotline.ledger import entries

_SOON = timedelta(seconds=5)


def find_number(session: Session, token: str) -> str:
    """Return the number that the call of `token` was for, or the token itself if unknown."""
    call = session.get(PlacedCall, token)
    return call.number if call else token


def has_untried(session: Session, token: str, tried: Collection[str]) -> bool:
    """Return whether somebody not `tried` is due in the line of the callback of `token`.

    A call that is no callback has no line: False.
    """
    round_id = session.scalar(select(Callback.round_id).where(Callback.token == token))
    due = or_(Registration.not_before.is_(None), Registration.not_before <= now(session) + _SOON)
    other = select(Registration.id).where(
        Registration.round_id == round_id,
        Registration.state == RegistrationState.WAITING,
        due,
        Registration.number.not_in(tried),
    )
    return round_id is not None and session.scalar(other.limit(1)) is not None


def has_failed_alone(session: Session, token: str, number: str, worked_at: datetime | None) -> bool:
    """Return whether another call got through since the calls to this number began to fail in a row."""
    if worked_at is None:
        return False
    of_same = PlacedCall.number == number, PlacedCall.token != token
    theirs = select(func.max(PlacedCall.at)).where(*of_same, ~PlacedCall.ours).scalar_subquery()
    failed = select(PlacedCall.token).where(
        *of_same,
        PlacedCall.ours,
        PlacedCall.ended_at < worked_at,
        or_(theirs.is_(None), PlacedCall.at > theirs),
    )
    return session.scalar(failed.limit(1)) is not None


def make_due_again(session: Session, numbers: Collection[str]) -> None:
    """Make citizens due again, at their own place, who were passed over while others were tried.

    The ledger records their outcome anew, without a wait. Call it after all other row changes.
    """
    passed_over = select(Registration).where(
        Registration.number.in_(numbers),
        Registration.state == RegistrationState.WAITING,
        Registration.last_outcome == Outcome.FAILED,
        Registration.not_before.is_not(None),
    )
    waiting = passed_over.with_for_update(skip_locked=True).execution_options(populate_existing=True)
    released = session.scalars(waiting).all()
    for registration in released:
        registration.not_before = None
    session.flush()
    for registration in released:
        entries.record(session, Fact.OUTCOME, registration, outcome=Outcome.FAILED)
