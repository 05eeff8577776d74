"""The scheduler asks providers what became of messages, and what credit is left."""

import asyncio
import logging
from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, update

from db.engine import now, reading, writing
from db.models import Arrival, OutboxMessage, SmsAccount
from hotline.messages import delivery_reports as rules
from scheduler import delivery_polls, sender
from scheduler.provider_responses import RefusedForGood, TryAgain
from scheduler.sms import chain
from scheduler.sms.provider import ask_each, map_states
from settings import Settings
from tests.kit.databases import on_one  # noqa: F401  (fixture)
from tests.kit.outbox import NEVER, messages, only, register
from tests.kit.sms_gateways import DROP, HALF, HANG, HTML, KEY, Gateway, kavenegar


@pytest.fixture
def gateway(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gateway]:
    monkeypatch.setattr(chain, "_resting", {})
    with Gateway(kavenegar) as listening:
        yield listening


@pytest.fixture
def one(settings: Settings, gateway: Gateway) -> Settings:
    own = {"sms_kavenegar_url": gateway.url, "sms_kavenegar_key": KEY, "quiet_hours": NEVER}
    return settings.model_copy(update={"sms_provider": "kavenegar", **own})


def later(engine: Engine) -> None:
    with writing(engine) as session:
        session.execute(update(OutboxMessage).values(ask_at=now(session)))


def accounts(engine: Engine) -> list[tuple[str, float | None, str]]:
    with reading(engine) as session:
        return [(each.provider, each.credit, each.error) for each in rules.list_accounts(session)]


def test_delivery_states_come_by_one_request_each_its_own(
    engine: Engine, one: Settings, gateway: Gateway
) -> None:
    register(engine, 4)
    sender.run(engine, one)
    delivery_polls.ask_what_became(engine, one)
    assert len(gateway.asked) == 4, "it is too early to ask"
    later(engine)
    states = [message.provider_id for message in messages(engine)]
    gateway.states = dict(zip(states, (10, 11, 14, 4), strict=True))
    delivery_polls.ask_what_became(engine, one)
    assert len(gateway.asked) == 5
    assert [message.arrival for message in messages(engine)] == [
        Arrival.DELIVERED,
        Arrival.UNREACHABLE,
        Arrival.BLACKLISTED,
        Arrival.UNDERWAY,
    ]
    assert [message.ask_at is None for message in messages(engine)] == [True, True, True, False]


@pytest.mark.parametrize("step", [HANG, DROP, HTML, HALF, 500, 403, (200, [{}]), (200, {"entries": 7})])
def test_silent_provider_is_asked_again_later(
    engine: Engine,
    one: Settings,
    gateway: Gateway,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    step: object,
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setattr(delivery_polls, "TIMEOUT_S", 0.5)
    register(engine)
    sender.run(engine, one)
    later(engine)
    gateway.plan.append(step)  # type: ignore[arg-type]
    delivery_polls.ask_what_became(engine, one)
    assert (only(engine).arrival, only(engine).asks, only(engine).ask_at is None) == (None, 1, False)
    assert KEY not in caplog.text


def test_credit_is_kept_and_a_wrong_key_is_reported(engine: Engine, one: Settings, gateway: Gateway) -> None:
    delivery_polls.ask_credit(engine, one)
    assert accounts(engine) == [("kavenegar", 500_000.0, "")]
    gateway.key = "another"
    delivery_polls.ask_credit(engine, one)
    assert accounts(engine) == [("kavenegar", 500_000.0, "Kavenegar 403")]


def test_polling_without_a_provider_does_nothing(engine: Engine, settings: Settings) -> None:
    delivery_polls.ask_credit(engine, settings)
    delivery_polls.ask_what_became(engine, settings)
    with reading(engine) as session:
        assert session.query(SmsAccount).count() == 0


@pytest.mark.parametrize("bad", [TryAgain("404"), RefusedForGood("400")])
def test_unknown_message_does_not_hide_the_other_states(
    bad: Exception,
) -> None:
    async def ask(id_: str) -> int | None:
        if id_ == "2":
            raise bad
        return {"1": 5, "3": 9}.get(id_)

    states = asyncio.run(ask_each(["1", "2", "3", "4"], ask))
    assert map_states(states, {5: Arrival.DELIVERED}) == {"1": Arrival.DELIVERED}
    with pytest.raises(type(bad)):
        asyncio.run(ask_each(["2"], ask))
