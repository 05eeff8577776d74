"""Test messages: an administrator sends one to a telephone, through the outbox like every message."""

import uuid
from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.engine import hold_lock, now
from db.models import BlockedNumber, OutboxMessage
from hotline import audit, numbers
from hotline.errors import Refused, count_seconds_until
from hotline.messages import outbox
from settings import Settings

_PREFIX = "trial-"
PER_HOUR = 6
_HOUR, _SAME = timedelta(hours=1), timedelta(seconds=30)
"""A repeat within this time is the same message: the button was pressed twice."""
_OURS = OutboxMessage.key.startswith(_PREFIX)


def ask(session: Session, text: str, *, who: str, language: str, settings: Settings) -> OutboxMessage:
    """Request a text message to this number as typed.

    Raises what `numbers.parse` raises, and Refused("trial-no-provider" | "trial-needs-mobile" |
    "trial-number-blocked" | "too-many-trials").
    """
    if not settings.sms_provider:
        raise Refused("trial-no-provider", "nobody sends text messages: sms.provider is empty")
    number = numbers.parse(text, settings.allowed_prefixes)
    if not number.startswith(outbox.MOBILE):
        raise Refused("trial-needs-mobile", "text messages reach mobile numbers only")
    hold_lock(session, "trial texts")
    at = now(session)
    same = select(OutboxMessage).where(_OURS, OutboxMessage.to == number, OutboxMessage.made_at > at - _SAME)
    if found := session.scalars(same.order_by(OutboxMessage.id.desc()).limit(1)).first():
        return found
    if session.get(BlockedNumber, number) is not None:
        raise Refused("trial-number-blocked", "this number is blocked: nothing is sent to it")
    of_hour = select(OutboxMessage.made_at).where(_OURS, OutboxMessage.made_at > at - _HOUR)
    newest = of_hour.order_by(OutboxMessage.made_at.desc())
    if oldest := session.scalar(newest.offset(PER_HOUR - 1).limit(1)):
        raise Refused(
            "too-many-trials",
            f"{PER_HOUR} test messages in an hour are enough",
            after_s=count_seconds_until(oldest + _HOUR, at),
        )
    key = f"{_PREFIX}{uuid.uuid4().hex}"
    outbox.answer(session, key, number, {"language": language, "text": "trial", "ways": [], "values": {}})
    message = session.scalars(select(OutboxMessage).where(OutboxMessage.key == key)).one()
    audit.record(session, who, "trial-text", f"message {message.id}")
    return message


def is_one(message: OutboxMessage) -> bool:
    """Return whether this is a test message, and not an answer to a citizen."""
    return message.key.startswith(_PREFIX)


def list_latest(session: Session, limit: int = 5) -> Sequence[OutboxMessage]:
    """Return the newest test messages, newest first."""
    query = select(OutboxMessage).where(_OURS).order_by(OutboxMessage.id.desc())
    return session.scalars(query.limit(limit)).all()
