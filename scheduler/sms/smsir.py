"""SMS.ir's REST API, https://sms.ir/rest-api: JSON, our key in X-API-KEY, its own code in `status` (1: good).

Templates go by `send/verify`, plain texts by `send/bulk`. Neither takes names.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import httpx

from db.models import Arrival, DeliveryFailure
from hotline import numbers
from scheduler.provider_responses import (
    OURS_TO_MEND_S,
    Answer,
    RefusedForGood,
    TemplateRefused,
    TryAgain,
    ask,
    make_unclear,
    parse_amount,
    parse_integer,
)
from scheduler.sms.provider import Letter, Template, ask_each, map_states, shorten
from settings import Settings

_OURS = {
    **dict.fromkeys((10, 11, 12, 13, 14), DeliveryFailure.ACCOUNT),
    20: DeliveryFailure.RATE,
    **dict.fromkeys((101, 123), DeliveryFailure.LINE),
    102: DeliveryFailure.CREDIT,
    117: DeliveryFailure.TEMPLATE,  # these words may be sent by a template only
}
_TEMPLATE = frozenset({113, 114, 116, 119})
_NUMBER = frozenset({104, 115})
_REFUSED = frozenset({103, 105, 106, 107, 108, 109, 110, 118})
_ARRIVALS = {
    1: Arrival.DELIVERED,
    2: Arrival.UNREACHABLE,
    3: Arrival.UNDERWAY,
    4: Arrival.REFUSED,
    5: Arrival.UNDERWAY,
    6: Arrival.REFUSED,
    7: Arrival.BLACKLISTED,
}
_LONGEST = 25
"""Length of a template's parameter."""


class SmsIr:
    """SMS.ir as a provider of text messages."""

    name, knows_names, at_once = "smsir", False, 10

    def __init__(self, client: httpx.AsyncClient, settings: Settings) -> None:
        self._client = client
        self._url = f"{settings.sms_smsir_url.rstrip('/')}/v1"
        self._headers = {"X-API-KEY": settings.sms_smsir_key, "Accept": "application/json"}
        self._line = settings.sms_smsir_line

    async def send(self, letter: Letter) -> str:
        """Send the message. Return SMS.ir's messageId."""
        number = numbers.format_national(letter.to)
        if letter.template:
            answer = await self._ask("POST", "send/verify", _verify(number, letter.template))
            id_ = answer.part("data", "messageId")
        else:
            body = {"lineNumber": parse_integer(self._line), "messageText": letter.text, "mobiles": [number]}
            answer = await self._ask("POST", "send/bulk", body)
            id_ = answer.part("data", "messageIds", 0)
        if not parse_integer(id_):
            raise make_unclear("SMS.ir", answer)
        return str(id_)

    async def arrivals(self, ids: Sequence[str]) -> Mapping[str, Arrival]:
        """Return the arrivals by `send/ID`, one request for each message."""
        return map_states(await ask_each(ids, self._state), _ARRIVALS)

    async def _state(self, id_: str) -> int | None:
        return parse_integer((await self._ask("GET", f"send/{id_}")).part("data", "deliveryState"))

    async def credit(self) -> float | None:
        """Return the credit in messages."""
        return parse_amount((await self._ask("GET", "credit")).part("data"))

    async def _ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Answer:
        url = f"{self._url}/{path}"
        answer = await ask(self._client, method, url, headers=self._headers, json=body)
        code = parse_integer(answer.part("status"))
        said = f"SMS.ir {code}"
        if code in _TEMPLATE:
            raise TemplateRefused(said)
        if code in _OURS:
            raise TryAgain(said, OURS_TO_MEND_S, why=_OURS[code])
        if code in _NUMBER:
            raise RefusedForGood(said, DeliveryFailure.NUMBER)
        if code in _REFUSED:
            raise RefusedForGood(said)
        if code != 1 or answer.status != 200:
            raise make_unclear("SMS.ir", answer)
        return answer


def _verify(number: str, template: Template) -> dict[str, Any]:
    parameters = [
        {"name": name, "value": shorten(value, _LONGEST)} for name, value in template.tokens.items()
    ]
    return {"mobile": number, "templateId": parse_integer(template.name) or 0, "parameters": parameters}
