"""The outbox in tests: what is written into it, what has become of it, and time that passes for it."""

from datetime import time, timedelta
from typing import Any

from sqlalchemy import Engine, select, update

from db.engine import now, reading, writing
from db.models import OutboxKind, OutboxMessage
from db.states import Phase
from hotline.line import registration
from settings import QuietHours, Settings
from tests.factories import a_number, a_round

NEVER = QuietHours(time(0), time(0))


def register(engine: Engine, count: int = 1, **values: Any) -> list[int]:
    """Register citizens for a new round, which tells them. Return their registrations."""
    with writing(engine) as session:
        round_ = a_round(session, Phase.OPEN)
        return [
            registration.register(session, round_id=round_.id, number=a_number(), **values).registration_id
            for _ in range(count)
        ]


def notice(engine: Engine, ready: Settings) -> None:
    with writing(engine) as session:
        at = now(session)
        round_id = a_round(session, Phase.OPEN).id
        session.add(
            OutboxMessage(
                key=f"notice-{round_id}-announced-0",
                kind=OutboxKind.NOTICE,
                round_id=round_id,
                to=ready.notice_webhook,
                body='{"type": "round.announced", "text": "دور"}',
                made_at=at,
                not_before=at,
            )
        )


def messages(engine: Engine) -> list[OutboxMessage]:
    with reading(engine) as session:
        return list(session.scalars(select(OutboxMessage).order_by(OutboxMessage.id)))


def only(engine: Engine) -> OutboxMessage:
    (message,) = messages(engine)
    return message


def later(engine: Engine, **values: Any) -> None:
    """Let time pass: waits and leases are over."""
    with writing(engine) as session:
        due = {"not_before": now(session) - timedelta(seconds=1)} | values
        session.execute(update(OutboxMessage).values(due))


def wait_of(engine: Engine) -> float:
    """Seconds until the message is due."""
    with reading(engine) as session:
        return (session.scalars(select(OutboxMessage.not_before)).one() - now(session)).total_seconds()
