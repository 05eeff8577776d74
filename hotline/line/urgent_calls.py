"""Calls and text messages to supervisors about urgent matters that nobody has taken.

The dialer places one call at a time, to one number after another, also at night. A person who presses 1 takes
the matter. `token` is committed before the call is placed, so that the call is never placed twice.
"""

import uuid
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, or_, select, update
from sqlalchemy.orm import Session

from db.engine import now
from db.models import OutboxKind, OutboxMessage, UrgentMatter
from hotline.messages import outbox
from hotline.requests import urgent
from settings import Settings

_PREFIX = "urgent-"
_TRIES = 3
"""Calls to each number about one matter."""
AGAIN = timedelta(minutes=1)
_AFTER_OUR_FAULT = timedelta(seconds=15)
_TEXTS = 10
"""Text messages in an hour to each number: a flood of reports does not flood a telephone."""
_A_MINUTE, _HOUR = timedelta(minutes=1), timedelta(hours=1)


def is_token(channel_id: str) -> bool:
    """Return whether a channel's id can be the token of such a call."""
    return channel_id.startswith(_PREFIX)


def find_due(session: Session, settings: Settings) -> int | None:
    """Return the matter that a supervisor is called about now; None while one is being called."""
    if not settings.supervisor_numbers or list_in_progress(session):
        return None
    at = now(session)
    return session.scalar(
        select(UrgentMatter.id)
        .join(urgent.RANKED, urgent.RANKED.c.id == UrgentMatter.id)
        .where(
            _is_late(at, settings),
            UrgentMatter.tries < _TRIES * len(settings.supervisor_numbers),
            or_(UrgentMatter.again_at.is_(None), UrgentMatter.again_at <= at),
        )
        .order_by(urgent.RANKED.c.quiet, UrgentMatter.tries, UrgentMatter.made_at, UrgentMatter.id)
        .limit(1)
    )


def _is_late(at: datetime, settings: Settings) -> ColumnElement[bool]:
    """Return the condition that the matter has waited for long enough, or that a leapt clock stamped it."""
    long_ago = UrgentMatter.made_at <= at - timedelta(minutes=settings.urgent_minutes)
    return or_(long_ago, UrgentMatter.made_at > at + _A_MINUTE)


def take_up(session: Session, matter_id: int, settings: Settings) -> tuple[str, str] | None:
    """Claim the call about this matter; return its token and number, or None if it is not due any more."""
    token = f"{_PREFIX}{uuid.uuid4().hex}"
    this = update(UrgentMatter).where(UrgentMatter.id == matter_id, UrgentMatter.token.is_(None), urgent.OPEN)
    taken = this.values(token=token, placed_at=now(session), tries=UrgentMatter.tries + 1)
    returning = taken.returning(UrgentMatter.tries + UrgentMatter.faults)
    calls = session.scalar(returning.execution_options(synchronize_session=False))
    if calls is None:
        return None
    numbers = settings.supervisor_numbers
    return token, numbers[(calls - 1) % len(numbers)]


def find_by_token(session: Session, token: str) -> UrgentMatter | None:
    """Return the matter of the call whose channel is `token`."""
    query = select(UrgentMatter).where(UrgentMatter.token == token)
    return session.scalar(query.execution_options(populate_existing=True))


def list_in_progress(session: Session) -> dict[str, datetime]:
    """Return the tokens of the calls in progress, with the time when each was placed."""
    query = select(UrgentMatter.token, UrgentMatter.placed_at).where(UrgentMatter.token.is_not(None))
    return {token: at for token, at in session.execute(query) if token and at}


def record_end(session: Session, token: str, *, ours: bool = False) -> None:
    """Record that the call is over, or was never placed.

    `ours`: it failed by our own fault, which costs no attempt. The next call goes to the next number.
    """
    this = update(UrgentMatter).where(UrgentMatter.token == token)
    over = this.values(
        token=None,
        again_at=now(session) + (_AFTER_OUR_FAULT if ours else AGAIN),
        tries=UrgentMatter.tries - int(ours),
        faults=UrgentMatter.faults + int(ours),
    )
    session.execute(over.execution_options(synchronize_session=False))


def queue_texts(session: Session, settings: Settings) -> int:
    """Queue text messages to supervisors about untaken matters, once for each; return how many matters.

    A matter that finds the hour's messages used up waits until there is room for all numbers.
    """
    if not settings.supervisor_numbers:
        return 0
    at = now(session)
    late = select(UrgentMatter).join(urgent.RANKED, urgent.RANKED.c.id == UrgentMatter.id)
    late = late.where(_is_late(at, settings), UrgentMatter.texted_at.is_(None))
    late = late.order_by(urgent.RANKED.c.quiet, UrgentMatter.made_at).limit(20)
    matters = session.scalars(late.with_for_update(of=UrgentMatter, skip_locked=True)).all()
    told = 0
    for matter in matters:
        free = [n for n in settings.supervisor_numbers if _texts(session, n, at) < _TEXTS]
        for number in free:
            outbox.tell_supervisor(session, number, f"{OutboxKind.URGENT}-{matter.id}-{number}", matter)
        if len(free) == len(settings.supervisor_numbers):
            matter.texted_at = at
            told += 1
    return told


def _texts(session: Session, number: str, at: datetime) -> int:
    of_hour = select(func.count(OutboxMessage.id)).where(
        OutboxMessage.to == number,
        OutboxMessage.kind == OutboxKind.URGENT,
        OutboxMessage.made_at > at - _HOUR,
    )
    return session.scalar(of_hour) or 0
