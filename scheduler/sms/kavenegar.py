"""Kavenegar's REST API, https://kavenegar.com/rest.html: POST /v1/KEY/METHOD.json.

Plain texts go by `sms/send`, whose `localid` is our name. A repeated name is not sent again, and gets the
first answer. Templates go by `verify/lookup`, which takes no names.
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
    find_part,
    make_unclear,
    parse_amount,
    parse_integer,
)
from scheduler.sms.provider import Letter, map_states, shorten
from settings import Settings

_REFUSED = frozenset({400, 406, 411, 413, 417, 419, 420, 422})
"""Codes for a faulty message: its receiver, length, links or characters."""
_OURS = frozenset({401, 403, 404, 405, 407, 412, 416, 418, 426, 427, 429, 451, 501})
"""Codes for our account: its key, address, line, rights or credit. Messages wait for the repair."""
_TEMPLATE = frozenset({424, 428, 431, 432})
_WHY = {
    411: DeliveryFailure.NUMBER,
    412: DeliveryFailure.LINE,
    418: DeliveryFailure.CREDIT,
    429: DeliveryFailure.RATE,
    451: DeliveryFailure.RATE,
}
_ARRIVALS = {
    1: Arrival.UNDERWAY,
    2: Arrival.UNDERWAY,
    4: Arrival.UNDERWAY,
    5: Arrival.UNDERWAY,
    6: Arrival.REFUSED,
    10: Arrival.DELIVERED,
    11: Arrival.UNREACHABLE,
    13: Arrival.REFUSED,
    14: Arrival.BLACKLISTED,
    100: Arrival.UNKNOWN,
}
_LOST = (Arrival.REFUSED, Arrival.UNREACHABLE, Arrival.BLACKLISTED)
_SPACES = {"token": 0, "token2": 0, "token3": 0, "token10": 4, "token20": 8}
_LONGEST = 100
_JOINER = "\u200c"  # Kavenegar takes it for no space, but it separates words visibly


class Kavenegar:
    """Kavenegar as a provider of text messages."""

    name, knows_names, at_once = "kavenegar", True, 100

    def __init__(self, client: httpx.AsyncClient, settings: Settings) -> None:
        self._client = client
        self._url = f"{settings.sms_kavenegar_url.rstrip('/')}/v1/{settings.sms_kavenegar_key}"
        self._sender = settings.sms_sender

    async def send(self, letter: Letter) -> str:
        """Send the message. Return Kavenegar's messageid."""
        form = {"receptor": numbers.format_national(letter.to)}
        if letter.template:
            tokens = {name: make_token(name, value) for name, value in letter.template.tokens.items()}
            answer = await self._ask("verify/lookup", form | {"template": letter.template.name} | tokens)
        else:
            sender = {"sender": self._sender} if self._sender else {}
            form |= {"message": letter.text, "localid": letter.name}
            answer = await self._ask("sms/send", form | sender)
        number, state = answer.part("entries", 0, "messageid"), answer.part("entries", 0, "status")
        if number is None:
            raise make_unclear("Kavenegar", answer)
        if _ARRIVALS.get(state if isinstance(state, int) else 0) in _LOST:
            raise RefusedForGood(f"Kavenegar: status {state}")
        return str(number)

    async def arrivals(self, ids: Sequence[str]) -> Mapping[str, Arrival]:
        """Return the arrivals by `sms/status`."""
        entries = (await self._ask("sms/status", {"messageid": ",".join(ids)})).part("entries")
        listed = entries if isinstance(entries, list) else []
        found = {
            str(find_part(each, "messageid")): parse_integer(find_part(each, "status")) for each in listed
        }
        return map_states(found, _ARRIVALS)

    async def credit(self) -> float | None:
        """Return the credit in rials."""
        return parse_amount((await self._ask("account/info", {})).part("entries", "remaincredit"))

    async def _ask(self, method: str, form: Mapping[str, str]) -> Answer:
        answer = await ask(self._client, "POST", f"{self._url}/{method}.json", data=form)
        code = answer.part("return", "status")
        code = code if isinstance(code, int) else answer.status
        if code in _TEMPLATE:
            raise TemplateRefused(f"Kavenegar {code}")
        if code in _REFUSED:
            raise RefusedForGood(f"Kavenegar {code}", _WHY.get(code, DeliveryFailure.REFUSED))
        if code in _OURS:
            raise TryAgain(f"Kavenegar {code}", OURS_TO_MEND_S, why=_WHY.get(code, DeliveryFailure.ACCOUNT))
        if code != 200:
            raise make_unclear("Kavenegar", answer._replace(status=code))
        return answer


def make_token(name: str, value: str) -> str:
    """Return the value for a token of that name: spaces beyond its limit become joiners."""
    words = value.split()
    spaces = _SPACES.get(name, 0)
    return shorten(" ".join([*words[:spaces], _JOINER.join(words[spaces:])]).strip(), _LONGEST)
