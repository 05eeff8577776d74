"""Ways out for messages: SMS providers, and the webhook to which notices are posted.

Each passes a message's own name on, so that a message sent a second time, because nobody knows what became of
the first, reaches the citizen once. None of them logs a number, a text or an address.
"""

import json
import logging
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, Protocol

import httpx

from hotline import numbers
from hotline.rounds import notices
from settings import Settings

log = logging.getLogger("clerk")
for _name in ("httpx", "httpcore"):
    logging.getLogger(_name).setLevel(logging.WARNING)  # they log addresses, and Kavenegar's holds our key

_SLOT = re.compile(r"\{(?:to|text|id|sender)\}")
_LONGEST_ANSWER = 64 * 1024
_OURS_TO_MEND_S = 600.0
"""Wait so long when the fault is in our account or settings: a person has to mend it."""

_MAY_PASS = frozenset({401, 403, 404, 405, 407, 408, 409, 421, 425, 429})
"""Refusals of a request, not of the message: somebody mends the settings, or it is only too early."""


class TryAgain(Exception):
    """It did not go out, or nobody knows; `after_s` is how long to wait at least, if that is known."""

    def __init__(self, reason: str, after_s: float | None = None) -> None:
        super().__init__(reason)
        self.after_s = after_s


class RefusedForGood(Exception):
    """It will never go out."""


class Provider(Protocol):
    """A way out. The caller bounds the time."""

    async def send(self, to: str, text: str, message_id: str) -> str:
        """Send; returns the provider's name for the message, or "". Raises TryAgain, RefusedForGood."""


def messenger(settings: Settings, client: httpx.AsyncClient) -> Provider | None:
    """Whoever brings codes into a messenger; None if nobody is set."""
    return Bale(client, settings) if settings.bale_key else None


def sms(settings: Settings, client: httpx.AsyncClient) -> Provider | None:
    """Whoever sends the text messages; None if nobody is set."""
    match settings.sms_provider:
        case "kavenegar":
            return Kavenegar(client, settings)
        case "http":
            return AnyHttp(client, settings)
        case "console":
            return Console()
        case _:
            return None


class Console:
    """Sends nothing, and says so in the log. It knows no names: after a kill it may say so twice."""

    async def send(self, to: str, text: str, message_id: str) -> str:
        """Log that a message would have gone out."""
        log.info("text message %s to %s: %d signs", message_id, numbers.masked(to), len(text))
        return ""


class Kavenegar:
    """Kavenegar's REST API, https://kavenegar.com/rest.html: POST /v1/KEY/sms/send.json.

    `localid` is our name for the message: a second one of that name is not sent, the first is answered with.
    """

    _REFUSED = frozenset({400, 406, 411, 413, 417, 419, 420, 422})
    """The message itself is wrong: its receiver, length, links or signs."""
    _OURS = frozenset({401, 403, 404, 405, 407, 412, 416, 418, 426, 427, 429, 451, 501})
    """The account: its key, address, line, rights or credit (418). Messages wait until that is mended."""
    _LOST = frozenset({6, 11, 13, 14})
    """States of a message that will not arrive: failed, undelivered, cancelled, blocked by the receiver."""

    def __init__(self, client: httpx.AsyncClient, settings: Settings) -> None:
        self._client = client
        self._url = f"{settings.sms_kavenegar_url.rstrip('/')}/v1/{settings.sms_kavenegar_key}/sms/send.json"
        self._sender = settings.sms_sender

    async def send(self, to: str, text: str, message_id: str) -> str:
        """Send; returns Kavenegar's messageid."""
        form = {"receptor": numbers.national(to), "message": text, "localid": message_id}
        if self._sender:
            form["sender"] = self._sender
        async with _post(self._client, self._url, data=form) as response:
            answer = await _json(response)
        status = _part(answer, "return", "status")
        code = status if isinstance(status, int) else response.status_code
        if code in self._REFUSED:
            raise RefusedForGood(f"Kavenegar {code}")
        entry = _part(answer, "entries", 0)
        number = _part(entry, "messageid")
        if code != 200 or number is None:
            raise TryAgain(f"Kavenegar {code}", _OURS_TO_MEND_S if code in self._OURS else None)
        if _part(entry, "status") in self._LOST:
            raise RefusedForGood(f"Kavenegar: status {_part(entry, 'status')}")
        return str(number)


class Bale:
    """Bale's Safir, https://docs.bale.ai/safir: POST /api/v3/send_message, a one-time code to a number.

    `request_id` is our name for the message: a second one of that name is not sent. What else is said around
    the code is Bale's own.
    """

    _REFUSED = frozenset({4, 8, 17})
    """What was sent is wrong, the number is none, or nobody has an account by it."""
    _OURS = frozenset({20, 21})
    """The account: its credit, or how many its bot may write to."""

    def __init__(self, client: httpx.AsyncClient, settings: Settings) -> None:
        self._client = client
        self._url = f"{settings.bale_url.rstrip('/')}/api/v3/send_message"
        self._key, self._bot = settings.bale_key, settings.bale_bot

    async def send(self, to: str, text: str, message_id: str) -> str:
        """Send the code `text`; returns Bale's message_id."""
        body = {
            "request_id": message_id,
            "bot_id": self._bot,
            "phone_number": to.removeprefix("+"),
            "message_data": {"otp_message": {"otp": text}},
        }
        headers = {"api-access-key": self._key}
        async with _post(self._client, self._url, json=body, headers=headers) as response:
            answer = await _json(response)
            number, code = _part(answer, "message_id"), _part(answer, "error_data", 0, "code")
            if code in self._REFUSED:
                raise RefusedForGood(f"Bale {code}")
            if code is not None:
                raise TryAgain(f"Bale {code}", _OURS_TO_MEND_S if code in self._OURS else None)
            _check(response)
        if not isinstance(number, str) or not number:
            raise TryAgain("Bale: no message_id")
        return number


class AnyHttp:
    """Any provider that takes a message as a POST of JSON, by settings.

    Our name for the message is the header Idempotency-Key, and {id} in the body: whether a second one of that
    name is not sent is the provider's to say.
    """

    def __init__(self, client: httpx.AsyncClient, settings: Settings) -> None:
        self._client, self._settings = client, settings

    async def send(self, to: str, text: str, message_id: str) -> str:
        """Send; returns what the answer calls `id`, if it is JSON."""
        values = {"{to}": to, "{text}": text, "{id}": message_id, "{sender}": self._settings.sms_sender}
        body = {name: _filled(part, values) for name, part in self._settings.sms_http_body.items()}
        headers = {"Idempotency-Key": message_id, **self._settings.sms_http_headers}
        async with _post(self._client, self._settings.sms_http_url, json=body, headers=headers) as response:
            _check(response)
            return str(_part(await _json(response), "id") or "")


class Webhook:
    """Posts a notice, signed by standardwebhooks.com; its name there is the header webhook-id."""

    def __init__(self, client: httpx.AsyncClient, secret: str) -> None:
        self._client, self._secret = client, secret

    async def send(self, to: str, text: str, message_id: str) -> str:
        """Post `text` to the address `to`; nothing of the answer counts but its status."""
        headers = notices.signed(message_id, text, self._secret, datetime.now(UTC))
        async with _post(self._client, to, content=text.encode(), headers=headers) as response:
            _check(response, refused=frozenset({410}))
        return ""


@asynccontextmanager
async def _post(client: httpx.AsyncClient, url: str, **request: Any) -> AsyncIterator[httpx.Response]:
    try:
        async with client.stream("POST", url, follow_redirects=False, **request) as response:
            yield response
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise TryAgain(type(error).__name__) from None  # its text may hold an address


async def _json(response: httpx.Response) -> Any:
    """The answer, if it is JSON and not huge; as it came, so that nothing small is unpacked into much."""
    body = b""
    async for piece in response.aiter_raw():
        body += piece
        if len(body) > _LONGEST_ANSWER:
            return None
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _part(value: Any, *path: str | int) -> Any:
    for step in path:
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            return None
    return value


def _check(response: httpx.Response, refused: frozenset[int] | None = None) -> None:
    status = response.status_code
    if 200 <= status < 300:
        return
    final = status in refused if refused else 400 <= status < 500 and status not in _MAY_PASS
    if final:
        raise RefusedForGood(f"HTTP {status}")
    after = after_s(response)
    if after is None and status < 500:
        after = _OURS_TO_MEND_S
    raise TryAgain(f"HTTP {status}", after)


def after_s(response: httpx.Response) -> float | None:
    """For how long whoever answers wants to be left alone, if it says so in seconds."""
    after = response.headers.get("Retry-After", "")
    return float(after[:9]) if after.isascii() and after.isdecimal() else None


def _filled(template: str, values: Mapping[str, str]) -> str:
    """The template with its slots filled in one pass: what a value holds is never a slot."""
    return _SLOT.sub(lambda slot: values[slot[0]], template)
