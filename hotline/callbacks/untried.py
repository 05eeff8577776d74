"""Which number is to blame when calls fail: whom of a line nobody has tried yet, and who fails alone.

The breaker asks. A number fails alone if others got through since it failed: then the fault is its phone's,
and says nothing about the trunk.
"""

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from db.engine import now
from db.models import Callback, PlacedCall, Registration
from db.states import Fact, Outcome, RegistrationState
from hotline.ledger import ledger

_SOON = timedelta(seconds=5)


def number_of(session: Session, token: str) -> str:
    """Whom the call of `token` was for; the token itself where nobody knows."""
    call = session.get(PlacedCall, token)
    return call.number if call else token


def is_there_another(session: Session, token: str, tried: Collection[str]) -> bool:
    """Whether somebody not `tried` is due in the line for which the callback of `token` was made.

    Never so with a call that is no callback.
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


def fails_alone(session: Session, token: str, number: str, worked_at: datetime | None) -> bool:
    """Whether another number's call has got through since those to this number began to fail in a row."""
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


def release(session: Session, numbers: Collection[str]) -> None:
    """These were passed over so that others were tried: each is due again at its own place.

    The ledger tells their outcome anew, without a wait. Every row of the transaction first, then this.
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
        ledger.record(session, Fact.OUTCOME, registration, outcome=Outcome.FAILED)
