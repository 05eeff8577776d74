"""Channels besides text messages: a messenger for codes, and webhooks.

Each passes on a message's own name, so that a repeated send after a lost answer reaches the citizen once.
None logs a number, a text or an address.
"""

import logging
from datetime import UTC, datetime
from typing import Any, Protocol

import httpx

from hotline.rounds import notices
from scheduler.provider_responses import (
    OURS_TO_MEND_S,
    RefusedForGood,
    TryAgain,
    ask,
    check,
    parse_retry_after,
)
from settings import Settings

for _name in ("httpx", "httpcore"):
    logging.getLogger(_name).setLevel(logging.WARNING)  # these log addresses; Kavenegar's has our key


class Provider(Protocol):
    """Channel for messages. The caller limits the time."""

    async def send(self, to: str, text: str, message_id: str) -> str:
        """Send the message. Return the provider's id for it, or "". Raises TryAgain, RefusedForGood."""


def make_messenger(settings: Settings, client: httpx.AsyncClient) -> Provider | None:
    """Return the messenger for codes; None if the settings name none."""
    return Bale(client, settings) if settings.bale_key else None


class Bale:
    """Bale's Safir, https://docs.bale.ai/safir: POST /api/v3/send_message, a one-time code to a number.

    `request_id` is our name for the message: Bale sends no second one with that name. The text around the
    code is Bale's own.
    """

    _REFUSED = frozenset({4, 8, 17})
    """Codes for a wrong message, an invalid number, or a number without an account."""
    _OURS = frozenset({20, 21})
    """Codes for our account: its credit, or its bot's quota."""

    def __init__(self, client: httpx.AsyncClient, settings: Settings) -> None:
        self._client = client
        self._url = f"{settings.bale_url.rstrip('/')}/api/v3/send_message"
        self._key, self._bot = settings.bale_key, settings.bale_bot

    async def send(self, to: str, text: str, message_id: str) -> str:
        """Send the code `text`. Return Bale's message_id."""
        body = {
            "request_id": message_id,
            "bot_id": self._bot,
            "phone_number": to.removeprefix("+"),
            "message_data": {"otp_message": {"otp": text}},
        }
        headers = {"api-access-key": self._key}
        answer = await ask(self._client, "POST", self._url, json=body, headers=headers)
        number, code = answer.part("message_id"), answer.part("error_data", 0, "code")
        if code in self._REFUSED:
            raise RefusedForGood(f"Bale {code}")
        if code is not None:
            raise TryAgain(f"Bale {code}", OURS_TO_MEND_S if code in self._OURS else None)
        check(answer.status, answer.after_s)
        if not isinstance(number, str) or not number:
            raise TryAgain("Bale: no message_id")
        return number


class Webhook:
    """Webhook for signed notices (standardwebhooks.com); the header webhook-id has the message's name."""

    def __init__(self, client: httpx.AsyncClient, secret: str) -> None:
        self._client, self._secret = client, secret

    async def send(self, to: str, text: str, message_id: str) -> str:
        """Post `text` to the address `to`; only the answer's status counts."""
        headers = notices.sign_headers(message_id, text, self._secret, datetime.now(UTC))
        status, after = await _status(self._client, to, content=text.encode(), headers=headers)
        check(status, after, refused=frozenset({410}))
        return ""


async def _status(client: httpx.AsyncClient, url: str, **request: Any) -> tuple[int, float | None]:
    """Return the status without waiting for the rest of the answer."""
    try:
        async with client.stream("POST", url, follow_redirects=False, **request) as response:
            return response.status_code, parse_retry_after(response)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise TryAgain(type(error).__name__) from None  # the text of the error may hold an address
