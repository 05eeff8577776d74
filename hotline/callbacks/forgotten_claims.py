"""Citizens whom a desk has taken and forgotten: each returns to the line or gets an outcome.

Two kinds return to their own place by themselves: claimed but never called, and called but never talked to.
After a conversation without an outcome a supervisor is told, who gives the outcome for the desk. If nobody
does, the default outcome of «next» is recorded, with an audit entry.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import and_, bindparam, exists, or_, select
from sqlalchemy.orm import Session

from db import events
from db.models import Callback, Round, UtcDateTime, make_literal, make_literals
from db.states import CallbackState, Outcome
from db.trusted_time import trusted_now
from hotline import audit
from hotline.callbacks import closing, conversations
from hotline.rounds import phases
from settings import Settings

UNCALLED = timedelta(minutes=2)
"""How long a desk may hold a citizen before it calls. A closed round releases the citizen at once."""
NEVER_TALKED = timedelta(minutes=5)
"""How long a desk may owe the outcome of a call in which nobody talked."""
TOLD = timedelta(minutes=15)
"""How long a desk may owe the outcome of a conversation before a supervisor is told."""
SETTLED = timedelta(hours=1)
"""How long a desk may owe the outcome of a conversation before the default outcome is recorded."""


_never_talked = and_(
    Callback.talking_at.is_(None), Callback.ended_at <= bindparam("never_talked_ago", type_=UtcDateTime)
)
_uncalled = Callback.claimed_at <= bindparam("uncalled_ago", type_=UtcDateTime)
_settled = Callback.ended_at <= bindparam("settled_ago", type_=UtcDateTime)
_IS_DUE = or_(
    and_(Callback.state == make_literal(CallbackState.CLAIMED), or_(_uncalled, phases.where_over())),
    and_(Callback.state == make_literal(CallbackState.ENDED), or_(_never_talked, _settled)),
)
"""Condition that a callback is to be settled; `_asked` gives the parameters."""

_of_its_round = select(Callback.token).join(Round, Round.id == Callback.round_id)
_ALL_DUE = _of_its_round.where(_IS_DUE).order_by(Callback.id)
_OWED = select(Callback).where(
    Callback.state == make_literal(CallbackState.ENDED),
    Callback.ended_at <= bindparam("told_ago", type_=UtcDateTime),
)


IS_ANY = select(
    exists().where(Callback.state.in_(make_literals((CallbackState.CLAIMED, CallbackState.ENDED))))
)


def _asked(at: datetime) -> dict[str, datetime]:
    waits = {"never_talked_ago": NEVER_TALKED, "uncalled_ago": UNCALLED, "settled_ago": SETTLED}
    return {**phases.bind_moment(at), **{name: at - wait for name, wait in waits.items()}}


def list_due(session: Session) -> Sequence[str]:
    """Return the tokens of the callbacks to settle."""
    return session.execute(_ALL_DUE, _asked(trusted_now(session))).scalars().all()


def settle(session: Session, token: str, settings: Settings) -> Outcome | None:
    """Record the outcome that the desk owes, with an audit entry; None if it is not due any more."""
    due_now = select(Callback).join(Round, Round.id == Callback.round_id).where(Callback.token == token)
    at = trusted_now(session)
    callback = session.scalar(
        due_now.where(_IS_DUE).with_for_update(of=Callback, key_share=True, skip_locked=True), _asked(at)
    )
    if callback is None:
        return None
    uncalled = callback.state is CallbackState.CLAIMED
    outcome = (
        Outcome.RETURNED if uncalled else conversations.find_default_outcome(callback) or Outcome.CALL_AGAIN
    )
    subject, why = f"callback {callback.id}", f"desk {callback.desk_id}, {outcome}"
    audit.record(session, audit.SYSTEM, "left-in-hand", subject, why)
    closing.close(session, token, outcome, settings, again_at=at)
    return outcome


def is_owed(callback: Callback, at: datetime) -> bool:
    """Return whether a supervisor must give this conversation's outcome, because its desk has not."""
    talked = callback.state is CallbackState.ENDED and callback.talking_at is not None
    return talked and callback.ended_at is not None and callback.ended_at <= at - TOLD


def is_any_owed(session: Session) -> bool:
    """Return whether `tell` may have work."""
    return session.execute(_OWED, {"told_ago": trusted_now(session) - TOLD}).first() is not None


def tell(session: Session) -> int:
    """Tell supervisors once of each conversation without an outcome. Return how many were new."""
    at = trusted_now(session)
    owed = [each for each in session.scalars(_OWED, {"told_ago": at - TOLD}) if is_owed(each, at)]
    told = 0
    for callback in owed:
        subject = f"callback {callback.id}"
        if callback.desk_id is None or audit.search(session, action="outcome-owed", subject=subject, limit=1):
            continue
        told += 1
        audit.record(session, audit.SYSTEM, "outcome-owed", subject, f"desk {callback.desk_id}")
        events.append_desk(session, callback.desk_id, "owes-outcome")
    return told
