"""Delivery states of messages: polled by one scheduler, less and less often, and kept."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine, update

from db.engine import now, reading, writing
from db.models import Arrival, Delivery, OutboxMessage, SmsAccount
from hotline.errors import Refused
from hotline.messages import delivery, delivery_reports, sent_messages
from hotline.messages.delivery import Sent, Taken
from tests.kit.outbox import NEVER, messages, only, register


def sent(engine: Engine, count: int = 1) -> None:
    """Send messages by kavenegar that are due for a poll."""
    register(engine, count)
    with writing(engine) as session:
        for message in delivery.take_up(session, quiet=NEVER, texts=True, limit=50):
            out = Sent(f"k{message.id}", "kavenegar", 1, timedelta(0))
            delivery.record_sent(session, Taken(message.id, message.attempts), out)


def test_sent_messages_are_polled_once_by_their_provider(
    engine: Engine,
) -> None:
    sent(engine, 3)
    with writing(engine) as session:
        assert delivery_reports.take_up(session, "smsir", 10) == {}
        first = delivery_reports.take_up(session, "kavenegar", 2)
        second = delivery_reports.take_up(session, "kavenegar", 2)
        assert (len(first), len(second), delivery_reports.take_up(session, "kavenegar", 2)) == (2, 1, {})
    assert {*first, *second} == {f"k{message.id}" for message in messages(engine)}


def test_unanswered_polls_back_off_and_end_as_unknown(
    engine: Engine,
) -> None:
    sent(engine)
    waits = []
    for _ in delivery_reports.ASKED_AFTER:
        with writing(engine) as session:
            assert len(delivery_reports.take_up(session, "kavenegar", 5)) == 1
        if ask_at := only(engine).ask_at:
            with reading(engine) as session:
                waits.append(ask_at - now(session))
            with writing(engine) as session:
                session.execute(update(OutboxMessage).values(ask_at=now(session)))
    assert waits == sorted(waits) and sum(waits, timedelta(0)) > timedelta(days=1)
    assert (only(engine).arrival, only(engine).ask_at) == (Arrival.UNKNOWN, None)


@pytest.mark.parametrize(("arrival", "again"), [(Arrival.BLACKLISTED, True), (Arrival.DELIVERED, False)])
def test_delivery_state_is_kept_and_allows_one_retry(engine: Engine, arrival: Arrival, again: bool) -> None:
    sent(engine)
    own = only(engine).id
    with writing(engine) as session:
        delivery_reports.take_up(session, "kavenegar", 5)
        delivery_reports.record(session, "kavenegar", {own: (f"k{own}", arrival)})
    assert (only(engine).state, only(engine).arrival, only(engine).ask_at) == (Delivery.SENT, arrival, None)
    with reading(engine) as session:
        assert [message.id for message in sent_messages.list_page(session, lost=True, limit=5)] == [
            own
        ] * again
    tries = [again, False]
    for allowed in tries:
        with writing(engine) as session:
            if allowed:
                sent_messages.retry(session, own, "someone")
            else:
                with pytest.raises(Refused, match="sent"):
                    sent_messages.retry(session, own, "someone")


def test_late_state_of_a_resent_message_is_ignored(
    engine: Engine,
) -> None:
    sent(engine)
    own = only(engine).id
    with writing(engine) as session:
        delivery_reports.record(session, "kavenegar", {own: ("k0", Arrival.DELIVERED)})
        delivery_reports.record(session, "smsir", {own: (f"k{own}", Arrival.DELIVERED)})
    assert only(engine).arrival is None


def test_account_trouble_is_reported_for_those_in_use(
    engine: Engine,
) -> None:
    with writing(engine) as session:
        for provider, credit in (("kavenegar", 900.0), ("smsir", 10.0), ("ghasedak", 0.0)):
            delivery_reports.keep_account(session, provider, credit)
        delivery_reports.keep_account(session, "smsir", None, "SMS.ir 10")
        said = delivery_reports.find_trouble(session, ("kavenegar", "smsir"), {"kavenegar": 1000})
        assert said == "kavenegar: little credit, smsir: SMS.ir 10"
        assert session.get_one(SmsAccount, "smsir").credit == 10.0
        assert delivery_reports.find_trouble(session, ("kavenegar",), {}) == ""
        session.execute(update(SmsAccount).values(asked_at=now(session) - timedelta(hours=2)))
        assert delivery_reports.find_trouble(session, ("kavenegar", "smsir"), {"kavenegar": 1000}) == ""
