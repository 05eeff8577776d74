"""IPPanel's Edge API, https://ippanelcom.github.io/Edge-Document: JSON, our key in the header Authorization.

Patterns and plain texts both go by `send`, which takes no names. All numbers are E.164.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import httpx

from db.models import Arrival, DeliveryFailure
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
from scheduler.sms.provider import Letter, ask_each, map_states
from settings import Settings

_OURS = {
    401: DeliveryFailure.ACCOUNT,
    402: DeliveryFailure.CREDIT,
    403: DeliveryFailure.ACCOUNT,
    429: DeliveryFailure.RATE,
}
_REFUSED = frozenset({400, 422})
_ARRIVALS = {
    0: Arrival.UNDERWAY,
    1: Arrival.UNDERWAY,
    2: Arrival.DELIVERED,
    3: Arrival.UNREACHABLE,
    4: Arrival.BLACKLISTED,
}


class IpPanel:
    """IPPanel as a provider of text messages."""

    name, knows_names, at_once = "ippanel", False, 10

    def __init__(self, client: httpx.AsyncClient, settings: Settings) -> None:
        self._client = client
        self._url = f"{settings.sms_ippanel_url.rstrip('/')}/api"
        self._headers = {"Authorization": settings.sms_ippanel_key}
        self._line = settings.sms_ippanel_line

    async def send(self, letter: Letter) -> str:
        """Send the message. Return IPPanel's id for it."""
        body: dict[str, Any] = {"from_number": self._line}
        if letter.template:
            body |= {
                "sending_type": "pattern",
                "code": letter.template.name,
                "recipients": [letter.to],
                "params": dict(letter.template.tokens),
            }
        else:
            body |= {
                "sending_type": "webservice",
                "message": letter.text,
                "params": {"recipients": [letter.to]},
            }
        answer = await self._ask("POST", "send", template=bool(letter.template), json=body)
        id_ = parse_integer(answer.part("data", "message_outbox_ids", 0))
        if not id_:
            raise make_unclear("IPPanel", answer)
        return str(id_)

    async def arrivals(self, ids: Sequence[str]) -> Mapping[str, Arrival]:
        """Return the arrivals, one request for each message, which has one recipient."""
        return map_states(await ask_each(ids, self._state), _ARRIVALS)

    async def _state(self, id_: str) -> int | None:
        answer = await self._ask("GET", "report/recipients", params=_one(id_))
        return parse_integer(answer.part("data", 0, "message_status"))

    async def credit(self) -> float | None:
        """Return the credit in rials."""
        return parse_amount((await self._ask("GET", "payment/credit/mine")).part("data", "credit"))

    async def _ask(self, method: str, path: str, *, template: bool = False, **request: Any) -> Answer:
        answer = await ask(self._client, method, f"{self._url}/{path}", headers=self._headers, **request)
        good = answer.part("meta", "status")
        if good is False:
            code = answer.status
            said = f"IPPanel {code}"
            if code in _OURS:
                raise TryAgain(said, OURS_TO_MEND_S, why=_OURS[code])
            if code in _REFUSED:
                raise TemplateRefused(said) if template else RefusedForGood(said)
        if good is not True or answer.status != 200:
            raise make_unclear("IPPanel", answer)
        return answer


def _one(id_: str) -> dict[str, str]:
    return {"bulk_id": id_, "page": "1", "per_page": "1"}
