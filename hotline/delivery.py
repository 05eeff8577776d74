"""How messages of the outbox go out: taken up, sent, tried again, given up.

A sender takes a message up, which is committed before anything goes out, and has it for LEASE; if it is
killed before it has recorded what became of it, another takes the same message up under the same name
(`name_outside`).
"""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Engine, and_, exists, or_, select, update
from sqlalchemy.orm import Session

from db.engine import now
from db.models import (
    TO_WEBHOOKS,
    TOPICS,
    CitizenSession,
    Delivery,
    OutboxKind,
    OutboxMessage,
    PushSubscription,
    WhyNot,
    word,
    words,
)
from db.peeks import peek
from db.trusted_time import is_doubted
from hotline import outbox
from hotline.clock import is_quiet
from settings import QuietHours

_AT_ANY_HOUR = (*TO_WEBHOOKS, OutboxKind.ANSWER, OutboxKind.SIGN_IN_CODE, OutboxKind.URGENT)
"""A machine's, what somebody waits for who has just asked for it, and what cannot wait."""

LEASE = timedelta(minutes=2)
ATTEMPTS = 24
"""Then a message has failed: after half a day or more."""
LONGEST_WAIT = timedelta(hours=1)
_FIRST_WAIT_S, _LONGEST_WAIT_S = 30.0, LONGEST_WAIT.total_seconds()


class Taken(NamedTuple):
    """A message that a sender has taken up. `attempt` is its right to say what became of it."""

    id: int
    attempt: int


class Sent(NamedTuple):
    """Who took a message, and its id there."""

    provider_id: str
    provider: str = ""
    parts: int | None = None
    asked_after: timedelta | None = None
    """When the provider is asked first what became of it; None: it never says."""


class NotSent(NamedTuple):
    """Why a message did not go out, as far as anybody knows."""

    error: str
    why: WhyNot | None = None
    provider: str | None = None
    in_doubt: bool = False
    """It may have gone out, by `provider`."""


def name_outside(message: OutboxMessage) -> str:
    """The message's name at a provider, always the same; of a text message: digits that fit into 63 bits.

    The time is in it because a provider remembers names longer than a database lives that is made anew.
    A message that was sent anew has a name of a later time.
    """
    if message.kind in TO_WEBHOOKS:
        return message.key
    return str((int(message.made_at.timestamp()) + (message.again or 0)) * 10**8 + message.id % 10**8)


_UNSENT = OutboxMessage.state.in_(words((Delivery.PENDING, Delivery.SENDING)))
_IS_CODE = OutboxMessage.kind == word(OutboxKind.SIGN_IN_CODE)
# Asked every second, by who takes no writer's turn to look: built once.
CODES_WAIT = select(exists().where(_UNSENT, _IS_CODE))
OTHERS_WAIT = select(exists().where(_UNSENT, ~_IS_CODE))


def codes_wait(engine: Engine) -> bool:
    """Whether there is any code to take up, now or later."""
    return bool(peek(engine, CODES_WAIT))


def others_wait(engine: Engine) -> bool:
    """Whether there is any other message to take up, now or later."""
    return bool(peek(engine, OTHERS_WAIT))


def take_up_codes(session: Session, *, limit: int) -> Sequence[OutboxMessage]:
    """As `take_up`, codes for signing in, which wait behind no other message and for no hour."""
    at = now(session)
    due = and_(_is_due(at), OutboxMessage.kind == OutboxKind.SIGN_IN_CODE)
    _expire(session, at, due, texts=True)
    return _take(session, at, due, limit)


def take_up(
    session: Session, *, quiet: QuietHours, texts: bool, limit: int, push: str = ""
) -> Sequence[OutboxMessage]:
    """Take up at most `limit` due messages, no codes; the caller commits, then sends them.

    Text messages wait while it is quiet, unless they answer one or are urgent, and stay if nobody sends
    them (`texts`), but for what may go to a browser that takes notices by our public key `push`.
    What has expired does so. While the clock is in doubt nothing expires, and only messages that wait for no
    hour are taken up: it may be night.
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
        if message.state is Delivery.SENDING:  # whoever had it never said what became of it
            message.doubts += 1
        message.state = Delivery.SENDING
        message.attempts += 1
        message.not_before = at + LEASE
    session.flush()
    return found


def hand_to(session: Session, taken: Taken, provider: str) -> None:
    """Write down to whom it goes before it does: if the sender is killed, that one may have it."""
    _record(session, taken, provider=provider)


def sent(session: Session, taken: Taken, out: Sent) -> None:
    """It went out: true whoever has the message by now."""
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


def put_off(session: Session, taken: Taken, failed: NotSent, after_s: float | None = None) -> None:
    """It did not go out: it is due again after a growing wait, `after_s` at least, or given up in the end."""
    if taken.attempt >= ATTEMPTS:
        give_up(session, taken, failed)
        return
    wait = min(_FIRST_WAIT_S * 2.0 ** (taken.attempt - 1), _LONGEST_WAIT_S)
    wait *= random.uniform(0.5, 1.0)  # noqa: S311 - so that not all come back in one moment
    wait = min(max(wait, after_s or 0.0), _LONGEST_WAIT_S)
    due = now(session) + timedelta(seconds=wait)
    _record(session, taken, state=Delivery.PENDING, not_before=due, **_told(failed))


def give_up(session: Session, taken: Taken, failed: NotSent) -> None:
    """It is refused for good, or was tried too often."""
    _record(session, taken, state=Delivery.FAILED, **_told(failed))


def drop(session: Session, taken: Taken, failed: NotSent) -> None:
    """It is of no use any more."""
    _record(session, taken, state=Delivery.EXPIRED, **_told(failed))


def _told(failed: NotSent) -> dict[str, Any]:
    told: dict[str, Any] = {"error": failed.error[:300], "why": failed.why}
    if failed.provider is not None:
        told["provider"] = failed.provider
    if failed.in_doubt:
        told["doubts"] = OutboxMessage.doubts + 1
    return told


def _expire(session: Session, at: datetime, due: ColumnElement[bool], texts: bool) -> None:
    _drop_all(session, and_(due, OutboxMessage.expires_at <= at), NotSent("too late", WhyNot.TOO_LATE))
    if not texts:
        unsent = and_(OutboxMessage.kind.not_in(TO_WEBHOOKS), OutboxMessage.made_at <= at - outbox.USEFUL)
        _drop_all(session, and_(due, unsent), NotSent("nobody sends text messages", WhyNot.NOBODY))


def _drop_all(session: Session, which: ColumnElement[bool], why: NotSent) -> None:
    session.execute(
        update(OutboxMessage)
        .where(which)
        .values(state=Delivery.EXPIRED, error=why.error, why=why.why)
        .execution_options(synchronize_session=False)
    )


def _record(session: Session, taken: Taken, **values: Any) -> None:
    """Record what became of it, unless it is in other hands by now."""
    mine = (
        OutboxMessage.id == taken.id,
        OutboxMessage.state == Delivery.SENDING,
        OutboxMessage.attempts == taken.attempt,
    )
    session.execute(
        update(OutboxMessage).where(*mine).values(**values).execution_options(synchronize_session=False)
    )
