"""Who follows somebody else's request: told how it ends, and asked nothing."""

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from db.models import Follower, OutboxKind, Request
from hotline import outbox


def tell(session: Session, request: Request, kind: OutboxKind, reply: str = "") -> None:
    """Have those who follow it told of `kind`, but who is told of it anyway: by it, or by its duplicates."""
    told = select(Request.number).where(Request.duplicate_of_id == request.id, Request.number.is_not(None))
    follow = select(Follower).where(
        Follower.request_id == request.id,
        Follower.number.is_distinct_from(request.number),
        Follower.number.not_in(told),
    )
    outbox.tell_followers(session, kind, request, session.scalars(follow.order_by(Follower.id)).all(), reply)


def hand_on(session: Session, request: Request, original: Request) -> None:
    """Whoever follows a duplicate follows the first one from now on."""
    there = select(Follower.number).where(Follower.request_id == original.id)
    quietly = {"synchronize_session": False}
    session.execute(
        update(Follower)
        .where(
            Follower.request_id == request.id,
            Follower.number.is_distinct_from(original.number),
            Follower.number.not_in(there),
        )
        .values(request_id=original.id)
        .execution_options(**quietly)
    )
    session.execute(delete(Follower).where(Follower.request_id == request.id).execution_options(**quietly))
