"""Delivery of outbox messages: claimed, sent, retried, given up.

A sender claims a message and commits before it sends, and holds it for LEASE. If the sender dies before it
records a result, another one claims the message under the same name (`make_provider_name`).
"""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, and_, exists, or_, select, update
from sqlalchemy.orm import Session

from db.engine import now
from db.models import (
    TO_WEBHOOKS,
    TOPICS,
    CitizenSession,
    Delivery,
    DeliveryFailure,
    OutboxKind,
    OutboxMessage,
    PushSubscription,
    make_literal,
    make_literals,
)
from db.trusted_time import is_doubted
from hotline.clock import is_quiet
from hotline.messages import outbox
from settings import QuietHours

_AT_ANY_HOUR = (*TO_WEBHOOKS, OutboxKind.ANSWER, OutboxKind.SIGN_IN_CODE, OutboxKind.URGENT)
"""Kinds for machines, answers that somebody awaits, and urgent ones: they are sent at any hour."""

LEASE = timedelta(minutes=2)
ATTEMPTS = 24
"""Maximum attempts; they take half a day or more."""
LONGEST_WAIT = timedelta(hours=1)
_FIRST_WAIT_S, _LONGEST_WAIT_S = 30.0, LONGEST_WAIT.total_seconds()


class Taken(NamedTuple):
    """A claimed message. A sender may record the result only with the present `attempt`."""

    id: int
    attempt: int


class Sent(NamedTuple):
    """The provider that accepted a message, and its id there."""

    provider_id: str
    provider: str = ""
    parts: int | None = None
    asked_after: timedelta | None = None
    """Wait before the first question about delivery; None: the provider never reports it."""


class NotSent(NamedTuple):
    """Why a message was not sent, as far as known."""

    error: str
    why: DeliveryFailure | None = None
    provider: str | None = None
    in_doubt: bool = False
    """Whether `provider` may have sent it nevertheless."""


def make_provider_name(message: OutboxMessage) -> str:
    """Return the message's constant name at a provider; for a text message digits that fit into 63 bits.

    It contains the time, because providers remember names longer than a recreated database lives. A message
    sent again has a later time in its name.
    """
    if message.kind in TO_WEBHOOKS:
        return message.key
    return str((int(message.made_at.timestamp()) + (message.again or 0)) * 10**8 + message.id % 10**8)


_UNSENT = OutboxMessage.state.in_(make_literals((Delivery.PENDING, Delivery.SENDING)))
_IS_CODE = OutboxMessage.kind == make_literal(OutboxKind.SIGN_IN_CODE)
# Senders ask this every second, on a connection for reading: it is built once.
CODES_WAIT = select(exists().where(_UNSENT, _IS_CODE))
OTHERS_WAIT = select(exists().where(_UNSENT, ~_IS_CODE))


def take_up_codes(session: Session, *, limit: int) -> Sequence[OutboxMessage]:
    """Claim due sign-in codes like `take_up`; they wait neither for other messages nor for quiet hours."""
    at = now(session)
    due = and_(_is_due(at), OutboxMessage.kind == OutboxKind.SIGN_IN_CODE)
    _expire(session, at, due, texts=True)
    return _take(session, at, due, limit)


def take_up(
    session: Session, *, quiet: QuietHours, texts: bool, limit: int, push: str = ""
) -> Sequence[OutboxMessage]:
    """Claim at most `limit` due messages except codes; the caller commits, then sends them.

    In quiet hours text messages wait, unless they are answers or urgent. Without a provider (`texts`) they
    wait as well, except those for browsers subscribed with our public key `push`. Expired messages are
    dropped. While the clock is in doubt nothing expires, and only messages for any hour are claimed: it may
    be night.
    """
    at, doubted = now(session), is_doubted(session)
    due = and_(_is_due(at), OutboxMessage.kind != OutboxKind.SIGN_IN_CODE)
    if not doubted:
        _expire(session, at, due, texts)
    if not texts:
        due = and_(due, or_(OutboxMessage.kind.in_(TO_WEBHOOKS), _for_browsers(push)))
    if doubted or is_quiet(at, quiet):
        due = and_(due, OutboxMessage.kind.in_(_AT_ANY_HOUR))
    return _take(session, at, due, limit)


def _for_browsers(push: str) -> ColumnElement[bool]:
    taken = (
        select(CitizenSession.number)
        .join(PushSubscription, PushSubscription.session_id == CitizenSession.id)
        .where(PushSubscription.ours == push)
    )
    return and_(OutboxMessage.kind.in_(TOPICS), OutboxMessage.to.in_(taken))


def _is_due(at: datetime) -> ColumnElement[bool]:
    its_sender_is_dead = and_(OutboxMessage.state == Delivery.SENDING, OutboxMessage.not_before <= at)
    return or_(OutboxMessage.state == Delivery.PENDING, its_sender_is_dead)


def _take(session: Session, at: datetime, due: ColumnElement[bool], limit: int) -> Sequence[OutboxMessage]:
    found = session.scalars(
        select(OutboxMessage)
        .where(due, OutboxMessage.not_before <= at)
        .order_by(OutboxMessage.kind != OutboxKind.TURN_NEAR, OutboxMessage.not_before, OutboxMessage.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    for message in found:
        if message.state is Delivery.SENDING:  # its sender died without a result
            message.doubts += 1
        message.state = Delivery.SENDING
        message.attempts += 1
        message.not_before = at + LEASE
    session.flush()
    return found


def record_provider(session: Session, taken: Taken, provider: str) -> None:
    """Record the provider before sending: if the sender dies, that provider may have the message."""
    _record(session, taken, provider=provider)


def record_sent(session: Session, taken: Taken, out: Sent) -> None:
    """Record that the message was sent, even if another sender has claimed it since."""
    at = now(session)
    session.execute(
        update(OutboxMessage)
        .where(OutboxMessage.id == taken.id, OutboxMessage.state != Delivery.SENT)
        .values(
            state=Delivery.SENT,
            sent_at=at,
            provider=out.provider,
            provider_id=out.provider_id[:80],
            parts=out.parts,
            doubts=0,
            error="",
            why=None,
            ask_at=None if out.asked_after is None else at + out.asked_after,
        )
    )


def record_failure(session: Session, taken: Taken, failed: NotSent, after_s: float | None = None) -> None:
    """Record a failed attempt: retry after a growing wait of at least `after_s` seconds, or give up."""
    if taken.attempt >= ATTEMPTS:
        give_up(session, taken, failed)
        return
    wait = min(_FIRST_WAIT_S * 2.0 ** (taken.attempt - 1), _LONGEST_WAIT_S)
    wait *= random.uniform(0.5, 1.0)  # noqa: S311 - so that not all come back in one moment
    wait = min(max(wait, after_s or 0.0), _LONGEST_WAIT_S)
    due = now(session) + timedelta(seconds=wait)
    _record(session, taken, state=Delivery.PENDING, not_before=due, **_told(failed))


def give_up(session: Session, taken: Taken, failed: NotSent) -> None:
    """Give up a message that was refused for good or tried too often."""
    _record(session, taken, state=Delivery.FAILED, **_told(failed))


def drop(session: Session, taken: Taken, failed: NotSent) -> None:
    """Drop a message that is of no use any more."""
    _record(session, taken, state=Delivery.EXPIRED, **_told(failed))


def _told(failed: NotSent) -> dict[str, Any]:
    told: dict[str, Any] = {"error": failed.error[:300], "why": failed.why}
    if failed.provider is not None:
        told["provider"] = failed.provider
    if failed.in_doubt:
        told["doubts"] = OutboxMessage.doubts + 1
    return told


def _expire(session: Session, at: datetime, due: ColumnElement[bool], texts: bool) -> None:
    _drop_all(
        session, and_(due, OutboxMessage.expires_at <= at), NotSent("too late", DeliveryFailure.TOO_LATE)
    )
    if not texts:
        unsent = and_(OutboxMessage.kind.not_in(TO_WEBHOOKS), OutboxMessage.made_at <= at - outbox.USEFUL)
        _drop_all(session, and_(due, unsent), NotSent("nobody sends text messages", DeliveryFailure.NOBODY))


def _drop_all(session: Session, which: ColumnElement[bool], why: NotSent) -> None:
    session.execute(
        update(OutboxMessage)
        .where(which)
        .values(state=Delivery.EXPIRED, error=why.error, why=why.why)
        .execution_options(synchronize_session=False)
    )


def _record(session: Session, taken: Taken, **values: Any) -> None:
    """Record values, unless another sender has claimed the message."""
    mine = (
        OutboxMessage.id == taken.id,
        OutboxMessage.state == Delivery.SENDING,
        OutboxMessage.attempts == taken.attempt,
    )
    session.execute(
        update(OutboxMessage).where(*mine).values(**values).execution_options(synchronize_session=False)
    )
