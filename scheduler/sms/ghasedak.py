"""Ghasedak's REST API, https://ghasedak.me/docs: JSON, our key in ApiKey, its own code in `statusCode`.

Templates go by `SendOtpSMS`, plain texts by `SendSingleSMS`. Our name goes along (`clientReferenceId`),
without a promise that a repeated name is not sent again. Ghasedak's documents write field names in both
cases.
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
    find_part,
    make_unclear,
    parse_amount,
    parse_integer,
)
from scheduler.sms.provider import Letter, map_states
from settings import Settings

_OURS = {
    **dict.fromkeys((401, 403), DeliveryFailure.ACCOUNT),
    **dict.fromkeys((402, 418), DeliveryFailure.CREDIT),
    412: DeliveryFailure.LINE,
    429: DeliveryFailure.RATE,
}
_REFUSED = frozenset({400, 404, 411, 422})
_ARRIVALS = {
    0: Arrival.UNDERWAY,
    1: Arrival.REFUSED,
    2: Arrival.BLACKLISTED,
    3: Arrival.UNDERWAY,
    4: Arrival.UNREACHABLE,
    5: Arrival.DELIVERED,
    6: Arrival.REFUSED,
}


class Ghasedak:
    """Ghasedak as a provider of text messages."""

    name, knows_names, at_once = "ghasedak", False, 100

    def __init__(self, client: httpx.AsyncClient, settings: Settings) -> None:
        self._client = client
        self._url = f"{settings.sms_ghasedak_url.rstrip('/')}/rest/api/v1/WebService"
        self._headers = {"ApiKey": settings.sms_ghasedak_key}
        self._line = settings.sms_ghasedak_line

    async def send(self, letter: Letter) -> str:
        """Send the message. Return Ghasedak's messageId."""
        number = numbers.format_national(letter.to)
        if letter.template:
            body: dict[str, Any] = {
                "receptors": [{"mobile": number, "clientReferenceId": letter.name}],
                "templateName": letter.template.name,
                "inputs": [{"param": name, "value": value} for name, value in letter.template.tokens.items()],
            }
            answer = await self._ask("POST", "SendOtpSMS", template=True, json=body)
        else:
            body = {"receptor": number, "message": letter.text, "clientReferenceId": letter.name}
            if self._line:
                body["lineNumber"] = self._line
            answer = await self._ask("POST", "SendSingleSMS", json=body)
        data = answer.part("data")
        id_ = parse_integer(find_part(data, "messageid") or find_part(data, "items", 0, "messageid"))
        if not id_:
            raise make_unclear("Ghasedak", answer)
        return str(id_)

    async def arrivals(self, ids: Sequence[str]) -> Mapping[str, Arrival]:
        """Return the arrivals by `CheckSmsStatus`."""
        answer = await self._ask("GET", "CheckSmsStatus", params={"Ids": ",".join(ids), "Type": "1"})
        data = answer.part("data")
        listed = find_part(data, "items") or data
        found = {
            str(find_part(each, "messageid")): parse_integer(find_part(each, "status"))
            for each in (listed if isinstance(listed, list) else [])
        }
        return map_states(found, _ARRIVALS)

    async def credit(self) -> float | None:
        """Return the credit in rials."""
        return parse_amount((await self._ask("GET", "GetAccountInformation")).part("data", "credit"))

    async def _ask(self, method: str, path: str, *, template: bool = False, **request: Any) -> Answer:
        answer = await ask(self._client, method, f"{self._url}/{path}", headers=self._headers, **request)
        answer = answer._replace(data=_small(answer.data))
        code = parse_integer(answer.part("statuscode")) or answer.status
        if code in _OURS:
            raise TryAgain(f"Ghasedak {code}", OURS_TO_MEND_S, why=_OURS[code])
        if code in _REFUSED and answer.part("issuccess") is False:
            raise TemplateRefused(f"Ghasedak {code}") if template else RefusedForGood(f"Ghasedak {code}")
        if answer.part("issuccess") is not True or answer.status != 200:
            raise make_unclear("Ghasedak", answer)
        return answer


def _small(value: Any, depth: int = 0) -> Any:
    """Return the value with lower-case field names, as deep as an answer goes."""
    if depth < 5 and isinstance(value, dict):
        return {name.lower(): _small(each, depth + 1) for name, each in value.items()}
    return [_small(each, depth + 1) for each in value] if depth < 5 and isinstance(value, list) else value
