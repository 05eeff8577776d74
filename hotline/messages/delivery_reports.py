"""Delivery reports: what became of sent messages, and the credit of our accounts at providers.

The provider is asked outside any transaction. `take_up` first postpones the next question. So only one of
several schedulers asks, and after a crash the question is repeated.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from db.engine import now
from db.models import Arrival, Delivery, OutboxMessage, SmsAccount

ASKED_AFTER = tuple(
    timedelta(minutes=minutes) for minutes in (0.5, 1, 5, 15, 60, 2 * 60, 6 * 60, 8 * 60, 16 * 60)
)
"""Waits between the questions about a message; after the last one its state is unknown."""
_NEW = {
    name: insert(SmsAccount).on_conflict_do_nothing()
    for name, insert in (("postgresql", postgresql.insert), ("sqlite", sqlite.insert))
}
_OF_KEYS = ("HTTP 401", "HTTP 403")
_STALE = timedelta(hours=1)


def take_up(session: Session, provider: str, limit: int) -> Mapping[str, int]:
    """Choose at most `limit` messages to ask this provider about; return our ids by the provider's ids."""
    at = now(session)
    due = (
        select(OutboxMessage)
        .where(OutboxMessage.provider == provider, OutboxMessage.ask_at <= at)
        .order_by(OutboxMessage.ask_at, OutboxMessage.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    found = session.scalars(due).all()
    for message in found:
        message.asks += 1
        more = message.asks < len(ASKED_AFTER)
        message.ask_at = at + ASKED_AFTER[message.asks] if more else None
        if not more:
            message.arrival, message.arrival_at = Arrival.UNKNOWN, at
    session.flush()
    return {message.provider_id: message.id for message in found}


def record(session: Session, provider: str, arrivals: Mapping[int, tuple[str, Arrival]]) -> None:
    """Record what became of messages.

    Each also names the provider's id: a message sent again has another one.
    """
    at = now(session)
    for message_id, (provider_id, arrival) in sorted(arrivals.items()):
        over = {} if arrival is Arrival.UNDERWAY else {"ask_at": None}
        session.execute(
            update(OutboxMessage)
            .where(
                OutboxMessage.id == message_id,
                OutboxMessage.provider == provider,
                OutboxMessage.provider_id == provider_id,
                OutboxMessage.state == Delivery.SENT,
            )
            .values(arrival=arrival, arrival_at=at, **over)
            .execution_options(synchronize_session=False)
        )


def keep_account(session: Session, provider: str, credit: float | None, error: str = "") -> None:
    """Record a provider's answer about our account; an error leaves the last credit."""
    at = now(session)
    said = {"asked_at": at, "error": error[:80], **({} if error else {"credit": credit})}
    known = update(SmsAccount).where(SmsAccount.provider == provider).values(said)
    if not session.scalar(known.returning(SmsAccount.provider)):
        session.execute(_NEW[session.get_bind().dialect.name], {"provider": provider, **said})


def clear_refusal(session: Session, provider: str) -> None:
    """Clear a recorded refusal of our key, because the provider has accepted a message."""
    session.execute(
        update(SmsAccount)
        .where(SmsAccount.provider == provider, SmsAccount.error.in_(_OF_KEYS))
        .values(error="")
        .execution_options(synchronize_session=False)
    )


def list_accounts(session: Session) -> Sequence[SmsAccount]:
    """Return all accounts, by the provider's name."""
    return session.scalars(select(SmsAccount).order_by(SmsAccount.provider)).all()


def find_trouble(session: Session, providers: Sequence[str], least: Mapping[str, float]) -> str:
    """Return which of these providers has less credit than `least` or refuses our key; empty: none."""
    said = []
    at = now(session)
    for account in list_accounts(session):
        if account.provider not in providers or account.asked_at < at - _STALE:
            continue
        if account.error:
            said.append(f"{account.provider}: {account.error}")
        elif is_low(account, least):
            said.append(f"{account.provider}: little credit")
    return ", ".join(said)


def is_low(account: SmsAccount, least: Mapping[str, float]) -> bool:
    """Return whether the credit is below the city's limit (1 if the city sets none)."""
    return account.credit is not None and account.credit < least.get(account.provider, 1.0)
