"""Followers of somebody else's request: they are told how it ends, and asked nothing.

A follower stays with the request that they followed. While that request is a duplicate, they hear about its
original.
"""

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from db.models import Follower, OutboxKind, Request
from hotline.messages import outbox


def tell(session: Session, request: Request, kind: OutboxKind, reply: str = "") -> None:
    """Queue one message of `kind` for each follower of the request or of one of its duplicates.

    Skip numbers that get the message anyway: those that reported the request or a duplicate.
    """
    duplicates = Request.duplicate_of_id == request.id
    told = select(Request.number).where(duplicates, Request.number.is_not(None))
    theirs = Follower.request_id.in_(select(Request.id).where(duplicates))
    follow = select(Follower).where(
        or_(Follower.request_id == request.id, theirs),
        Follower.number.is_distinct_from(request.number),
        Follower.number.not_in(told),
    )
    each = {follower.number: follower for follower in session.scalars(follow.order_by(Follower.id.desc()))}
    outbox.tell_followers(session, kind, request, sorted(each.values(), key=lambda one: one.id), reply)
