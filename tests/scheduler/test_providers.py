"""The requests to each provider and webhook, and the meaning of their answers."""

from typing import Any

import pytest
from sqlalchemy import Engine
from standardwebhooks import Webhook

from db.engine import writing
from db.models import Delivery, Registration, Round
from scheduler import sender
from settings import Settings
from tests.kit.databases import on_one  # noqa: F401  (fixture)
from tests.kit.outbox import later, notice, only, register, wait_of
from tests.kit.sms_provider import DRIP, DROP, GARBAGE, HANG, HUGE, SECRET, SmsProvider

# Kavenegar


@pytest.mark.parametrize("code", [400, 406, 411, 413, 420, 422])
def test_refusal_by_kavenegar_fails_the_message(
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
def test_status_in_kavenegars_body_overrides_http_200(
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
def test_transient_fault_is_retried_after_a_wait(
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


# Other ways out


def test_other_provider_gets_escaped_fields_and_headers(
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
def test_refusal_by_another_provider_fails_or_backs_off(
    engine: Engine, ready: Settings, provider: SmsProvider, step: Any, state: Delivery, at_least: float
) -> None:
    register(engine)
    provider.plan.append(step)
    sender.run(engine, ready.model_copy(update={"sms_provider": "http"}))
    assert only(engine).state is state
    if state is Delivery.PENDING:
        assert at_least <= wait_of(engine) <= 3600


def test_webhook_is_signed_and_keeps_its_id_on_retry(
    engine: Engine, ready: Settings, provider: SmsProvider
) -> None:
    notice(engine, ready)
    provider.plan.append(500)
    sender.run(engine, ready)
    later(engine)
    sender.run(engine, ready)
    posted = only(engine)
    for request in provider.requests:
        assert request.path == "/hook/s3cr3t"
        assert request.body == posted.body
        assert request.headers["webhook-id"] == posted.key
        Webhook(SECRET).verify(request.body, request.headers)  # raises if it is not ours
    assert (len(provider.requests), posted.state) == (2, Delivery.SENT)


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
def test_webhook_is_judged_by_its_status_within_the_timeout(
    engine: Engine,
    ready: Settings,
    provider: SmsProvider,
    monkeypatch: pytest.MonkeyPatch,
    step: Any,
    state: Delivery,
) -> None:
    if step == HANG:
        monkeypatch.setattr(sender, "_TIMEOUT_S", 3.0)
    notice(engine, ready)
    provider.plan.append(step)
    sender.run(engine, ready)
    assert only(engine).state is state
    assert len(provider.requests) == 1
