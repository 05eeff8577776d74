"""Messages on their way: sent once, never lost, whatever the provider, the network or a kill does."""

import logging
import os
import re
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, update

from db.engine import connect, now, reading, writing
from db.models import Delivery, DeliveryFailure, OutboxMessage, Registration
from hotline.messages import delivery_reports
from scheduler import sender
from scheduler.sms import chain
from scheduler.sms.kavenegar import Kavenegar
from settings import CITY, QuietHours, Settings
from tests.factories import at_once
from tests.kit.outbox import later, messages, notice, only, register
from tests.kit.sms_provider import DRIP, DROP, GARBAGE, HANG, HUGE, KEY, PATIENCE_S, SmsProvider

DAY = timedelta(days=1)


def states(engine: Engine) -> set[Delivery]:
    return {message.state for message in messages(engine)}


# Sent


def test_registration_message_is_sent_once_and_recorded(
    engine: Engine, ready: Settings, provider: SmsProvider
) -> None:
    register(engine)
    sender.run(engine, ready)
    text_message, (request,) = only(engine), provider.requests
    assert request.path == f"/v1/{KEY}/sms/send.json"
    assert request.fields["receptor"] == "0" + text_message.to[3:]
    assert request.fields["sender"] == "10004346"
    assert request.fields["localid"].isdecimal() and int(request.fields["localid"]) < 2**63
    assert "شهروند گرامی" in request.fields["message"]
    assert text_message.state is Delivery.SENT and text_message.sent_at is not None
    assert (text_message.provider_id, text_message.error) == (str(provider.ids[request.name]), "")
    sender.run(engine, ready)
    assert len(provider.requests) == 1


@pytest.mark.parametrize("backend", ["sqlite"])
def test_refused_key_is_reported_until_one_is_accepted(
    engine: Engine, ready: Settings, provider: SmsProvider
) -> None:
    by_http = ready.model_copy(update={"sms_provider": "http"})

    def trouble() -> str:
        with reading(engine) as session:
            return delivery_reports.find_trouble(session, ["http"], {})

    register(engine)
    provider.plan.append(401)
    sender.run(engine, by_http)
    assert (only(engine).state, only(engine).why) == (Delivery.PENDING, DeliveryFailure.ACCOUNT)
    assert trouble() == "http: HTTP 401"
    later(engine)
    sender.run(engine, by_http)
    assert (only(engine).state, trouble()) == (Delivery.SENT, "")


def test_more_than_a_batch_is_sent_once_to_each(
    engine: Engine, ready: Settings, provider: SmsProvider
) -> None:
    register(engine, 47)
    sender.run(engine, ready)
    assert states(engine) == {Delivery.SENT}
    assert {r.fields["receptor"] for r in provider.delivered.values()} == {
        "0" + m.to[3:] for m in messages(engine)
    }
    assert len(provider.requests) == 47


# Never twice


@pytest.mark.parametrize("step", [DROP, GARBAGE, HANG, DRIP, HUGE])
def test_incomplete_answer_leads_to_one_delivery(
    engine: Engine, ready: Settings, provider: SmsProvider, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    register(engine)
    provider.plan.append(step)
    with monkeypatch.context() as patch:
        patch.setattr(chain, "TIMEOUT_S", 0.5)
        sender.run(engine, ready)
    provider.wait_for(1)
    assert only(engine).state is Delivery.PENDING
    assert only(engine).error
    later(engine)
    sender.run(engine, ready)
    first, second = provider.requests
    assert first.name == second.name
    assert list(provider.delivered) == [first.name]
    assert only(engine).state is Delivery.SENT
    assert only(engine).provider_id == str(provider.ids[first.name])


RUN = """
from scheduler import sender
from db.engine import connect
from settings import load
settings = load(_env_file=None)
sender.run(connect(settings.database), settings)
"""


def test_message_of_a_killed_sender_is_delivered_once(
    engine: Engine, ready: Settings, provider: SmsProvider
) -> None:
    register(engine)
    provider.plan.append(HANG)
    names = ("state_dir", "database_url", "sms_provider", "sms_kavenegar_url", "sms_kavenegar_key")
    env = {f"HOTLINE_{name.upper()}": str(getattr(ready, name)) for name in names}
    killed = subprocess.Popen(
        [sys.executable, "-c", RUN],
        cwd=Path(__file__).parents[2],
        env={**os.environ, **env, "HOTLINE_QUIET_HOURS": "00:00-00:00"},
    )
    provider.wait_for(1)
    killed.kill()
    killed.wait(PATIENCE_S)
    assert only(engine).state is Delivery.SENDING
    sender.run(engine, ready)
    assert len(provider.requests) == 1  # it may still be alive
    later(engine)
    sender.run(engine, ready)
    first, second = provider.requests
    assert first.name == second.name
    assert len(provider.delivered) == 1
    assert (only(engine).state, only(engine).attempts) == (Delivery.SENT, 2)


def test_several_senders_send_each_message_once(
    database: str, engine: Engine, ready: Settings, provider: SmsProvider
) -> None:
    register(engine, 60)
    engines = [connect(database) for _ in range(3)]
    at_once(3, lambda which: sender.run(engines[which], ready))
    for own in engines:
        own.dispose()
    assert len(provider.requests) == len(provider.delivered) == 60
    assert states(engine) == {Delivery.SENT}
    assert {message.attempts for message in messages(engine)} == {1}


# Never lost


def test_recovered_provider_delivers_each_message_once(
    engine: Engine, ready: Settings, provider: SmsProvider
) -> None:
    register(engine, 25)
    down = ready.model_copy(update={"sms_kavenegar_url": "http://127.0.0.1:9"})
    for attempt in range(1, 12):
        sender.run(engine, down)
        later(engine)
        assert {(m.state, m.attempts, m.error) for m in messages(engine)} == {
            (Delivery.PENDING, attempt, "ConnectError")
        }
    sender.run(engine, ready)
    assert states(engine) == {Delivery.SENT}
    assert len(provider.requests) == len(provider.delivered) == 25


def test_unwordable_message_is_kept_and_others_are_sent(
    engine: Engine, ready: Settings, provider: SmsProvider
) -> None:
    register(engine, 3)
    broken = messages(engine)[1].id
    with writing(engine) as session:
        session.execute(update(OutboxMessage).where(OutboxMessage.id == broken).values(body="{"))
    sender.run(engine, ready)
    found = {message.id: message for message in messages(engine)}
    assert (found.pop(broken).state, {m.state for m in found.values()}) == (
        Delivery.PENDING,
        {Delivery.SENT},
    )


def quiet_now(engine: Engine) -> QuietHours:
    with reading(engine) as session:
        at = now(session).astimezone(CITY)
    return QuietHours((at - timedelta(hours=1)).time(), (at + timedelta(hours=1)).time())


# Quiet hours, and what comes too late


def test_quiet_hours_hold_texts_but_not_notices(
    engine: Engine, ready: Settings, provider: SmsProvider
) -> None:
    register(engine, 2)
    notice(engine, ready)
    sender.run(engine, ready.model_copy(update={"quiet_hours": quiet_now(engine)}))
    assert [message.state for message in messages(engine)] == [
        Delivery.PENDING,
        Delivery.PENDING,
        Delivery.SENT,
    ]
    sender.run(engine, ready)
    assert len(provider.requests) == 3
    assert states(engine) == {Delivery.SENT}


def test_message_past_its_deadline_expires_unsent(
    engine: Engine, ready: Settings, provider: SmsProvider
) -> None:
    register(engine)
    with reading(engine) as session:
        past = now(session) - timedelta(seconds=1)
    later(engine, expires_at=past)
    quiet = ready.model_copy(update={"quiet_hours": quiet_now(engine)})
    sender.run(engine, quiet)
    assert (only(engine).state, only(engine).error) == (Delivery.EXPIRED, "too late")
    assert provider.requests == []


def test_texts_expire_and_notices_go_out_without_a_provider(
    engine: Engine, ready: Settings, provider: SmsProvider
) -> None:
    nobody = ready.model_copy(update={"sms_provider": ""})
    register(engine)
    sender.run(engine, nobody)
    assert only(engine).state is Delivery.PENDING
    with reading(engine) as session:
        later(engine, made_at=now(session) - DAY)
    notice(engine, ready)
    sender.run(engine, nobody)
    text, posted = messages(engine)
    assert (text.state, posted.state) == (Delivery.EXPIRED, Delivery.SENT)
    assert text.why is DeliveryFailure.NOBODY, (
        "nothing is late that nobody sends: sent again it says the same"
    )


# Discretion


@pytest.mark.parametrize("way", ["kavenegar", "http", "console"])
def test_failures_log_no_number_text_key_or_ticket(
    engine: Engine, ready: Settings, provider: SmsProvider, caplog: pytest.LogCaptureFixture, way: str
) -> None:
    caplog.set_level(logging.DEBUG)
    logging.getLogger("sqlalchemy").setLevel(logging.WARNING)
    (registration_id,) = register(engine)
    notice(engine, ready)
    chosen = ready.model_copy(update={"sms_provider": way, "sms_http_headers": {"X-Key": "geheim"}})
    for step in (500, DROP, GARBAGE, 411):
        provider.plan += [step] * 2
        sender.run(engine, chosen)
        later(engine)
    with reading(engine) as session:
        found = session.get_one(Registration, registration_id)
    said = "\n".join([*caplog.messages, caplog.text])
    assert said.count("message")
    for secret in (found.number, found.number[4:], found.ticket, KEY, "geheim", "s3cr3t", "شهروند"):
        assert secret not in said
    assert not re.search(r"\d{10}", re.sub(r"text message \d+", "", said))
    assert ("…" + found.number[-2:] in said) is (way == "console")


def test_message_survives_an_exception_of_its_provider(
    engine: Engine, ready: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object) -> str:
        raise ZeroDivisionError

    monkeypatch.setattr(Kavenegar, "send", broken)
    register(engine)
    sender.run(engine, ready)
    assert (only(engine).state, only(engine).error) == (Delivery.PENDING, "ZeroDivisionError")


def test_unrecorded_message_is_resent_under_the_same_name(
    engine: Engine, ready: Settings, provider: SmsProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_: object) -> None:
        raise OSError

    register(engine, 3)
    with monkeypatch.context() as patch:
        patch.setattr(sender, "_write", gone)
        with pytest.raises(OSError):
            sender.run(engine, ready)
    assert states(engine) == {Delivery.SENDING}
    later(engine)
    sender.run(engine, ready)
    assert states(engine) == {Delivery.SENT}
    assert (len(provider.requests), len(provider.delivered)) == (6, 3)
