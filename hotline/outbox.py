"""The outbox: what citizens are told by text message, written in the transaction it tells of.

Words come later, in the language of the registration (the clerk's sender); here are only the facts. A sender
takes a message up, which is committed before anything goes out, and has it for LEASE; if it is killed before
it has recorded what became of it, another takes the same message up under the same name (`name_outside`).
"""

import json
import random
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from sqlalchemy import ColumnElement, and_, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from db.engine import core, now
from db.models import Delivery, Message, MessageKind, Registration, Request
from hotline import audit, numbers
from hotline.clock import is_quiet
from hotline.errors import Refused
from settings import QuietHours

MOBILE = "+989"
"""Numbers that text messages reach."""

_AT_ANY_HOUR = (MessageKind.NOTICE, MessageKind.ANSWER)
"""A machine's, and what somebody waits for who has just written."""

LEASE = timedelta(minutes=2)
ATTEMPTS = 24
"""Then a message has failed: after half a day or more."""

_INSERT = {
    name: insert(Message).on_conflict_do_nothing(index_elements=["key"])
    for name, insert in (("postgresql", postgresql.insert), ("sqlite", sqlite.insert))
}
_FIRST_WAIT_S, _LONGEST_WAIT_S = 30.0, 3600.0
ANSWER_KEY = "answer-"
_USEFUL = timedelta(days=1)
"""While nobody sends text messages, they wait for so long that somebody does."""


class Taken(NamedTuple):
    """A message that a sender has taken up. `attempt` is its right to say what became of it."""

    id: int
    attempt: int


def tell(
    session: Session,
    kind: MessageKind,
    registration: Registration,
    *,
    about_round: int,
    not_before: datetime | None = None,
    expires_at: datetime | None = None,
    **facts: Any,
) -> None:
    """Have the citizen told once of `kind` in that round; land lines cannot be. `facts` are for the text."""
    tell_all(
        session,
        kind,
        [registration],
        about_round=about_round,
        not_before=not_before,
        expires_at=expires_at,
        **facts,
    )


def tell_all(
    session: Session,
    kind: MessageKind,
    registrations: Sequence[Registration],
    *,
    about_round: int,
    nth: int | None = None,
    not_before: datetime | None = None,
    expires_at: datetime | None = None,
    **facts: Any,
) -> None:
    """Have each of these citizens told once; `nth` tells what happens to a round several times apart."""
    at = now(session)
    rows = [
        {
            "key": _key(kind, registration, about_round) + ("" if nth is None else f"-{nth}"),
            "kind": kind,
            "registration_id": registration.id,
            "round_id": about_round,
            "to": registration.number,
            "body": json.dumps({"ticket": registration.ticket, **facts}, ensure_ascii=False),
            "made_at": at,
            "not_before": not_before or at,
            "expires_at": expires_at,
        }
        for registration in registrations
        if registration.number.startswith(MOBILE)
    ]
    if rows:
        core(session).execute(_INSERT[session.get_bind().dialect.name], rows)


def tell_old_number(session: Session, registration: Registration, old: str) -> None:
    """Have `old`, at which this place was called so far, told that it no longer is; land lines cannot be."""
    if not old.startswith(MOBILE):
        return
    at = now(session)
    session.add(
        Message(
            key=f"{MessageKind.NUMBER_CHANGED}-{registration.id}-{int(at.timestamp() * 1e6)}",
            kind=MessageKind.NUMBER_CHANGED,
            registration_id=registration.id,
            round_id=registration.round_id,
            to=old,
            body=json.dumps({"ticket": registration.ticket}),
            made_at=at,
            not_before=at,
        )
    )


def tell_of_request(session: Session, kind: MessageKind, request: Request, reply: str = "") -> None:
    """Have whoever reported a request told of `kind`, with the office's `reply`; land lines cannot be."""
    if request.number is None or not request.number.startswith(MOBILE):
        return
    at = now(session)
    session.add(
        Message(
            key=f"{kind}-{request.id}-{int(at.timestamp() * 1e6)}",  # each time it is told anew
            kind=kind,
            request_id=request.id,
            to=request.number,
            body=json.dumps({"tracking": request.tracking, "reply": reply}, ensure_ascii=False),
            made_at=at,
            not_before=at,
        )
    )


def answer(session: Session, key: str, to: str, facts: Mapping[str, Any]) -> None:
    """Have the E.164 number `to`, which has just sent a text message, answered; `facts` are for the text."""
    at = now(session)
    session.add(
        Message(
            key=key,
            kind=MessageKind.ANSWER,
            to=to,
            body=json.dumps(facts, ensure_ascii=False),
            made_at=at,
            not_before=at,
            expires_at=at + _USEFUL,
        )
    )
    session.flush()


def answers_today(session: Session, to: str) -> int:
    """How many text messages of this number were answered in 24 hours."""
    today = select(func.count(Message.id)).where(
        Message.to == to, Message.kind == MessageKind.ANSWER, Message.made_at > now(session) - _USEFUL
    )
    return session.scalar(today) or 0


def is_known(session: Session, key: str) -> bool:
    """Whether there is a message of this key."""
    return session.scalar(select(Message.id).where(Message.key == key)) is not None


def told(session: Session, kind: MessageKind, registration: Registration, about_round: int) -> bool:
    """Whether the citizen is told of `kind` in that round, or soon will be."""
    return is_known(session, _key(kind, registration, about_round))


def name_outside(message: Message) -> str:
    """The message's name at a provider, always the same; of a text message: digits that fit into 63 bits.

    The time is in it because a provider remembers names longer than a database lives that is made anew.
    """
    if message.kind is MessageKind.NOTICE:
        return message.key
    return str(int(message.made_at.timestamp()) * 10**8 + message.id % 10**8)


def take_up(session: Session, *, quiet: QuietHours, texts: bool, limit: int) -> Sequence[Message]:
    """Take up at most `limit` due messages; the caller commits, then sends them.

    Text messages wait while it is quiet, unless they answer one, and stay if nobody sends them (`texts`).
    What has expired does so.
    """
    at = now(session)
    due = or_(
        Message.state == Delivery.PENDING,
        and_(Message.state == Delivery.SENDING, Message.not_before <= at),  # its sender is dead
    )
    _expire(session, at, due, texts)
    if not texts:
        due = and_(due, Message.kind == MessageKind.NOTICE)
    elif is_quiet(at, quiet):
        due = and_(due, Message.kind.in_(_AT_ANY_HOUR))
    found = session.scalars(
        select(Message)
        .where(due, Message.not_before <= at)
        .order_by(Message.kind != MessageKind.NEAR, Message.not_before, Message.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    for message in found:
        message.state = Delivery.SENDING
        message.attempts += 1
        message.not_before = at + LEASE
    session.flush()
    return found


def sent(session: Session, taken: Taken, provider_id: str) -> None:
    """It went out: true whoever has the message by now."""
    session.execute(
        update(Message)
        .where(Message.id == taken.id, Message.state != Delivery.SENT)
        .values(state=Delivery.SENT, sent_at=now(session), provider_id=provider_id[:80], error="")
    )


def put_off(session: Session, taken: Taken, error: str, after_s: float | None = None) -> None:
    """It did not go out: it is due again after a growing wait, `after_s` at least, or given up in the end."""
    if taken.attempt >= ATTEMPTS:
        give_up(session, taken, error)
        return
    wait = min(_FIRST_WAIT_S * 2.0 ** (taken.attempt - 1), _LONGEST_WAIT_S)
    wait *= random.uniform(0.5, 1.0)  # noqa: S311 - so that not all come back in one moment
    wait = min(max(wait, after_s or 0.0), _LONGEST_WAIT_S)
    due = now(session) + timedelta(seconds=wait)
    _record(session, taken, state=Delivery.PENDING, not_before=due, error=error[:300])


def give_up(session: Session, taken: Taken, error: str) -> None:
    """It is refused for good, or was tried too often."""
    _record(session, taken, state=Delivery.FAILED, error=error[:300])


def drop(session: Session, taken: Taken, error: str) -> None:
    """It is of no use any more."""
    _record(session, taken, state=Delivery.EXPIRED, error=error[:300])


def page(session: Session, state: Delivery | None, limit: int) -> Sequence[Message]:
    """The newest messages (in that state), newest first."""
    query = select(Message).order_by(Message.id.desc()).limit(limit)
    return session.scalars(query.where(Message.state == state) if state else query).all()


def recipient(message: Message) -> str:
    """To whom it goes, as much as may be shown: a masked number, or a webhook's host."""
    if message.kind is MessageKind.NOTICE:
        return urlsplit(message.to).hostname or ""  # the rest may be a secret
    return numbers.masked(message.to)


def retry(session: Session, message_id: int, who: str) -> None:
    """Have a message sent after all that failed or expired. Raises Refused("not-found" | "wrong-state")."""
    if session.get(Message, message_id) is None:
        raise Refused("not-found", f"no message {message_id}")
    at = now(session)
    changed = session.scalar(
        update(Message)
        .where(Message.id == message_id, Message.state.in_((Delivery.FAILED, Delivery.EXPIRED)))
        .values(state=Delivery.PENDING, attempts=0, not_before=at, expires_at=None, error="")
        .returning(Message.id)
        .execution_options(synchronize_session=False)
    )
    if changed is None:
        raise Refused("wrong-state", "it is sent, or it will be")
    audit.record(session, who, "message-retried", f"message {message_id}")


def _key(kind: MessageKind, registration: Registration, about_round: int) -> str:
    return f"{kind}-{registration.id}-{about_round}"


def _expire(session: Session, at: datetime, due: ColumnElement[bool], texts: bool) -> None:
    too_late = Message.expires_at <= at
    if not texts:
        unsent = and_(Message.kind != MessageKind.NOTICE, Message.made_at <= at - _USEFUL)
        too_late = or_(too_late, unsent)
    session.execute(
        update(Message)
        .where(due, too_late)
        .values(state=Delivery.EXPIRED, error="too late")
        .execution_options(synchronize_session=False)
    )


def _record(session: Session, taken: Taken, **values: Any) -> None:
    """Record what became of it, unless it is in other hands by now."""
    mine = (
        Message.id == taken.id,
        Message.state == Delivery.SENDING,
        Message.attempts == taken.attempt,
    )
    session.execute(
        update(Message).where(*mine).values(**values).execution_options(synchronize_session=False)
    )
