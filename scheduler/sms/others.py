"""Senders that are no known provider: the log, and any HTTP address."""

import logging
import re
from collections.abc import Mapping, Sequence

import httpx

from db.models import Arrival
from hotline import numbers
from scheduler.provider_responses import ask, check
from scheduler.sms.provider import Letter
from settings import Settings

log = logging.getLogger("scheduler")

_SLOT = re.compile(r"\{(?:to|text|id|sender)\}")


class _SaysNothing:
    """Sender without delivery reports and without a credit."""

    knows_names, at_once = True, 0

    async def arrivals(self, _ids: Sequence[str]) -> Mapping[str, Arrival]:
        """Return no arrivals."""
        return {}

    async def credit(self) -> float | None:
        """Return no credit."""
        return None


class Console(_SaysNothing):
    """Sender that only logs. The log keeps no names: after a kill it may log a message twice."""

    name = "console"

    def __init__(self, _client: httpx.AsyncClient, _settings: Settings) -> None:
        pass

    async def send(self, letter: Letter) -> str:
        """Log that a message would have been sent."""
        log.info("text message %s to %s: %d signs", letter.name, numbers.mask(letter.to), len(letter.text))
        return ""


class AnyHttp(_SaysNothing):
    """Any provider that takes a message as a POST of JSON, by settings.

    Our name for the message is the header Idempotency-Key, and {id} in the body. Whether a repeated name is
    sent again is up to the provider.
    """

    name = "http"

    def __init__(self, client: httpx.AsyncClient, settings: Settings) -> None:
        self._client, self._settings = client, settings

    async def send(self, letter: Letter) -> str:
        """Send the message. Return `id` of the answer, if it is JSON."""
        values = {
            "{to}": letter.to,
            "{text}": letter.text,
            "{id}": letter.name,
            "{sender}": self._settings.sms_sender,
        }
        body = {name: _filled(part, values) for name, part in self._settings.sms_http_body.items()}
        headers = {"Idempotency-Key": letter.name, **self._settings.sms_http_headers}
        answer = await ask(self._client, "POST", self._settings.sms_http_url, json=body, headers=headers)
        check(answer.status, answer.after_s)
        return str(answer.part("id") or "")


def _filled(template: str, values: Mapping[str, str]) -> str:
    """Fill the template's slots in one pass, so that a value never counts as a slot."""
    return _SLOT.sub(lambda slot: values[slot[0]], template)
