"""Outgoing messages: webhooks, text messages, a messenger, push; and sign-in codes."""

import base64
import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator
from pydantic_settings import NoDecode

from settings.part import Part
from settings.toml_files import place
from settings.values import (
    URL,
    Amounts,
    OptionalPath,
    Texts,
    Words,
    check_signing_secret,
    split_words,
)

_NEEDED_BY = {
    "kavenegar": ("sms_kavenegar_key",),
    "smsir": ("sms_smsir_key",),
    "melipayamak": ("sms_melipayamak_user", "sms_melipayamak_password"),
    "ghasedak": ("sms_ghasedak_key",),
    "ippanel": ("sms_ippanel_key", "sms_ippanel_line"),
    "http": ("sms_http_url",),
}


_P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


_PUSH_HOST = re.compile(r"(\*\.)?([a-z0-9-]+\.)+[a-z][a-z0-9-]*")


def _check_sms(provider: str, others: ValidationInfo) -> None:
    lacking = [name for name in _NEEDED_BY.get(provider, ()) if not others.data.get(name)]
    if lacking:
        raise ValueError(f"needs {' and '.join(map(place, lacking))}")


class Messages(Part):
    """Outgoing messages: webhooks, text messages, a messenger, push; and sign-in codes."""

    messages: OptionalPath = None
    """The TOML file of webhooks, providers of text messages, the messenger and push
    (docs/text-messages.md). Empty: `city/messages.toml` in the state folder, if it is there."""
    notice_webhook: str = Field("", pattern=r"^(https?://\S+)?$", max_length=500)
    """The address to which each round's notice is posted (the city's website, a channel's bot). Empty: none.
    """
    notice_webhook_secret: str = Field("", validate_default=True)
    """The key that signs these posts (standardwebhooks.com): `whsec_` and 24 to 64 bytes in base64."""
    request_webhook: str = Field("", pattern=r"^(https?://\S+)?$", max_length=500)
    """The address to which each step of a city request is posted, without its words or its number. Empty:
    none."""
    request_webhook_secret: str = Field("", validate_default=True)
    """The key that signs those posts, written like the other one, and not equal to it."""
    sms_sender: str = Field("", pattern=r"^[0-9A-Za-z+]*$")
    """The line from which text messages come. Empty: the provider chooses."""
    sms_kavenegar_url: str = Field("https://api.kavenegar.com", pattern=URL)
    """Kavenegar's address for text messages."""
    sms_kavenegar_key: str = Field("", pattern=r"^[0-9A-Za-z%=+_-]*$")
    """Our key at Kavenegar."""
    sms_smsir_url: str = Field("https://api.sms.ir", pattern=URL)
    """SMS.ir's address for text messages."""
    sms_smsir_key: str = Field("", pattern=r"^[!-~]*$")
    """Our key at SMS.ir."""
    sms_smsir_line: str = Field("", pattern=r"^[0-9]*$")
    """Our line at SMS.ir, for messages without a template."""
    sms_melipayamak_url: str = Field("https://rest.payamak-panel.com", pattern=URL)
    """Melipayamak's address for text messages."""
    sms_melipayamak_user: str = ""
    """Our user name at Melipayamak."""
    sms_melipayamak_password: str = ""
    """Our password at Melipayamak, or the API key used instead."""
    sms_melipayamak_line: str = Field("", pattern=r"^[0-9]*$")
    """Our line at Melipayamak, for messages without a template."""
    sms_ghasedak_url: str = Field("https://gateway.ghasedak.me", pattern=URL)
    """Ghasedak's address for text messages."""
    sms_ghasedak_key: str = Field("", pattern=r"^[!-~]*$")
    """Our key at Ghasedak."""
    sms_ghasedak_line: str = Field("", pattern=r"^[0-9A-Za-z]*$")
    """Our line at Ghasedak, for messages without a template. Empty: Ghasedak chooses."""
    sms_ippanel_url: str = Field("https://edge.ippanel.com/v1", pattern=URL)
    """IPPanel's address for text messages; resellers of IPPanel have their own."""
    sms_ippanel_key: str = Field("", pattern=r"^[!-~]*$")
    """Our key at IPPanel."""
    sms_ippanel_line: str = Field("", pattern=r"^(\+[0-9]+)?$")
    """Our line at IPPanel: +983000505."""
    sms_http_url: str = Field("", pattern=URL)
    """Another provider's address, which takes a text message as a POST of JSON."""
    sms_http_headers: Texts = Field({})
    """Headers of that POST, with our credentials: {Authorization = "Bearer …"}."""
    sms_http_body: Texts = Field({"to": "{to}", "text": "{text}"})
    """Fields of that POST, all strings; {to}, {text}, {id} and {sender} are filled in."""
    sms_provider: Literal[
        "", "console", "kavenegar", "smsir", "melipayamak", "ghasedak", "ippanel", "http"
    ] = ""
    """The provider of text messages. Empty: none are sent. `console` only logs them."""
    sms_next: Annotated[
        tuple[Literal["console", "kavenegar", "smsir", "melipayamak", "ghasedak", "ippanel", "http"], ...],
        NoDecode,
        BeforeValidator(split_words),
    ] = Field((), validate_default=True)
    """Fallback providers, in order. The next one sends a message when the one before surely has not."""
    sms_templates: OptionalPath = None
    """A TOML file with the providers' templates (docs/text-messages.md)."""
    sms_plain: bool = True
    """Send messages without a template as plain text. An advertising line does not reach everyone."""
    sms_least_credit: Amounts = Field({})
    """The least credit of each provider, in its own unit: {kavenegar = 500000}. Below it
    /healthz reports trouble."""
    sms_inbound_secret: str = Field("", validate_default=True)
    """The key that signs citizens' text messages from the provider: `whsec_` and 24 to 64 bytes in base64.
    Empty: incoming messages are refused."""
    bale_url: str = Field("https://safir.bale.ai", pattern=URL)
    """The address of Bale's Safir for one-time codes."""
    bale_bot: int = Field(0, ge=0, lt=2**63)
    """The number of the bot that sends these codes."""
    bale_key: str = Field("", pattern=r"^[!-~]*$")
    """Our access key at Bale's Safir, which sends sign-in codes in that messenger."""
    push_services: Words = (
        "fcm.googleapis.com",
        "updates.push.services.mozilla.com",
        "*.notify.windows.com",
        "*.push.apple.com",
    )
    """Hosts of browsers' push services to which notices may go; `*.` means any subdomain."""
    push_contact: str = Field("", pattern=r"^((mailto:[^\s@]+@[^\s@]+|https://[^\s]+))?$", max_length=200)
    """The contact for push services when something is wrong: mailto:… or https://…"""
    push_key: str = Field("", pattern=r"^([A-Za-z0-9_-]{43})?$")
    """The city's VAPID key: a browser takes notices only with this key (`hotline137 message push-key` prints
    one). Empty: push is off."""
    codes_per_hour: int = Field(1000, ge=1, le=1_000_000)
    """Sign-in codes sent to citizens in an hour, all together: a cap on a runaway bill. Calls that speak a
    code have caps of their own."""
    codes_per_day: int = Field(8000, ge=1, le=10_000_000)
    """Sign-in codes sent to citizens in 24 hours, all together. Answers to citizens' text messages have a
    limit of their own, a quarter of this."""

    @field_validator("notice_webhook_secret")
    @classmethod
    def _webhook_secret(cls, value: str, others: ValidationInfo) -> str:
        return check_signing_secret(value) if value or others.data.get("notice_webhook") else value

    @field_validator("request_webhook_secret")
    @classmethod
    def _request_secret(cls, value: str, others: ValidationInfo) -> str:
        return check_signing_secret(value) if value or others.data.get("request_webhook") else value

    @field_validator("sms_inbound_secret")
    @classmethod
    def _inbound_secret(cls, value: str, others: ValidationInfo) -> str:
        if value and not others.data.get("sms_provider"):
            raise ValueError(f"needs {place('sms_provider')}, which sends the answers")
        return check_signing_secret(value) if value else value

    @field_validator("sms_provider")
    @classmethod
    def _sms_provider(cls, value: str, others: ValidationInfo) -> str:
        _check_sms(value, others)
        return value

    @field_validator("sms_next")
    @classmethod
    def _sms_next(cls, value: tuple[str, ...], others: ValidationInfo) -> tuple[str, ...]:
        if value and not others.data.get("sms_provider"):
            raise ValueError(f"needs {place('sms_provider')}, which sends first")
        for each in value:
            _check_sms(each, others)
        return value

    @field_validator("sms_templates")
    @classmethod
    def _sms_templates(cls, value: Path | None) -> Path | None:
        if value and not value.is_file():
            raise ValueError("there is no such file")
        return value

    @field_validator("bale_key")
    @classmethod
    def _bale(cls, value: str, others: ValidationInfo) -> str:
        if value and not others.data.get("bale_bot"):
            raise ValueError(f"needs {place('bale_bot')}")
        return value

    @field_validator("push_services")
    @classmethod
    def _push_hosts(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for host in value:
            if not _PUSH_HOST.fullmatch(host):
                raise ValueError(f"{host!r} is no host's name, such as push.example or *.push.example")
        return value

    @field_validator("push_key")
    @classmethod
    def _push(cls, value: str, others: ValidationInfo) -> str:
        if not value:
            return value
        if not 0 < int.from_bytes(base64.urlsafe_b64decode(value + "=")) < _P256_ORDER:
            raise ValueError("is no key: `hotline137 message push-key` prints one")
        if not others.data.get("push_contact"):
            raise ValueError(f"needs {place('push_contact')}")
        return value
