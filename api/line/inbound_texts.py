"""Text messages of citizens to 137, as providers post them here.

Each provider's form has its own route. A provider that got no answer posts again: a repeated message gets 204
and changes nothing.
"""

import hmac
import json
from typing import Annotated
from urllib.parse import parse_qs

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, Field, ValidationError
from sqlalchemy.orm import Session
from standardwebhooks import Webhook, WebhookVerificationError

from api.access import InForce, Writing
from hotline import numbers
from hotline.errors import Refused
from hotline.sms_inbox import commands
from settings import Settings

router = APIRouter(prefix="/texts", tags=["text messages"], include_in_schema=False)


class Inbound(BaseModel):
    """A text message: the provider's id, the sender's number, the words."""

    id: str = Field(min_length=1, max_length=200)
    sender: str = Field(alias="from", min_length=3, max_length=40)
    text: str = Field(max_length=5000)


async def _body(request: Request) -> bytes:
    return await request.body()


Body = Annotated[bytes, Depends(_body)]


@router.post("/kavenegar", status_code=204)
def kavenegar(body: Body, session: Writing, settings: InForce, secret: Annotated[str, Query()] = "") -> None:
    """Kavenegar's form: messageid, from, to, message. Kavenegar cannot sign, so the URL holds the secret."""
    _check_set(settings)
    if not hmac.compare_digest(secret.encode(), settings.sms_inbound_secret.encode()):
        raise Refused("forbidden", "the secret in the address is wrong")
    try:
        fields = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=20)
    except ValueError:
        raise Refused("invalid-input", "too many fields") from None
    named = {"id": "messageid", "from": "from", "text": "message"}
    _received(session, settings, {ours: fields.get(theirs, [""])[0] for ours, theirs in named.items()}, "k")


@router.post("", status_code=204)
def signed(request: Request, body: Body, session: Writing, settings: InForce) -> None:
    """Any provider: JSON with id, from and text, signed by standardwebhooks.com."""
    _check_set(settings)
    try:
        Webhook(settings.sms_inbound_secret).verify(body, dict(request.headers), json_parse=False)
    except (WebhookVerificationError, ValueError):
        raise Refused("forbidden", "the signature is wrong, or too old") from None
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError):
        raise Refused("invalid-input", "the body is no JSON") from None
    _received(session, settings, fields, "w")


def _check_set(settings: Settings) -> None:
    if not settings.sms_inbound_secret:
        raise Refused("not-found", "no text messages are taken: sms.inbound_secret is not set")


def _received(session: Session, settings: Settings, fields: object, way: str) -> None:
    try:
        text_message = Inbound.model_validate(fields)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise Refused("invalid-input", f"{where}: {first['msg']}") from None
    try:
        number = numbers.parse(text_message.sender, settings.allowed_prefixes)
    except Refused:
        return  # a machine's own line or a number abroad, which nobody could call back
    commands.execute(
        session,
        number,
        text_message.text,
        f"{way}:{text_message.id}",
        per_day=settings.registrations_per_day,
        most_answers=settings.text_answers_per_day,
        public_url=settings.public,
    )
