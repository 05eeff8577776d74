"""Codes for signing in as they go out: ahead of all others, never late, and in nobody's log."""

import logging
import re
from datetime import time, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select

from db.engine import now, reading, writing
from db.models import BlockReason, CitizenCode, CodeWay, Delivery, OutboxMessage
from hotline.citizens import codes
from hotline.errors import Refused
from hotline.line import blocked
from hotline.messages import delivery, sent_messages
from scheduler import jobs, sender
from settings import QuietHours, Settings
from tests.factories import BROWSER, a_number
from tests.kit.databases import on_one  # noqa: F401  (fixture)
from tests.kit.outbox import later, messages, only, register
from tests.kit.sms_provider import DRIP, DROP, GARBAGE, HANG, SmsProvider

ALWAYS = QuietHours(time(0), time(23, 59, 59))


@pytest.fixture
def ready(ready: Settings, provider: SmsProvider) -> Settings:
    """With Bale at the test's provider, too, and pages that citizens find at a name."""
    bale = {"bale_url": provider.url, "bale_key": "geheim-42", "bale_bot": 137}
    return ready.model_copy(update={**bale, "public_url": "https://137.city.example:8443/pages"})


def ask(
    engine: Engine, settings: Settings, way: CodeWay = CodeWay.SMS, number: str = "", language: str = "fa"
) -> str:
    """Somebody asks; the code."""
    with writing(engine) as session:
        code = codes.ask(session, number or a_number(), way, language, settings, browser=BROWSER)
        return codes.read_digits(code, settings)


def state(engine: Engine) -> tuple[Delivery, str]:
    return only(engine).state, only(engine).error


@pytest.mark.parametrize("language", ["fa", "en"])
def test_code_message_ends_with_the_line_that_browsers_read(
    engine: Engine, ready: Settings, provider: SmsProvider, language: str
) -> None:
    code = ask(engine, ready, language=language)
    sender.run_codes(engine, ready)
    (sent,) = provider.requests
    text = sent.fields["message"]
    assert text.splitlines()[-1] == f"@137.city.example #{code}"
    shown = code if language == "en" else code.translate(str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹"))
    assert shown in text.splitlines()[0]
    assert len(text) <= (2 * 67 if language == "fa" else 160)
    assert only(engine).state is Delivery.SENT


def test_code_is_sent_by_its_own_job_while_other_messages_hang(
    engine: Engine, ready: Settings, provider: SmsProvider
) -> None:
    run = {job.name: job.run for job in jobs.JOBS}
    register(engine, 3)
    code = ask(engine, ready)
    with writing(engine) as session:  # a sender has them, and hangs
        taken = delivery.take_up(session, quiet=ready.quiet_hours, texts=True, limit=20)
        assert len(taken) == 3, "no code is among them"
    run["sign-in-codes"](engine, ready)
    (sent,) = provider.requests
    assert sent.fields["message"].endswith(f"#{code}")


def test_code_is_sent_in_quiet_hours(engine: Engine, ready: Settings, provider: SmsProvider) -> None:
    ask(engine, ready)
    sender.run_codes(engine, ready.model_copy(update={"quiet_hours": ALWAYS}))
    assert len(provider.requests) == 1


@pytest.mark.parametrize("over", ["run out", "replaced", "used", "blocked", "too late to be typed"])
def test_useless_code_is_never_sent(
    engine: Engine, ready: Settings, provider: SmsProvider, over: str
) -> None:
    number = a_number()
    code = ask(engine, ready, number=number)
    with writing(engine) as session:
        row = session.scalars(select(CitizenCode)).one()
        match over:
            case "run out":
                row.expires_at = now(session)
            case "replaced":
                row.ended_at = now(session)
            case "used":
                codes.show(session, number, code, ready, browser=BROWSER)
            case "blocked":
                blocked.block(session, number, BlockReason.OWNER)
            case _:
                session.scalars(select(OutboxMessage)).one().expires_at = now(session)
    sender.run_codes(engine, ready)
    assert provider.requests == []
    assert only(engine).state is Delivery.EXPIRED
    with pytest.raises(Refused, match="wrong-state"), writing(engine) as session:
        sent_messages.retry(session, only(engine).id, "x")
    sender.run_codes(engine, ready)
    assert provider.requests == [], "nobody signs in by a code that is late: they ask for another"


@pytest.mark.parametrize("step", [DROP, GARBAGE, 500])
def test_resent_code_keeps_its_idempotency_name(
    engine: Engine, ready: Settings, provider: SmsProvider, step: str | int
) -> None:
    ask(engine, ready)
    provider.plan.append(step)
    sender.run_codes(engine, ready)
    assert only(engine).state is Delivery.PENDING
    later(engine)
    sender.run_codes(engine, ready)
    assert len({request.name for request in provider.requests}) == 1
    assert only(engine).state is Delivery.SENT


def test_code_appears_in_no_log_and_no_row(
    engine: Engine, ready: Settings, provider: SmsProvider, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    given = [ask(engine, ready), ask(engine, ready, CodeWay.MESSENGER)]
    provider.plan += [500]
    sender.run_codes(engine, ready)
    later(engine)
    sender.run_codes(engine, ready)
    sender.run_codes(engine, ready.model_copy(update={"sms_provider": "console"}))
    told = caplog.text + "".join(f"{each.body}{each.error}" for each in messages(engine))
    assert not any(re.search(rf"(?<!\d){code}(?!\d)", told) for code in given)
    assert "geheim-42" not in told


# In a messenger


def test_bale_message_follows_its_documentation(
    engine: Engine, ready: Settings, provider: SmsProvider
) -> None:
    code = ask(engine, ready, CodeWay.MESSENGER, number="+989131234567")
    provider.plan.append(b'{"message_id": "523e6875-7c41", "error_data": null}')
    sender.run_codes(engine, ready)
    (sent,) = provider.requests
    assert (sent.path, sent.headers["api-access-key"]) == ("/api/v3/send_message", "geheim-42")
    assert sent.fields == {
        "request_id": sent.name,
        "bot_id": 137,
        "phone_number": "989131234567",
        "message_data": {"otp_message": {"otp": code}},
    }
    assert (only(engine).state, only(engine).provider_id) == (Delivery.SENT, "523e6875-7c41")


def error(code: int) -> bytes:
    return (
        b'{"message_id": "", "error_data": [{"phone_number": "98", "code": %d, "description": "x"}]}' % code
    )


@pytest.mark.parametrize(
    ("answer", "state_", "said"),
    [
        (b'{"message_id": "BvQjaR.fIKt7kH"}', Delivery.SENT, ""),
        (b'{"message_id": "x", "error_data": []}', Delivery.SENT, ""),
        (error(17), Delivery.FAILED, "Bale 17"),  # no account by this number
        (error(8), Delivery.FAILED, "Bale 8"),
        (error(4), Delivery.FAILED, "Bale 4"),
        (error(2), Delivery.PENDING, "Bale 2"),
        (error(3), Delivery.PENDING, "Bale 3"),
        (error(20), Delivery.PENDING, "Bale 20"),
        (error(99), Delivery.PENDING, "Bale 99"),
        (b'"invalid_access_key"', Delivery.PENDING, "Bale: no message_id"),
        (b"{}", Delivery.PENDING, "Bale: no message_id"),
        (b'{"message_id": 7}', Delivery.PENDING, "Bale: no message_id"),
        (b"[" * 60_000, Delivery.PENDING, "Bale: no message_id"),
        (401, Delivery.PENDING, "HTTP 401"),
        (503, Delivery.PENDING, "HTTP 503"),
        (DROP, Delivery.PENDING, "RemoteProtocolError"),
    ],
)
def test_answer_of_bale_sets_the_message_state(
    engine: Engine, ready: Settings, provider: SmsProvider, answer: Any, state_: Delivery, said: str
) -> None:
    ask(engine, ready, CodeWay.MESSENGER)
    provider.plan.append(answer)
    sender.run_codes(engine, ready)
    assert state(engine) == (state_, said)


@pytest.mark.parametrize("step", [HANG, DRIP])
def test_hanging_messenger_delays_no_other_code(
    engine: Engine, ready: Settings, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender, "_TIMEOUT_S", 3.0)
    ask(engine, ready, CodeWay.MESSENGER)
    ask(engine, ready)
    with reading(engine) as session:
        (first,) = session.scalars(select(OutboxMessage).order_by(OutboxMessage.id).limit(1))
    with SmsProvider() as bale:  # of its own: both are asked at once
        bale.plan += [step]
        sender.run_codes(engine, ready.model_copy(update={"bale_url": bale.url}))
    states = sorted(message.state for message in messages(engine))
    assert states == [Delivery.PENDING, Delivery.SENT]
    assert first.expires_at and first.expires_at - first.made_at == codes.LASTS - timedelta(minutes=1)


def test_code_for_a_removed_channel_fails(engine: Engine, ready: Settings, provider: SmsProvider) -> None:
    ask(engine, ready, CodeWay.MESSENGER)
    sender.run_codes(engine, ready.model_copy(update={"bale_key": ""}))
    assert state(engine) == (Delivery.FAILED, "nobody sends it")
