"""Text messages that a provider posts: taken from who knows the secret, once."""

import base64
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from urllib.parse import urlencode

import httpx
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session
from standardwebhooks import Webhook

from api.app import create
from db.engine import reading, writing
from db.models import OutboxKind, OutboxMessage
from db.states import RegistrationState
from hotline.line import registration
from settings import Settings
from tests import factories as make
from tests.hotline.sms_inbox.texting import NUMBER, OTHER, Send, places
from tests.kit.databases import on_one  # noqa: F401  (fixture)

SECRET = f"whsec_{base64.b64encode(b'of the text messages, 137').decode()}"


@pytest.fixture
def post(settings: Settings, engine: Engine) -> Callable[..., httpx.Response]:
    """Posts to the application as a provider does."""
    ready = settings.model_copy(update={"sms_inbound_secret": SECRET, "sms_provider": "console"})
    client = TestClient(create(ready))

    def post(way: str, content: bytes, **more: Mapping[str, str]) -> httpx.Response:
        return client.post(f"/api/v1/texts{way}", content=content, **more)  # type: ignore[arg-type]

    return post


def _form(text: str = "ثبت", **more: str) -> bytes:
    fields = {"messageid": "7", "from": "09131234567", "to": "10004346", "message": text}
    return urlencode(fields | more).encode()


def _signed(body: bytes, at: datetime | None = None, secret: str = SECRET) -> dict[str, str]:
    at = at or datetime.now(UTC)
    return {
        "webhook-id": "m7",
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret).sign("m7", at, body.decode()),
    }


def test_texts_of_both_providers_register_once_each(
    engine: Engine, post: Callable[..., httpx.Response]
) -> None:
    with writing(engine) as session:
        make.a_round(session)
    body = json.dumps({"id": "7", "from": OTHER, "text": "ثبت"}).encode()
    for _ in range(2):
        assert post("/kavenegar", _form(), params={"secret": SECRET}).status_code == 204
        assert post("", body, headers=_signed(body)).status_code == 204
    with reading(engine) as session:
        assert [len(places(session, number)) for number in (NUMBER, OTHER)] == [1, 1]
        answered = session.scalars(
            select(OutboxMessage.to).where(OutboxMessage.kind == OutboxKind.ANSWER)
        ).all()
    assert sorted(answered) == sorted([NUMBER, OTHER])


def test_repeated_text_acts_and_is_answered_once(session: Session, send: Send) -> None:
    make.a_round(session)
    assert send("ثبت", name="same")
    (place,) = places(session)
    registration.cancel(session, place.id)
    assert send("ثبت", name="same") == ""
    assert [p.state for p in places(session)] == [RegistrationState.CANCELLED]


@pytest.mark.parametrize("sender", ["10004346", "+14155550100", "not a number"])
def test_text_of_an_uncallable_sender_is_accepted_and_ignored(
    engine: Engine, post: Callable[..., httpx.Response], sender: str
) -> None:
    assert post("/kavenegar", _form(**{"from": sender}), params={"secret": SECRET}).status_code == 204
    with reading(engine) as session:
        assert session.scalars(select(OutboxMessage.id)).all() == []


def test_text_without_the_secret_is_refused(engine: Engine, post: Callable[..., httpx.Response]) -> None:
    with writing(engine) as session:
        make.a_round(session)
    body = json.dumps({"id": "7", "from": OTHER, "text": "ثبت"}).encode()
    old = datetime(2026, 1, 1, tzinfo=UTC)
    stranger = f"whsec_{base64.b64encode(b'x' * 24).decode()}"
    refused = [
        post("/kavenegar", _form()),
        post("/kavenegar", _form(), params={"secret": "wrong"}),
        post("", body),
        post("", body, headers=_signed(body, at=old)),
        post("", body, headers=_signed(body, secret=stranger)),
        post("", body + b" ", headers=_signed(body)),
        post("", b"\xff\xfe", headers=_signed(b"x")),
        post("", body, headers=_signed(body) | {"webhook-signature": "v1"}),
    ]
    assert {answer.status_code for answer in refused} == {403}
    with reading(engine) as session:
        assert places(session) == places(session, OTHER) == []


@pytest.mark.parametrize(
    "body", [b"[]", b"null", b"{", b'{"id":"1"}', b'{"id":1,"from":[],"text":{}}', b"[" * 5000]
)
def test_signed_body_without_a_text_is_refused(post: Callable[..., httpx.Response], body: bytes) -> None:
    assert post("", body, headers=_signed(body)).status_code == 422


def test_form_without_a_text_is_refused(post: Callable[..., httpx.Response]) -> None:
    assert post("/kavenegar", b"\xff=\xfe&a", params={"secret": SECRET}).status_code == 422
    many = "&".join(f"a{each}=1" for each in range(25)).encode()
    assert post("/kavenegar", many, params={"secret": SECRET}).status_code == 422


def test_texts_without_a_set_secret_are_refused(settings: Settings) -> None:
    client = TestClient(create(settings))
    assert client.post("/api/v1/texts/kavenegar", content=_form()).status_code == 404
