"""What sends text messages without being one of the known providers: nothing at all, and any address."""

import logging
import re
from collections.abc import Mapping, Sequence

import httpx

from clerk.answers import ask, check
from clerk.sms.provider import Letter
from db.models import Arrival
from hotline import numbers
from settings import Settings

log = logging.getLogger("clerk")

_SLOT = re.compile(r"\{(?:to|text|id|sender)\}")


class _SaysNothing:
    """Of what became of a message, and of credit."""

    knows_names, at_once = True, 0

    async def arrivals(self, _ids: Sequence[str]) -> Mapping[str, Arrival]:
        """Nothing."""
        return {}

    async def credit(self) -> float | None:
        """None."""
        return None


class Console(_SaysNothing):
    """Sends nothing, and says so in the log. It knows no names: after a kill it may say so twice."""

    name = "console"

    def __init__(self, _client: httpx.AsyncClient, _settings: Settings) -> None:
        pass

    async def send(self, letter: Letter) -> str:
        """Log that a message would have gone out."""
        log.info("text message %s to %s: %d signs", letter.name, numbers.masked(letter.to), len(letter.text))
        return ""


class AnyHttp(_SaysNothing):
    """Any provider that takes a message as a POST of JSON, by settings.

    Our name for the message is the header Idempotency-Key, and {id} in the body: whether a second one of that
    name is not sent is the provider's to say.
    """

    name = "http"

    def __init__(self, client: httpx.AsyncClient, settings: Settings) -> None:
        self._client, self._settings = client, settings

    async def send(self, letter: Letter) -> str:
        """Send; returns what the answer calls `id`, if it is JSON."""
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
    """The template with its slots filled in one pass: what a value holds is never a slot."""
    return _SLOT.sub(lambda slot: values[slot[0]], template)
