"""A citizen who is left in a desk's hands goes back: nobody reads «we are calling you now» for ever.

Taken and not called, called and never spoken with, spoken with and nobody said what came of it: the first two
go back to their own place by themselves. Of the last a supervisor is told, who says it for the desk; should
nobody, «next» would have said it, and that is written down.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import and_, bindparam, exists, or_, select
from sqlalchemy.orm import Session

from db import events
from db.engine import core
from db.models import Callback, Round, UtcDateTime, word, words
from db.states import CallbackState, Outcome
from db.trusted_time import trusted_now
from hotline import audit
from hotline.callbacks import closing, conversations
from hotline.rounds import rounds
from settings import Settings

UNCALLED = timedelta(minutes=2)
"""So long a desk may have a citizen without calling; not at all once the round is over."""
NEVER_TALKED = timedelta(minutes=5)
"""So long it may owe the outcome of a call in which nobody spoke."""
TOLD = timedelta(minutes=15)
"""A supervisor is told so long after a conversation whose outcome the desk owes."""
SETTLED = timedelta(hours=1)
"""So long after a conversation its outcome is that of «next»."""


_never_talked = and_(
    Callback.talking_at.is_(None), Callback.ended_at <= bindparam("never_talked_ago", type_=UtcDateTime)
)
_uncalled = Callback.claimed_at <= bindparam("uncalled_ago", type_=UtcDateTime)
_settled = Callback.ended_at <= bindparam("settled_ago", type_=UtcDateTime)
_IS_DUE = or_(
    and_(Callback.state == word(CallbackState.CLAIMED), or_(_uncalled, rounds.over())),
    and_(Callback.state == word(CallbackState.ENDED), or_(_never_talked, _settled)),
)
"""To be settled; its parameters are `_asked`."""

_of_its_round = select(Callback.token).join(Round, Round.id == Callback.round_id)
_ALL_DUE = _of_its_round.where(_IS_DUE).order_by(Callback.id)
_OWED = select(Callback).where(
    Callback.state == word(CallbackState.ENDED),
    Callback.ended_at <= bindparam("told_ago", type_=UtcDateTime),
)


IS_ANY = select(exists().where(Callback.state.in_(words((CallbackState.CLAIMED, CallbackState.ENDED)))))


def _asked(at: datetime) -> dict[str, datetime]:
    waits = {"never_talked_ago": NEVER_TALKED, "uncalled_ago": UNCALLED, "settled_ago": SETTLED}
    return {**rounds.moment(at), **{name: at - wait for name, wait in waits.items()}}


def due(session: Session) -> Sequence[str]:
    """The tokens of the callbacks that are to be settled."""
    return core(session).execute(_ALL_DUE, _asked(trusted_now(session))).scalars().all()


def settle(session: Session, token: str, settings: Settings) -> Outcome | None:
    """Say the outcome that the desk owes; None if it is not due any more. The audit log shows it."""
    due_now = select(Callback).join(Round, Round.id == Callback.round_id).where(Callback.token == token)
    at = trusted_now(session)
    callback = session.scalar(
        due_now.where(_IS_DUE).with_for_update(of=Callback, key_share=True, skip_locked=True), _asked(at)
    )
    if callback is None:
        return None
    uncalled = callback.state is CallbackState.CLAIMED
    outcome = Outcome.RETURNED if uncalled else conversations.default_outcome(callback) or Outcome.CALL_AGAIN
    subject, why = f"callback {callback.id}", f"desk {callback.desk_id}, {outcome}"
    audit.record(session, audit.SYSTEM, "left-in-hand", subject, why)
    closing.close(session, token, outcome, settings, again_at=at)
    return outcome


def is_owed(callback: Callback, at: datetime) -> bool:
    """Whether a supervisor is to say what came of this conversation, since its desk does not."""
    talked = callback.state is CallbackState.ENDED and callback.talking_at is not None
    return talked and callback.ended_at is not None and callback.ended_at <= at - TOLD


def is_any_owed(session: Session) -> bool:
    """Whether `tell` may have anything to tell."""
    return core(session).execute(_OWED, {"told_ago": trusted_now(session) - TOLD}).first() is not None


def tell(session: Session) -> int:
    """Tell supervisors of each conversation that is owed an outcome, once; how many."""
    at = trusted_now(session)
    owed = [each for each in session.scalars(_OWED, {"told_ago": at - TOLD}) if is_owed(each, at)]
    told = 0
    for callback in owed:
        subject = f"callback {callback.id}"
        if callback.desk_id is None or audit.search(session, action="outcome-owed", subject=subject, limit=1):
            continue
        told += 1
        audit.record(session, audit.SYSTEM, "outcome-owed", subject, f"desk {callback.desk_id}")
        events.desk_changed(session, callback.desk_id, "owes-outcome")
    return told
