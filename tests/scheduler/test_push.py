"""Notices to browsers in the place of text messages: what goes out, to whom, and what if it does not."""

import logging
import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import Engine, select

from db.engine import now, reading, writing
from db.models import (
    CitizenSession,
    Delivery,
    NoticeTopic,
    NoticeWay,
    OutboxKind,
    OutboxMessage,
    PushSubscription,
)
from db.states import RequestStep
from hotline.citizens import notification_preferences, sessions, subscriptions, vapid
from hotline.messages import delivery, outbox
from hotline.requests import lifecycle
from scheduler import push as pushing
from scheduler import push_encryption, sender
from settings import Settings
from tests.factories import a_number, a_request
from tests.kit.databases import in_both, on_one  # noqa: F401  (fixture)
from tests.kit.outbox import later, messages, only
from tests.kit.push_service import HANG, HOST, PushService, Subscribed, unb64
from tests.kit.sms_provider import SmsProvider

SAID = "خیابان نمونه، پلاک ۴"


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PushService]:
    """A push service that the settings know, and that stands where its name leads."""
    with PushService(tmp_path) as listening:
        monkeypatch.setattr(pushing, "resolve", lambda _host: ("127.0.0.1", listening.port))
        monkeypatch.setattr(pushing, "load_certificates", listening.trusted)
        yield listening


@pytest.fixture
def city(ready: Settings) -> Settings:
    return ready.model_copy(
        update={
            "push_key": vapid.make_key(),
            "push_contact": "mailto:it@city.example",
            "push_services": (HOST,),
        }
    )


def takes(engine: Engine, settings: Settings, number: str, *browsers: Subscribed) -> None:
    """The number is signed in at these browsers, and has switched notices on."""
    with writing(engine) as session:
        for nth, each in enumerate(browsers):
            at, name = now(session), f"{number[1:]}{nth}"
            hashes = {"access_hash": name, "refresh_hash": name, "access_until": at, "rotated_at": at}
            mine = CitizenSession(
                id=name, number=number, agent="", created_at=at, expires_at=at + sessions.REFRESH, **hashes
            )
            session.add(mine)
            session.flush()
            subscriptions.subscribe(
                session, mine, subscriptions.Browser(each.endpoint, each.p256dh, each.auth), settings
            )


def asked(engine: Engine, number: str, **values: Any) -> str:
    """A department asks the number about its request; the request's number."""
    with writing(engine) as session:
        request = a_request(session, number=number, state="asked", **values)
        lifecycle.log(session, request, RequestStep.ASKED, "d", SAID)
        session.execute(OutboxMessage.__table__.delete())
        outbox.tell_of_request(session, OutboxKind.REQUEST_ASKED, request, SAID)
        return request.tracking


def browsers_left(engine: Engine) -> int:
    with reading(engine) as session:
        return len(session.scalars(select(PushSubscription)).all())


def test_encryption_matches_the_example_of_rfc_8291() -> None:
    key = ec.derive_private_key(
        int.from_bytes(unb64("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw")), ec.SECP256R1()
    )
    browser = unb64("BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4")
    sealed = push_encryption.seal(
        b"When I grow up, I want to be a watermelon",
        browser,
        unb64("BTBZMqHH6r4Tts7J_aSIgg"),
        key,
        unb64("DGv6ra1nlYgDCS1FRnbzlw"),
    )
    assert sealed == unb64(
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6Tlz"
        "AC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
    )


def test_subscribed_browser_gets_a_push_and_no_text(
    engine: Engine, city: Settings, service: PushService, provider: SmsProvider
) -> None:
    number, browser = a_number(), Subscribed("/wpush/one?token=1")
    takes(engine, city, number, browser)
    tracking = asked(engine, number)
    sender.run(engine, city)
    (post,) = service.posts
    message = only(engine)
    assert (message.state, message.provider_id, provider.requests) == (Delivery.SENT, "push", [])
    notice = browser.read(post)
    assert (notice["request"], notice["language"]) == (tracking, "fa")
    assert notice["tag"] == post.headers["topic"] == delivery.make_provider_name(message)
    assert len(post.headers["topic"]) <= 32 and int(post.headers["ttl"]) > 0
    assert SAID not in str(notice) and number[3:] not in str(notice), "nothing of what was said, and of whom"
    assert (post.path, post.headers["host"]) == ("/wpush/one?token=1", HOST)
    claims = post.claims()
    assert (claims["aud"], claims["sub"]) == (f"https://{HOST}", "mailto:it@city.example")
    lasts = datetime.fromtimestamp(claims["exp"], UTC) - datetime.now(UTC)
    assert timedelta(0) < lasts <= timedelta(hours=24)
    sender.run(engine, city)
    assert len(service.posts) == 1


@in_both
@pytest.mark.parametrize("status", [404, 410])
def test_gone_browser_is_forgotten_and_a_text_is_sent(
    engine: Engine, city: Settings, service: PushService, provider: SmsProvider, status: int
) -> None:
    number = a_number()
    takes(engine, city, number, Subscribed())
    asked(engine, number)
    service.plan.append(status)
    sender.run(engine, city)
    assert (browsers_left(engine), only(engine).state) == (0, Delivery.SENT)
    (text,) = provider.delivered.values()
    assert SAID in text.fields["message"]


@pytest.mark.parametrize(
    "step", [(429, {"Retry-After": "60"}), 503, 403, 400, HANG, (307, {"Location": "/b"})]
)
def test_refused_push_falls_back_to_a_text(
    engine: Engine,
    city: Settings,
    service: PushService,
    provider: SmsProvider,
    monkeypatch: pytest.MonkeyPatch,
    step: Any,
) -> None:
    monkeypatch.setattr(pushing, "_TIMEOUT_S", 0.7)
    number = a_number()
    takes(engine, city, number, Subscribed())
    asked(engine, number)
    service.plan.append(step)
    sender.run(engine, city)
    assert len(service.posts) == 1, "a redirection is followed nowhere"
    assert (browsers_left(engine), only(engine).state, len(provider.delivered)) == (1, Delivery.SENT, 1)


def test_push_to_one_of_two_browsers_is_enough(
    engine: Engine, city: Settings, service: PushService, provider: SmsProvider
) -> None:
    number = a_number()
    takes(engine, city, number, Subscribed("/a"), Subscribed("/b"))
    asked(engine, number)
    service.plan.append(410)
    sender.run(engine, city)
    assert (len(service.posts), browsers_left(engine), provider.requests) == (2, 1, [])
    assert only(engine).state is Delivery.SENT


@in_both
def test_busy_push_service_is_retried_as_late_as_it_asks(
    engine: Engine, city: Settings, service: PushService
) -> None:
    alone = city.model_copy(update={"sms_provider": ""})
    number, browser = a_number(), Subscribed()
    takes(engine, alone, number, browser)
    asked(engine, number)
    asked_of_nobody = a_number()
    with writing(engine) as session:
        elsewhere = a_request(session, number=asked_of_nobody, state="asked")
        outbox.tell_of_request(session, OutboxKind.REQUEST_ASKED, elsewhere, SAID)
    service.plan.append((429, {"Retry-After": "900"}))
    sender.run(engine, alone)
    mine, other = [each for each in messages(engine) if each.kind is OutboxKind.REQUEST_ASKED]
    assert (mine.state, other.state, other.attempts) == (Delivery.PENDING, Delivery.PENDING, 0)
    with reading(engine) as session:
        assert mine.not_before - now(session) > timedelta(seconds=850)
    later(engine)
    sender.run(engine, alone)
    first, second = service.posts
    assert first.headers["topic"] == second.headers["topic"], "one notice, however often it is sent"
    assert messages(engine)[0].state is Delivery.SENT


@pytest.mark.parametrize(
    ("ways", "pushed", "texts", "state"),
    [
        ([NoticeWay.PUSH, NoticeWay.TEXT], 1, 0, Delivery.SENT),
        ([NoticeWay.PUSH], 1, 0, Delivery.SENT),
        ([NoticeWay.TEXT], 0, 1, Delivery.SENT),
        ([], 0, 0, Delivery.EXPIRED),
    ],
)
def test_message_goes_only_by_the_citizens_chosen_channel(
    engine: Engine,
    city: Settings,
    service: PushService,
    provider: SmsProvider,
    ways: list[NoticeWay],
    pushed: int,
    texts: int,
    state: Delivery,
) -> None:
    number = a_number()
    takes(engine, city, number, Subscribed())
    with writing(engine) as session:
        notification_preferences.choose(session, number, NoticeTopic.QUESTION, ways)
        notification_preferences.choose(session, number, NoticeTopic.NEWS, [])
    asked(engine, number)
    sender.run(engine, city)
    assert (len(service.posts), len(provider.requests), only(engine).state) == (pushed, texts, state)


def test_push_only_without_a_browser_sends_no_text(
    engine: Engine, city: Settings, provider: SmsProvider
) -> None:
    number = a_number()
    with writing(engine) as session:
        notification_preferences.choose(session, number, NoticeTopic.QUESTION, [NoticeWay.PUSH])
    asked(engine, number)
    sender.run(engine, city)
    assert (only(engine).state, only(engine).error, provider.requests) == (
        Delivery.EXPIRED,
        "switched off",
        [],
    )


def test_tracking_number_goes_by_text_with_all_switched_off(
    engine: Engine, city: Settings, service: PushService, provider: SmsProvider
) -> None:
    number = a_number()
    takes(engine, city, number, Subscribed())
    with writing(engine) as session:
        for topic in NoticeTopic:
            notification_preferences.choose(session, number, topic, [])
        request = a_request(session, number=number)
        session.execute(OutboxMessage.__table__.delete())
        outbox.tell_of_request(session, OutboxKind.REQUEST_REPORTED, request)
    sender.run(engine, city)
    assert (service.posts, len(provider.delivered), only(engine).state) == ([], 1, Delivery.SENT)


def test_push_service_is_not_asked_once_the_city_key_is_removed(
    engine: Engine, city: Settings, service: PushService, provider: SmsProvider
) -> None:
    number = a_number()
    takes(engine, city, number, Subscribed())
    asked(engine, number)
    sender.run(engine, city.model_copy(update={"push_key": "", "push_contact": ""}))
    assert (service.posts, len(provider.delivered)) == ([], 1)


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "10.0.0.7", "169.254.169.254", "::1", "fd00::1", "::ffff:10.0.0.7", "0.0.0.0"]
)
def test_push_host_with_a_private_address_is_refused(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, 443)) for each in ("8.8.8.8", address)]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_more: found)
    with pytest.raises(OSError, match="open internet"):
        pushing.resolve(HOST)
    del found[1]
    assert pushing.resolve(HOST) == ("8.8.8.8", 443)


def test_wrong_push_certificate_sends_text_and_logs_no_secret(
    engine: Engine,
    city: Settings,
    service: PushService,
    provider: SmsProvider,
    caplog: pytest.LogCaptureFixture,
) -> None:
    other = city.model_copy(update={"push_services": ("other.example",)})
    number = a_number()
    takes(engine, other, number, Subscribed("/secret", "other.example"))
    asked(engine, number)
    with caplog.at_level(logging.DEBUG, "scheduler"):
        sender.run(engine, other)
    assert (service.posts, len(provider.delivered)) == ([], 1)
    assert "secret" not in caplog.text and number not in caplog.text
