"""Retention: requests that ended long ago lose their citizen, and old text messages are deleted.

Open requests are never touched. Figures, the office's replies and the ledger stay.
"""

from datetime import timedelta

from sqlalchemy import and_, delete, exists, or_, select
from sqlalchemy.orm import Session, aliased

from db.models import (
    Delivery,
    Follower,
    OutboxKind,
    OutboxMessage,
    Registration,
    Request,
    RequestEntry,
)
from db.states import HOLDS_PLACE, OPEN_REQUESTS, RequestState
from db.trusted_time import trusted_now
from hotline.citizens import erasure
from hotline.requests.public import publications

_OUT = (Delivery.SENT, Delivery.FAILED, Delivery.EXPIRED)


def forget_requests(session: Session, days: int, limit: int) -> int:
    """Take the citizen out of at most `limit` requests that ended `days` days ago; return how many."""
    at = trusted_now(session)
    before = at - timedelta(days=days)
    first = aliased(Request)
    touched = exists().where(RequestEntry.request_id == Request.id, RequestEntry.at >= before)
    first_open = exists().where(first.id == Request.duplicate_of_id, first.state.in_(OPEN_REQUESTS))
    of_a_person = or_(
        Request.number.is_not(None),
        Request.written != "",
        Request.voice_message.is_not(None),
        Request.latitude.is_not(None),
        Request.place != "",
        Request.contact != "",
    )
    old = (
        select(Request)
        .where(
            Request.state.not_in(OPEN_REQUESTS),
            Request.part_of_id.is_(None),  # a part follows its whole
            Request.made_at < before,
            of_a_person,
            ~touched,
            ~and_(Request.state == RequestState.DUPLICATE, first_open),
        )
        .order_by(Request.id)
        .limit(limit)
        .with_for_update(of=Request, skip_locked=True)
    )
    found = session.scalars(old).all()
    for request in found:
        request.number = request.call_id = request.report_key = request.report_hash = None
        request.registration_id = None
        publications.forget_person(session, request.id)
        erasure.forget_words(session, request, at)
        session.execute(delete(Follower).where(Follower.request_id == request.id))
    return len(found)


def forget_messages(session: Session, days: int, limit: int) -> int:
    """Delete at most `limit` finished text messages older than `days` days; return how many.

    Messages of a place that is still held stay: they prevent a second message.
    """
    held = exists().where(
        Registration.id == OutboxMessage.registration_id, Registration.state.in_(HOLDS_PLACE)
    )
    old = select(OutboxMessage.id).where(
        OutboxMessage.state.in_(_OUT),
        OutboxMessage.made_at < trusted_now(session) - timedelta(days=days),
        OutboxMessage.kind != OutboxKind.NOTICE,
        ~held,
    )
    ids = list(session.scalars(old.order_by(OutboxMessage.id).limit(limit)))
    gone = delete(OutboxMessage).where(OutboxMessage.id.in_(ids))
    session.execute(gone.execution_options(synchronize_session=False))
    return len(ids)
