"""Two providers: what one surely has not taken goes to the other; what is in doubt is not doubled."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, update

from db.engine import writing
from db.models import Arrival, Delivery, DeliveryFailure, OutboxKind, OutboxMessage
from hotline.messages import sent_messages
from scheduler import sender
from scheduler.sms import chain, templates
from settings import Settings
from tests.kit.databases import on_one  # noqa: F401  (fixture)
from tests.kit.outbox import NEVER, later, only, register
from tests.kit.sms_gateways import DROP, HALF, HANG, HTML, KEY, Gateway, kavenegar
from tests.kit.sms_provider import SmsProvider


@pytest.fixture
def first() -> Iterator[Gateway]:
    with Gateway(kavenegar) as listening:
        yield listening


@pytest.fixture
def two(
    settings: Settings, first: Gateway, provider: SmsProvider, monkeypatch: pytest.MonkeyPatch
) -> Settings:
    """Kavenegar first, then any other."""
    monkeypatch.setattr(chain, "TIMEOUT_S", 0.5)
    monkeypatch.setattr(chain, "_resting", {})
    return settings.model_copy(
        update={
            "sms_provider": "kavenegar",
            "sms_next": ("http",),
            "sms_kavenegar_url": first.url,
            "sms_kavenegar_key": KEY,
            "sms_http_url": f"{provider.url}/send",
            "quiet_hours": NEVER,
        }
    )


def templated(two: Settings, folder: Path, *, plain: bool = True, template: str = "sabt") -> Settings:
    file = folder / "templates.toml"
    file.write_text(
        f'[kavenegar.fa.registered]\ntemplate = "{template}"\n'
        'token = "{ticket}"\ntoken20 = "برای {office}\\nثبت شد"\n'
    )
    templates._kept.cache_clear()
    return two.model_copy(update={"sms_templates": file, "sms_plain": plain})


@pytest.mark.parametrize(
    "step", [503, 401, (200, {"return": {"status": 418}}), (429, {"return": {"status": 429}})]
)
def test_unaccepted_message_goes_to_the_next_provider_at_once(
    engine: Engine, two: Settings, first: Gateway, provider: SmsProvider, step: object
) -> None:
    register(engine)
    first.plan.append(step)  # type: ignore[arg-type]
    sender.run(engine, two)
    assert (only(engine).state, only(engine).provider) == (Delivery.SENT, "http")
    assert (len(first.sent), len(provider.delivered)) == (0, 1)


@pytest.mark.parametrize("last", [None, 400], ids=["taken", "refused"])
def test_permanent_refusal_falls_back_to_the_other_provider(
    engine: Engine, two: Settings, first: Gateway, provider: SmsProvider, last: int | None
) -> None:
    register(engine)
    first.plan.append(400)
    if last:
        provider.plan.append(last)
    sender.run(engine, two)
    assert only(engine).state is (Delivery.FAILED if last else Delivery.SENT)
    assert len(provider.delivered) == (0 if last else 1)


def test_provider_that_failed_is_asked_last(
    engine: Engine, two: Settings, first: Gateway, provider: SmsProvider
) -> None:
    register(engine)
    first.plan.append(503)
    sender.run(engine, two)
    register(engine)
    sender.run(engine, two)
    assert (len(first.asked), len(provider.delivered)) == (1, 2)


@pytest.mark.parametrize("step", [HANG, DROP, HTML, HALF, 500])
def test_doubtful_text_is_resent_to_the_deduplicating_provider(
    engine: Engine, two: Settings, first: Gateway, provider: SmsProvider, step: str | int
) -> None:
    register(engine)
    first.plan.append(step)
    sender.run(engine, two)
    message = only(engine)
    assert (message.state, message.why, message.provider, message.doubts) == (
        Delivery.PENDING, DeliveryFailure.NO_ANSWER, "kavenegar", 1,
    )  # fmt: skip
    later(engine)
    sender.run(engine, two)
    assert (only(engine).state, only(engine).doubts) == (Delivery.SENT, 0)
    assert (len(first.sent), len(provider.delivered)) == (1, 0)


def test_doubtful_template_is_sent_three_times_at_most(
    engine: Engine, two: Settings, first: Gateway, tmp_path: Path
) -> None:
    alone = templated(two, tmp_path).model_copy(update={"sms_next": ()})
    register(engine)
    for _ in range(5):
        first.plan.append(HTML)
        sender.run(engine, alone)
        later(engine)
    assert (only(engine).state, only(engine).why) == (Delivery.FAILED, DeliveryFailure.DOUBT)
    assert len(first.sent) == 3


def test_doubtful_code_is_sent_by_neither_provider_again(
    engine: Engine,
    two: Settings,
    first: Gateway,
    provider: SmsProvider,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hurting = templated(two, tmp_path)
    register(engine)
    monkeypatch.setattr(chain, "HURTS_TWICE", (OutboxKind.REGISTERED,))
    first.plan.append(HTML)
    sender.run(engine, hurting)
    later(engine)
    sender.run(engine, hurting)
    assert (only(engine).state, only(engine).why) == (Delivery.FAILED, DeliveryFailure.DOUBT)
    assert (len(first.sent), len(provider.delivered)) == (1, 0)


def test_template_tokens_hold_only_allowed_spaces(
    engine: Engine, two: Settings, first: Gateway, tmp_path: Path
) -> None:
    register(engine)
    sender.run(engine, templated(two, tmp_path))
    (sent,) = first.sent.values()
    assert sent.path.endswith("/verify/lookup.json")
    assert sent.fields["template"] == "sabt"
    assert sent.fields["token"].isascii() and sent.fields["token"].isdecimal()
    assert sent.fields["token20"].startswith("برای ") and sent.fields["token20"].endswith(" ثبت شد")
    assert "message" not in sent.fields
    assert (only(engine).state, only(engine).parts) == (Delivery.SENT, None)


@pytest.mark.parametrize(("plain", "state"), [(True, Delivery.SENT), (False, Delivery.PENDING)])
def test_refused_template_becomes_plain_text_where_allowed(
    engine: Engine, two: Settings, first: Gateway, tmp_path: Path, plain: bool, state: Delivery
) -> None:
    register(engine)
    alone = templated(two, tmp_path, plain=plain, template="unknown").model_copy(update={"sms_next": ()})
    sender.run(engine, alone)
    assert only(engine).state is state
    if plain:
        assert only(engine).parts and [sent.path[-13:] for sent in first.sent.values()] == ["sms/send.json"]
    else:
        assert (only(engine).why, first.sent) == (DeliveryFailure.TEMPLATE, {})


def test_undelivered_message_is_resent_under_a_new_name(
    engine: Engine, two: Settings, first: Gateway
) -> None:
    register(engine)
    sender.run(engine, two)
    with writing(engine) as session:
        session.execute(update(OutboxMessage).values(arrival=Arrival.UNREACHABLE))
    with writing(engine) as session:
        sent_messages.retry(session, only(engine).id, "someone")
    assert (only(engine).state, only(engine).arrival) == (Delivery.PENDING, None)
    sender.run(engine, two)
    assert len({sent.fields["localid"] for sent in first.sent.values()}) == 2


def test_slow_failure_beyond_the_lease_tries_no_other_provider(
    engine: Engine, two: Settings, first: Gateway, provider: SmsProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    register(engine)
    first.plan.append(503)
    monkeypatch.setattr(chain, "_ALL_S", -1.0)
    sender.run(engine, two)
    assert (only(engine).state, only(engine).doubts, provider.requests) == (Delivery.PENDING, 0, [])
