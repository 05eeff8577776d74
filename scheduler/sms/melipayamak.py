"""Melipayamak's REST API, https://www.melipayamak.com/api: POST /api/SendSMS/METHOD, with name and password.

Templates go by `BaseServiceNumber`, whose `text` holds all values in order, separated by semicolons. Plain
texts go by `SendSMS`. Neither takes names. A sent message has a long number as `Value`; a failure has a code
there or in `RetStatus`.
"""

from collections.abc import Mapping, Sequence

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
from scheduler.sms.provider import Letter, Template, ask_each, map_states
from settings import Settings

_LEAST_ID = 2000
_OURS = {
    **dict.fromkeys((0, 10, 12, -1), DeliveryFailure.ACCOUNT),
    2: DeliveryFailure.CREDIT,
    **dict.fromkeys((3, 4, -2), DeliveryFailure.RATE),
    **dict.fromkeys((5, 9, -3, -7), DeliveryFailure.LINE),
    6: DeliveryFailure.DOWN,
}
_TEMPLATE = frozenset({-4, -5})
_REFUSED = frozenset({7, 11})
_ARRIVALS = {
    0: Arrival.UNDERWAY,
    1: Arrival.DELIVERED,
    2: Arrival.UNREACHABLE,
    3: Arrival.REFUSED,
    8: Arrival.UNDERWAY,
    16: Arrival.REFUSED,
    35: Arrival.BLACKLISTED,
    200: Arrival.UNDERWAY,
    300: Arrival.REFUSED,
    400: Arrival.UNDERWAY,
    500: Arrival.REFUSED,
}


class Melipayamak:
    """Melipayamak as a provider of text messages."""

    name, knows_names, at_once = "melipayamak", False, 10

    def __init__(self, client: httpx.AsyncClient, settings: Settings) -> None:
        self._client = client
        self._url = f"{settings.sms_melipayamak_url.rstrip('/')}/api/SendSMS"
        self._us = {
            "username": settings.sms_melipayamak_user,
            "password": settings.sms_melipayamak_password,
        }
        self._line = settings.sms_melipayamak_line

    async def send(self, letter: Letter) -> str:
        """Send the message. Return Melipayamak's RecId."""
        to = {"to": numbers.format_national(letter.to)}
        if letter.template:
            filled = {"bodyId": letter.template.name, "text": _joined(letter.template)}
            answer = await self._ask("BaseServiceNumber", to | filled)
        else:
            plain = {"from": self._line, "text": letter.text, "isFlash": "false"}
            answer = await self._ask("SendSMS", to | plain)
        value = parse_integer(answer.part("Value"))
        if value is None or value <= _LEAST_ID or parse_integer(answer.part("RetStatus")) != 1:
            raise _refused(answer)
        return str(value)

    async def arrivals(self, ids: Sequence[str]) -> Mapping[str, Arrival]:
        """Return the arrivals by `GetDeliveries2`, one request for each message."""
        return map_states(await ask_each(ids, self._state), _ARRIVALS)

    async def _state(self, id_: str) -> int | None:
        answer = await self._ask("GetDeliveries2", {"recId": id_})
        if parse_integer(answer.part("RetStatus")) != 1:
            raise _refused(answer)
        return parse_integer(answer.part("Value"))

    async def credit(self) -> float | None:
        """Return the credit in messages."""
        answer = await self._ask("GetCredit", {})
        if parse_integer(answer.part("RetStatus")) != 1:
            raise _refused(answer)
        return parse_amount(answer.part("Value"))

    async def _ask(self, method: str, form: Mapping[str, str]) -> Answer:
        answer = await ask(self._client, "POST", f"{self._url}/{method}", data={**self._us, **form})
        if answer.status != 200:
            raise make_unclear("Melipayamak", answer)
        return answer


def _joined(template: Template) -> str:
    return ";".join(value.replace(";", "،") for value in template.tokens.values())


def _refused(answer: Answer) -> Exception:
    code, value = parse_integer(answer.part("RetStatus")), parse_integer(answer.part("Value"))
    if value is not None and value <= _LEAST_ID and code in (0, 1, None):
        code = value
    said = f"Melipayamak {code}"
    if code in _TEMPLATE:
        return TemplateRefused(said)
    if code in _OURS:
        return TryAgain(said, OURS_TO_MEND_S, why=_OURS[code])
    return RefusedForGood(said) if code in _REFUSED else make_unclear("Melipayamak", answer)
