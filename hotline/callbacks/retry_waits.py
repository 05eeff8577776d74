"""Waits of citizens after the clock was set back: each wait starts anew.

No citizen waits longer than the rule of the last outcome lets them wait from now.
"""

from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from db import events
from db.engine import now
from db.models import Callback, Registration, Round
from db.states import Fact, Outcome, RegistrationState
from hotline.callbacks import schedule
from hotline.errors import Refused
from hotline.ledger import entries
from settings import Settings

_COUNTED_FROM_NOW = timedelta(hours=1)
"""A desk's page offers «in ten minutes» and «in an hour». A wish farther ahead names a time of the day."""

_last = (
    select(func.max(Callback.id))
    .where(Callback.registration_id == Registration.id)
    .correlate(Registration)
    .scalar_subquery()
)


def shorten(session: Session, settings: Settings) -> int:
    """Shorten waits that a wrong clock stamped.

    Return how many; the ledger records their last outcome anew.
    """
    at = now(session)
    waiting = (
        select(Registration, Callback, Round)
        .join(Callback, Callback.id == _last)
        .join(Round, Round.id == Registration.round_id)
        .where(Registration.state == RegistrationState.WAITING, Registration.not_before > at)
        .order_by(Registration.id)
        .with_for_update(of=Registration, skip_locked=True)
        .execution_options(populate_existing=True)
    )
    shortened = []
    for registration, last, round_ in session.execute(waiting).all():
        due = _find_due(last, registration.attempts, at, round_, settings)
        if due is None or (registration.not_before and due < registration.not_before):
            registration.not_before = due
            shortened.append((registration, last))
    session.flush()  # lock order: rows before the log
    for registration, last in shortened:
        entries.record(session, Fact.OUTCOME, registration, outcome=last.outcome, set_back=True)
        events.append_registration(session, registration)
    return len(shortened)


def _find_due(
    last: Callback, attempts: int, at: datetime, round_: Round, settings: Settings
) -> datetime | None:
    """Return when the citizen would be due if the call had ended just now; None: at once."""
    if last.outcome is None:
        return None
    if last.outcome is not Outcome.CALL_AGAIN or last.again_at is None:
        return schedule.find_not_before(last.outcome, attempts, at, settings)
    wish = last.again_at
    if last.ended_at and last.ended_at > at and wish - last.ended_at <= _COUNTED_FROM_NOW:
        wish = at + (wish - last.ended_at)
    try:
        return schedule.find_promised_time(wish, at, round_, settings, agreed=last.agreed).due
    except Refused:  # no desk can have meant a day so far ahead
        return schedule.find_not_before(last.outcome, attempts, at, settings)
