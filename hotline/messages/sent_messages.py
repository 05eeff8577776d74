"""Sent and unsent messages as staff see them, and how to send one again."""

from collections.abc import Sequence
from urllib.parse import urlsplit

from sqlalchemy import ColumnElement, and_, case, or_, select, update
from sqlalchemy.orm import Session

from db.engine import now
from db.models import NOT_ARRIVED, TO_WEBHOOKS, Delivery, OutboxKind, OutboxMessage
from hotline import audit, numbers
from hotline.errors import Refused


def list_page(
    session: Session,
    *,
    state: Delivery | None = None,
    kind: OutboxKind | None = None,
    lost: bool = False,
    before: int | None = None,
    limit: int,
) -> Sequence[OutboxMessage]:
    """Return the newest messages (of a state or kind, `lost`, or with ids below `before`), newest first."""
    query = select(OutboxMessage).order_by(OutboxMessage.id.desc()).limit(limit)
    wanted = [
        (state, OutboxMessage.state == state),
        (kind, OutboxMessage.kind == kind),
        (lost, may_be_sent_again()),
        (before, OutboxMessage.id < (before or 0)),
    ]
    return session.scalars(query.where(*[condition for given, condition in wanted if given])).all()


def mask_recipient(message: OutboxMessage) -> str:
    """Return the recipient as far as it may be shown: a masked number, or a webhook's host."""
    if message.kind in TO_WEBHOOKS:
        return urlsplit(message.to).hostname or ""  # the rest may be a secret
    return numbers.mask(message.to)


def retry(session: Session, message_id: int, who: str) -> None:
    """Send a message again that failed, expired, or did not arrive.

    It gets a new name, unless the first may still arrive. Raises Refused("not-found" | "wrong-state").
    """
    if session.get(OutboxMessage, message_id) is None:
        raise Refused("not-found", f"no message {message_id}")
    at = now(session)
    changed = session.scalar(
        update(OutboxMessage)
        .where(OutboxMessage.id == message_id, may_be_sent_again())
        .values(
            state=Delivery.PENDING,
            attempts=0,
            again=OutboxMessage.again + case((OutboxMessage.doubts == 0, 1), else_=0),
            doubts=0,
            not_before=at,
            expires_at=None,
            error="",
            why=None,
            arrival=None,
            arrival_at=None,
            ask_at=None,
            asks=0,
        )
        .returning(OutboxMessage.id)
        .execution_options(synchronize_session=False)
    )
    if changed is None:
        raise Refused("wrong-state", "it is sent, or it will be")
    audit.record(session, who, "message-retried", f"message {message_id}")


def may_be_sent_again() -> ColumnElement[bool]:
    """Condition on OutboxMessage: a person may have it sent again. A sign-in code that is late is useless."""
    lost = and_(OutboxMessage.state == Delivery.SENT, OutboxMessage.arrival.in_(NOT_ARRIVED))
    over = OutboxMessage.state.in_((Delivery.FAILED, Delivery.EXPIRED))
    return and_(OutboxMessage.kind != OutboxKind.SIGN_IN_CODE, or_(over, lost))


def may_be_sent(message: OutboxMessage) -> bool:
    """Return whether a person may have this message sent again."""
    if message.kind is OutboxKind.SIGN_IN_CODE:
        return False
    lost = message.state is Delivery.SENT and message.arrival in NOT_ARRIVED
    return lost or message.state in (Delivery.FAILED, Delivery.EXPIRED)
