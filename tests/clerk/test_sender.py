"""Messages on their way: sent once, never lost, whatever the provider, the network or a kill does."""

import base64
import logging
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select, update
from standardwebhooks import Webhook

from clerk import providers, sender
from db.engine import connect, now, reading, writing
from db.models import Delivery, Message, MessageKind, Registration, Round
from db.states import Phase
from hotline import delivery
from hotline.delivery import Taken
from hotline.line import registration
from settings import CITY, QuietHours, Settings
from tests.factories import a_number, a_round, at_once
from tests.kit.sms_provider import DRIP, DROP, GARBAGE, HANG, HUGE, PATIENCE_S, SmsProvider

KEY = "4B657931323334353637383930"
NEVER = QuietHours(time(0), time(0))
DAY = timedelta(days=1)
SECRET = "whsec_" + base64.b64encode(b"0123456789abcdef" * 2).decode()


@pytest.fixture
def provider() -> Iterator[SmsProvider]:
    with SmsProvider() as listening:
        yield listening


@pytest.fixture
def ready(settings: Settings, provider: SmsProvider) -> Settings:
    """Settings with Kavenegar at the test's provider, and no quiet hours."""
    return settings.model_copy(
        update={
            "sms_provider": "kavenegar",
            "sms_kavenegar_url": provider.url,
            "sms_kavenegar_key": KEY,
            "sms_sender": "10004346",
            "sms_http_url": f"{provider.url}/send",
            "notice_webhook": f"{provider.url}/hook/s3cr3t",
            "notice_webhook_secret": SECRET,
            "quiet_hours": NEVER,
        }
    )


def register(engine: Engine, count: int = 1, **values: Any) -> list[int]:
    """So many citizens register for a new round, which tells them; their registrations."""
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
            Message(
                key=f"notice-{round_id}-announced-0",
                kind=MessageKind.NOTICE,
                round_id=round_id,
                to=ready.notice_webhook,
                body='{"type": "round.announced", "text": "نوبت"}',
                made_at=at,
                not_before=at,
            )
        )


def messages(engine: Engine) -> list[Message]:
    with reading(engine) as session:
        return list(session.scalars(select(Message).order_by(Message.id)))


def only(engine: Engine) -> Message:
    (message,) = messages(engine)
    return message


def states(engine: Engine) -> set[Delivery]:
    return {message.state for message in messages(engine)}


def later(engine: Engine, **values: Any) -> None:
    """Let time pass: waits and leases are over."""
    with writing(engine) as session:
        due = {"not_before": now(session) - timedelta(seconds=1)} | values
        session.execute(update(Message).values(due))


def wait_of(engine: Engine) -> float:
    """Seconds until the message is due."""
    with reading(engine) as session:
        return (session.scalars(select(Message.not_before)).one() - now(session)).total_seconds()


# Sent


def test_given_a_citizen_who_registers_when_it_is_sent_then_kavenegar_gets_it_and_it_is_recorded(
    engine: Engine, ready: Settings, provider: SmsProvider
) -> None:
    register(engine)
    sender.run(engine, ready)
    message, (request,) = only(engine), provider.requests
    assert request.path == f"/v1/{KEY}/sms/send.json"
    assert request.fields["receptor"] == "0" + message.to[3:]
    assert request.fields["sender"] == "10004346"
    assert request.fields["localid"].isdecimal() and int(request.fields["localid"]) < 2**63
    assert "شهروند گرامی" in request.fields["message"]
    assert message.state is Delivery.SENT and message.sent_at is not None
    assert (message.provider_id, message.error) == (str(provider.ids[request.name]), "")
    sender.run(engine, ready)
    assert len(provider.requests) == 1


def test_given_more_than_a_batch_when_it_is_sent_then_everybody_gets_one(
    engine: Engine, ready: Settings, provider: SmsProvider
) -> None:
    register(engine, 47)
    sender.run(engine, ready)
    assert states(engine) == {Delivery.SENT}
    assert {r.fields["receptor"] for r in provider.delivered.values()} == {
        "0" + m.to[3:] for m in messages(engine)
    }
    assert len(provider.requests) == 47


def test_given_two_registrations_of_other_databases_when_named_outside_then_their_names_differ() -> None:
    first = Message(id=1, kind=MessageKind.NEAR, made_at=datetime(2026, 3, 21, tzinfo=CITY))
    other = Message(id=1, kind=MessageKind.NEAR, made_at=datetime(2026, 3, 22, tzinfo=CITY))
    assert delivery.name_outside(first) != delivery.name_outside(other)


# Never twice


@pytest.mark.parametrize("step", [DROP, GARBAGE, HANG, DRIP, HUGE])
def test_given_an_answer_that_never_comes_whole_when_sent_again_then_the_citizen_gets_it_once(
    engine: Engine, ready: Settings, provider: SmsProvider, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    monkeypatch.setattr(sender, "_TIMEOUT_S", 0.5)
    register(engine)
    provider.plan.append(step)
    sender.run(engine, ready)
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
from clerk import sender
from db.engine import connect
from settings import load
settings = load(_env_file=None)
sender.run(connect(settings.database), settings)
"""


def test_given_a_sender_killed_before_it_has_recorded_when_its_lease_is_over_then_one_message_arrives(
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


def test_given_several_senders_at_once_when_they_run_then_each_message_goes_out_once(
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


def test_given_a_sender_that_woke_up_too_late_when_it_records_then_only_that_it_was_sent_counts(
    engine: Engine, ready: Settings
) -> None:
    register(engine)
    with writing(engine) as session:
        (old,) = delivery.take_up(session, quiet=NEVER, texts=True, limit=5)
    late = Taken(old.id, old.attempts)
    later(engine)
    with writing(engine) as session:
        (new,) = delivery.take_up(session, quiet=NEVER, texts=True, limit=5)
        assert new.id == old.id
        delivery.give_up(session, late, "late")
        delivery.put_off(session, late, "late")
        delivery.drop(session, late, "late")
    assert (only(engine).state, only(engine).error) == (Delivery.SENDING, "")
    with writing(engine) as session:
        delivery.sent(session, late, "7")
        delivery.put_off(session, Taken(new.id, new.attempts), "no answer")
    assert (only(engine).state, only(engine).provider_id) == (Delivery.SENT, "7")


# Never lost


@pytest.mark.parametrize("code", [400, 406, 411, 413, 420, 422])
def test_given_a_message_that_kavenegar_refuses_when_sent_then_it_has_failed(
    engine: Engine, ready: Settings, provider: SmsProvider, code: int
) -> None:
    register(engine)
    provider.plan.append(code)
    sender.run(engine, ready)
    assert (only(engine).state, only(engine).error) == (Delivery.FAILED, f"Kavenegar {code}")


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (b'{"return": {"status": 411}, "entries": null}', Delivery.FAILED),
        (b'{"return": {"status": 418}, "entries": null}', Delivery.PENDING),
        (b'{"return": {"status": 200}, "entries": []}', Delivery.PENDING),
        (b'{"return": {"status": 200}, "entries": [{"messageid": 7, "status": 14}]}', Delivery.FAILED),
        (b'{"return": {"status": 200}, "entries": [{"messageid": 7, "status": 10}]}', Delivery.SENT),
        (b'{"return": {"status": "200"}, "entries": {"messageid": 7}}', Delivery.PENDING),
        (b"[]", Delivery.PENDING),
        (b"[" * 60_000, Delivery.PENDING),
    ],
)
def test_given_an_answer_with_http_200_when_read_then_what_kavenegar_says_in_it_counts(
    engine: Engine, ready: Settings, provider: SmsProvider, answer: bytes, state: Delivery
) -> None:
    register(engine)
    provider.plan.append(answer)
    sender.run(engine, ready)
    assert only(engine).state is state


@pytest.mark.parametrize(
    ("code", "at_least", "at_most"),
    [(402, 14, 30), (409, 14, 30), (500, 14, 30), (503, 14, 30), (301, 14, 30)]
    + [(code, 590, 3600) for code in (401, 403, 407, 412, 418, 429, 451)],
)
def test_given_a_fault_that_passes_when_sent_then_it_is_tried_again_after_a_wait(
    engine: Engine, ready: Settings, provider: SmsProvider, code: int, at_least: float, at_most: float
) -> None:
    register(engine)
    provider.plan.append(code)
    sender.run(engine, ready)
    assert only(engine).state is Delivery.PENDING
    assert at_least <= wait_of(engine) <= at_most
    later(engine)
    sender.run(engine, ready)
    assert only(engine).state is Delivery.SENT


def test_given_a_provider_that_is_down_when_it_comes_back_then_everybody_got_one_message(
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


def test_given_every_attempt_fails_when_they_are_used_up_then_it_failed_after_waits_that_grew(
    engine: Engine, ready: Settings, provider: SmsProvider
) -> None:
    register(engine)
    waits = []
    for attempt in range(1, delivery.ATTEMPTS + 1):
        with writing(engine) as session:
            (taken,) = delivery.take_up(session, quiet=NEVER, texts=True, limit=5)
            delivery.put_off(session, Taken(taken.id, attempt), "down")
        if attempt < delivery.ATTEMPTS:
            waits.append(wait_of(engine))
            later(engine)
    assert (only(engine).state, only(engine).error) == (Delivery.FAILED, "down")
    for place, wait in enumerate(waits):
        longest = min(30 * 2**place, 3600)
        assert longest / 2 - 2 < wait <= longest
    assert sum(waits) > 6 * 3600


def test_given_a_message_that_cannot_be_worded_when_sent_then_the_others_are_sent_and_it_is_kept(
    engine: Engine, ready: Settings, provider: SmsProvider
) -> None:
    register(engine, 3)
    broken = messages(engine)[1].id
    with writing(engine) as session:
        session.execute(update(Message).where(Message.id == broken).values(body="{"))
    sender.run(engine, ready)
    found = {message.id: message for message in messages(engine)}
    assert (found.pop(broken).state, {m.state for m in found.values()}) == (
        Delivery.PENDING,
        {Delivery.SENT},
    )


# Quiet hours, and what comes too late


def quiet_now(engine: Engine) -> QuietHours:
    with reading(engine) as session:
        at = now(session).astimezone(CITY)
    return QuietHours((at - timedelta(hours=1)).time(), (at + timedelta(hours=1)).time())


def test_given_quiet_hours_when_messages_are_due_then_texts_wait_for_their_end_and_notices_do_not(
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


def test_given_a_message_past_its_time_when_the_sender_comes_then_it_expires_unsent(
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


def test_given_a_message_being_sent_when_its_time_passes_then_it_does_not_expire_under_its_sender(
    engine: Engine,
) -> None:
    register(engine)
    with writing(engine) as session:
        delivery.take_up(session, quiet=NEVER, texts=True, limit=5)
        session.execute(update(Message).values(expires_at=now(session) - timedelta(seconds=1)))
    with writing(engine) as session:
        assert delivery.take_up(session, quiet=NEVER, texts=True, limit=5) == []
    assert only(engine).state is Delivery.SENDING


def test_given_nobody_who_sends_when_a_day_has_passed_then_texts_expire_and_notices_go_out(
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


# Other ways out


def test_given_another_provider_when_sent_then_its_fields_and_headers_are_as_set_and_nothing_is_injected(
    engine: Engine, ready: Settings, provider: SmsProvider
) -> None:
    other = ready.model_copy(
        update={
            "sms_provider": "http",
            "sms_http_headers": {"Authorization": "Bearer geheim"},
            "sms_http_body": {"dst": "{to}", "msg": "{text}", "from": "{sender}", "ref": "137/{id}"},
        }
    )
    (registration_id,) = register(engine)
    with writing(engine) as session:
        round_id = session.get_one(Registration, registration_id).round_id
        session.get_one(Round, round_id).official.office_fa = 'معاون {sender}"\r\nBcc: x'
    provider.plan += [DROP]
    sender.run(engine, other)
    later(engine)
    sender.run(engine, other)
    first, second = provider.requests
    assert first.path == "/send"
    assert first.headers["authorization"] == "Bearer geheim"
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"]
    assert first.fields["dst"] == only(engine).to
    assert first.fields["from"] == "10004346"
    assert first.fields["ref"] == f"137/{first.name}"
    assert 'معاون {sender}" Bcc: x' in first.fields["msg"]
    assert len(provider.delivered) == 1
    assert only(engine).state is Delivery.SENT


@pytest.mark.parametrize(
    ("step", "state", "at_least"),
    [
        (400, Delivery.FAILED, 0),
        (422, Delivery.FAILED, 0),
        (401, Delivery.PENDING, 590),
        (307, Delivery.PENDING, 590),
        (500, Delivery.PENDING, 14),
        ((503, {"Retry-After": "120"}), Delivery.PENDING, 118),
        ((429, {"Retry-After": "9" * 30}), Delivery.PENDING, 3598),
    ],
)
def test_given_another_provider_that_refuses_when_sent_then_it_fails_or_waits_as_long_as_asked(
    engine: Engine, ready: Settings, provider: SmsProvider, step: Any, state: Delivery, at_least: float
) -> None:
    register(engine)
    provider.plan.append(step)
    sender.run(engine, ready.model_copy(update={"sms_provider": "http"}))
    assert only(engine).state is state
    if state is Delivery.PENDING:
        assert at_least <= wait_of(engine) <= 3600


def test_given_a_notice_when_posted_then_it_is_signed_and_keeps_its_name_over_all_tries(
    engine: Engine, ready: Settings, provider: SmsProvider
) -> None:
    notice(engine, ready)
    provider.plan.append(500)
    sender.run(engine, ready)
    later(engine)
    sender.run(engine, ready)
    message = only(engine)
    for request in provider.requests:
        assert request.path == "/hook/s3cr3t"
        assert request.body == message.body
        assert request.headers["webhook-id"] == message.key
        Webhook(SECRET).verify(request.body, request.headers)  # raises if it is not ours
    assert (len(provider.requests), message.state) == (2, Delivery.SENT)


@pytest.mark.parametrize(
    ("step", "state"),
    [
        ((302, {"Location": "http://127.0.0.1:9/"}), Delivery.PENDING),
        (404, Delivery.PENDING),
        (410, Delivery.FAILED),
        (HANG, Delivery.PENDING),
        (HUGE, Delivery.SENT),
        (DRIP, Delivery.SENT),
        (GARBAGE, Delivery.SENT),
    ],
)
def test_given_a_webhook_that_misbehaves_when_posted_then_its_status_alone_counts_and_nobody_waits_long(
    engine: Engine,
    ready: Settings,
    provider: SmsProvider,
    monkeypatch: pytest.MonkeyPatch,
    step: Any,
    state: Delivery,
) -> None:
    monkeypatch.setattr(sender, "_TIMEOUT_S", 3.0)
    notice(engine, ready)
    provider.plan.append(step)
    sender.run(engine, ready)
    assert only(engine).state is state
    assert len(provider.requests) == 1


# Discretion


@pytest.mark.parametrize("way", ["kavenegar", "http", "console"])
def test_given_all_goes_wrong_when_logged_then_no_number_text_key_or_ticket_is_in_the_log(
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


def test_given_a_provider_with_a_bug_when_sent_then_the_message_is_kept(
    engine: Engine, ready: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object) -> str:
        raise ZeroDivisionError

    monkeypatch.setattr(providers.Kavenegar, "send", broken)
    register(engine)
    sender.run(engine, ready)
    assert (only(engine).state, only(engine).error) == (Delivery.PENDING, "ZeroDivisionError")


def test_given_a_database_that_fails_when_recording_then_it_is_sent_again_under_the_same_name(
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
