"""Messages of the outbox on their way: in one pair of hands at a time, tried again, given up, expired."""

from datetime import datetime, timedelta

from sqlalchemy import Engine, update

from db.engine import now, writing
from db.models import Delivery, OutboxKind, OutboxMessage, TrustedTime
from hotline.messages import delivery
from hotline.messages.delivery import NotSent, Sent, Taken
from settings import CITY
from tests.kit.outbox import NEVER, later, only, register, wait_of


def test_names_of_two_databases_differ() -> None:
    first = OutboxMessage(id=1, kind=OutboxKind.TURN_NEAR, made_at=datetime(2026, 3, 21, tzinfo=CITY))
    other = OutboxMessage(id=1, kind=OutboxKind.TURN_NEAR, made_at=datetime(2026, 3, 22, tzinfo=CITY))
    assert delivery.make_provider_name(first) != delivery.make_provider_name(other)


def test_late_result_counts_only_if_sent(
    engine: Engine,
) -> None:
    register(engine)
    with writing(engine) as session:
        (old,) = delivery.take_up(session, quiet=NEVER, texts=True, limit=5)
    late = Taken(old.id, old.attempts)
    later(engine)
    with writing(engine) as session:
        (new,) = delivery.take_up(session, quiet=NEVER, texts=True, limit=5)
        assert new.id == old.id
        delivery.give_up(session, late, NotSent("late"))
        delivery.record_failure(session, late, NotSent("late"))
        delivery.drop(session, late, NotSent("late"))
    assert (only(engine).state, only(engine).error) == (Delivery.SENDING, "")
    with writing(engine) as session:
        delivery.record_sent(session, late, Sent("7"))
        delivery.record_failure(session, Taken(new.id, new.attempts), NotSent("no answer"))
    assert (only(engine).state, only(engine).provider_id) == (Delivery.SENT, "7")


def test_failed_attempts_back_off_and_end(
    engine: Engine,
) -> None:
    register(engine)
    waits = []
    for attempt in range(1, delivery.ATTEMPTS + 1):
        with writing(engine) as session:
            (taken,) = delivery.take_up(session, quiet=NEVER, texts=True, limit=5)
            delivery.record_failure(session, Taken(taken.id, attempt), NotSent("down"))
        if attempt < delivery.ATTEMPTS:
            waits.append(wait_of(engine))
            later(engine)
    assert (only(engine).state, only(engine).error) == (Delivery.FAILED, "down")
    for place, wait in enumerate(waits):
        longest = min(30 * 2**place, 3600)
        assert longest / 2 - 2 < wait <= longest
    assert sum(waits) > 6 * 3600


def test_message_in_delivery_does_not_expire(
    engine: Engine,
) -> None:
    register(engine)
    with writing(engine) as session:
        delivery.take_up(session, quiet=NEVER, texts=True, limit=5)
        session.execute(update(OutboxMessage).values(expires_at=now(session) - timedelta(seconds=1)))
    with writing(engine) as session:
        assert delivery.take_up(session, quiet=NEVER, texts=True, limit=5) == []
    assert only(engine).state is Delivery.SENDING


def test_clock_in_doubt_lets_only_urgent_messages_go(engine: Engine) -> None:
    register(engine)
    with writing(engine) as session:
        session.add(TrustedTime(id=1, at=now(session) - timedelta(days=1), boot="", ticks=0))
        session.flush()
        assert not delivery.take_up(session, quiet=NEVER, texts=True, limit=5)
        session.execute(update(OutboxMessage).values(kind=OutboxKind.URGENT))
        (taken,) = delivery.take_up(session, quiet=NEVER, texts=True, limit=5)
    assert only(engine).state is Delivery.SENDING and taken.kind is OutboxKind.URGENT
