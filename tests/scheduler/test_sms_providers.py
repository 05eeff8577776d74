"""The same story at each provider: a text, a template, what became of it, credit, and what goes wrong."""

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from sqlalchemy import Engine, update

from db.engine import now, reading, writing
from db.models import Arrival, Delivery, DeliveryFailure, OutboxMessage
from hotline.messages import delivery_reports as rules
from scheduler import delivery_polls, sender
from scheduler.sms import chain, templates
from settings import Settings
from tests.kit import sms_gateways
from tests.kit.databases import on_one  # noqa: F401  (fixture)
from tests.kit.outbox import NEVER, messages, only, register
from tests.kit.sms_gateways import DROP, HALF, HANG, HTML, KEY, Asked, Gateway


class Case(NamedTuple):
    """A provider, its settings, where a message's number and words stand, and its own codes."""

    answers: Callable[[Gateway, Asked], tuple[int, Any]]
    own: dict[str, str]
    number: Callable[[Asked], str]
    words: Callable[[Asked], str]
    states: tuple[int, int, int]
    """Delivered, not on the telephone, in the black list."""


CASES = {
    "kavenegar": Case(
        sms_gateways.kavenegar,
        {"sms_kavenegar_key": KEY},
        lambda asked: asked.fields["receptor"],
        lambda asked: asked.fields.get("message") or asked.fields["token"],
        (10, 11, 14),
    ),
    "smsir": Case(
        sms_gateways.smsir,
        {"sms_smsir_key": KEY, "sms_smsir_line": "30007732"},
        lambda asked: asked.fields.get("mobile") or asked.fields["mobiles"][0],
        lambda asked: asked.fields.get("messageText") or asked.fields["parameters"][0]["value"],
        (1, 2, 7),
    ),
    "melipayamak": Case(
        sms_gateways.melipayamak,
        {"sms_melipayamak_user": "city", "sms_melipayamak_password": KEY, "sms_melipayamak_line": "5000"},
        lambda asked: asked.fields["to"],
        lambda asked: asked.fields["text"],
        (1, 2, 35),
    ),
    "ghasedak": Case(
        sms_gateways.ghasedak,
        {"sms_ghasedak_key": KEY},
        lambda asked: asked.fields.get("receptor") or asked.fields["receptors"][0]["mobile"],
        lambda asked: asked.fields.get("message") or asked.fields["inputs"][0]["value"],
        (5, 4, 2),
    ),
    "ippanel": Case(
        sms_gateways.ippanel,
        {"sms_ippanel_key": KEY, "sms_ippanel_line": "+983000505"},
        lambda asked: "0" + (asked.fields.get("recipients") or asked.fields["params"]["recipients"])[0][3:],
        lambda asked: asked.fields.get("message") or asked.fields["params"]["token"],
        (2, 3, 4),
    ),
}


@pytest.fixture(params=CASES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def gateway(name: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gateway]:
    monkeypatch.setattr(chain, "_resting", {})
    with Gateway(CASES[name].answers) as listening:
        yield listening


@pytest.fixture
def ready(settings: Settings, name: str, gateway: Gateway) -> Settings:
    own = {**CASES[name].own, f"sms_{name}_url": gateway.url, "sms_provider": name, "quiet_hours": NEVER}
    return settings.model_copy(update=own)


def by_template(ready: Settings, folder: Path, name: str, template: str, *, plain: bool) -> Settings:
    file = folder / "templates.toml"
    file.write_text(f'[{name}.fa.registered]\ntemplate = "{template}"\ntoken = "{{ticket}}"\n')
    templates._kept.cache_clear()
    return ready.model_copy(update={"sms_templates": file, "sms_plain": plain})


def test_text_and_template_follow_the_providers_format(
    engine: Engine, ready: Settings, gateway: Gateway, tmp_path: Path, name: str
) -> None:
    register(engine)
    sender.run(engine, ready)
    register(engine)
    sender.run(engine, by_template(ready, tmp_path, name, "137", plain=False))
    plain, filled = gateway.sent.values()
    first, second = messages(engine)
    assert [message.state for message in (first, second)] == [Delivery.SENT] * 2
    assert [first.provider_id, second.provider_id] == list(gateway.sent)
    assert [CASES[name].number(plain), CASES[name].number(filled)] == [
        "0" + first.to[3:],
        "0" + second.to[3:],
    ]
    assert "شهروند" in CASES[name].words(plain)
    assert CASES[name].words(filled).isascii() and CASES[name].words(filled).isdecimal()
    assert (bool(first.parts), second.parts) == (True, None)


def test_unknown_template_becomes_plain_text_where_allowed(
    engine: Engine, ready: Settings, gateway: Gateway, tmp_path: Path, name: str
) -> None:
    register(engine)
    sender.run(engine, by_template(ready, tmp_path, name, "99", plain=False))
    assert (only(engine).state, only(engine).why, gateway.sent) == (
        Delivery.PENDING,
        DeliveryFailure.TEMPLATE,
        {},
    )
    with writing(engine) as session:
        session.execute(update(OutboxMessage).values(not_before=now(session)))
    sender.run(engine, by_template(ready, tmp_path, name, "99", plain=True))
    assert (only(engine).state, len(gateway.sent)) == (Delivery.SENT, 1)


def test_delivery_states_and_credit_are_kept(
    engine: Engine, ready: Settings, gateway: Gateway, name: str
) -> None:
    register(engine, 4)
    sender.run(engine, ready)
    ids = [message.provider_id for message in messages(engine)]
    gateway.states = dict(zip(ids, CASES[name].states, strict=False))
    with writing(engine) as session:
        session.execute(update(OutboxMessage).values(ask_at=now(session)))
    delivery_polls.ask_what_became(engine, ready)
    expected = [Arrival.DELIVERED, Arrival.UNREACHABLE, Arrival.BLACKLISTED, Arrival.UNDERWAY]
    assert [message.arrival for message in messages(engine)] == expected
    delivery_polls.ask_credit(engine, ready)
    gateway.key = "another"
    delivery_polls.ask_credit(engine, ready)
    with reading(engine) as session:
        (account,) = rules.list_accounts(session)
        assert (account.provider, account.credit, bool(account.error)) == (name, 500_000.0, True)


@pytest.mark.parametrize(
    ("fault", "why"), [("key", DeliveryFailure.ACCOUNT), ("credit", DeliveryFailure.CREDIT)]
)
def test_wrong_key_or_no_credit_waits_and_gives_the_reason(
    engine: Engine, ready: Settings, gateway: Gateway, fault: str, why: DeliveryFailure
) -> None:
    setattr(gateway, fault, "another" if fault == "key" else 0.0)
    register(engine)
    sender.run(engine, ready)
    assert (only(engine).state, only(engine).why, only(engine).doubts) == (Delivery.PENDING, why, 0)
    assert gateway.sent == {}


@pytest.mark.parametrize(
    ("step", "doubts"),
    [(HANG, 1), (DROP, 1), (HTML, 1), (HALF, 1), (500, 1), ((200, [7]), 1), (503, 0), (429, 0), (404, 0)],
)
def test_empty_answer_doubts_only_what_may_have_gone_out(
    engine: Engine,
    ready: Settings,
    gateway: Gateway,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    step: Any,
    doubts: int,
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setattr(chain, "TIMEOUT_S", 0.7)
    register(engine)
    gateway.plan.append(step)
    sender.run(engine, ready)
    assert (only(engine).state, only(engine).doubts) == (Delivery.PENDING, doubts)
    for secret in (KEY, only(engine).to[3:], "شهروند"):
        assert secret not in caplog.text
