"""Answers of providers: parsed with limits; a failure is named by its meaning, not in their words."""

import json
from typing import Any, NamedTuple

import httpx

from db.models import DeliveryFailure

_LONGEST_ANSWER = 64 * 1024
OURS_TO_MEND_S = 600.0
"""Seconds before a retry if the fault is in our account or settings: a person must repair it."""
_MAY_PASS = frozenset({401, 402, 403, 404, 405, 407, 408, 409, 421, 425, 429})
"""Statuses that refuse the request, not the message: the settings are wrong, or it is only too early."""
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)
_NOT_TAKEN = frozenset({429, 503})


class TryAgain(Exception):
    """The message was not sent, or that is unknown (`in_doubt`). `after_s`: the least wait before a retry."""

    def __init__(
        self,
        reason: str,
        after_s: float | None = None,
        *,
        why: DeliveryFailure = DeliveryFailure.DOWN,
        in_doubt: bool = False,
    ) -> None:
        super().__init__(reason)
        self.after_s, self.why, self.in_doubt = after_s, why, in_doubt
        self.said_by: str | None = None
        """Name of the provider of text messages."""


class TemplateRefused(TryAgain):
    """The provider refuses this template; the same words may go out as a plain text."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason, OURS_TO_MEND_S, why=DeliveryFailure.TEMPLATE)


class RefusedForGood(Exception):
    """The message can never be sent."""

    def __init__(self, reason: str, why: DeliveryFailure = DeliveryFailure.REFUSED) -> None:
        super().__init__(reason)
        self.why = why


class Answer(NamedTuple):
    """Status of an answer, and its JSON; None for anything else."""

    status: int
    data: Any
    after_s: float | None

    def part(self, *path: str | int) -> Any:
        """Return the value at that path, or None."""
        return find_part(self.data, *path)


async def ask(client: httpx.AsyncClient, method: str, url: str, **request: Any) -> Answer:
    """Send a request and return the server's answer. Raises TryAgain."""
    try:
        async with client.stream(method, url, follow_redirects=False, **request) as response:
            return Answer(response.status_code, await read_json(response), parse_retry_after(response))
    except _NOT_SENT as error:
        raise TryAgain(type(error).__name__) from None  # the error's text may hold an address
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise TryAgain(type(error).__name__, in_doubt=True) from None


async def read_json(response: httpx.Response) -> Any:
    """Return the answer's JSON, or None for other or long content.

    The body is not decompressed, against bombs.
    """
    body = b""
    async for piece in response.aiter_raw():
        body += piece
        if len(body) > _LONGEST_ANSWER:
            return None
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def find_part(value: Any, *path: str | int) -> Any:
    """Return the value at that path of a JSON value, or None."""
    for step in path:
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            return None
    return value


def parse_integer(value: Any) -> int | None:
    """Return a whole number, also from a text: providers send both."""
    if isinstance(value, str) and value.removeprefix("-").isdecimal() and len(value) < 25:
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def parse_amount(value: Any) -> float | None:
    """Return an amount, also from a text."""
    try:
        found = None if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return found if found is not None and abs(found) < 1e15 else None


def make_unclear(who: str, answer: Answer) -> TryAgain:
    """Return the error for an unknown answer: in doubt, unless the HTTP status says no."""
    status = answer.status
    if status in (401, 403):
        return TryAgain(f"{who} HTTP {status}", OURS_TO_MEND_S, why=DeliveryFailure.ACCOUNT)
    if status == 429:
        return TryAgain(f"{who} HTTP 429", answer.after_s, why=DeliveryFailure.RATE)
    surely_not = status in _NOT_TAKEN or 300 <= status < 500
    return TryAgain(
        f"{who} HTTP {status}",
        answer.after_s,
        why=DeliveryFailure.DOWN if surely_not else DeliveryFailure.NO_ANSWER,
        in_doubt=not surely_not,
    )


def check(status: int, after: float | None, refused: frozenset[int] | None = None) -> None:
    """Raise the error of an HTTP status without a further meaning."""
    if 200 <= status < 300:
        return
    final = status in refused if refused else 400 <= status < 500 and status not in _MAY_PASS
    if final:
        raise RefusedForGood(f"HTTP {status}")
    if after is None and status < 500:
        after = OURS_TO_MEND_S
    if status in (401, 403):
        raise TryAgain(f"HTTP {status}", after, why=DeliveryFailure.ACCOUNT)
    raise TryAgain(f"HTTP {status}", after, in_doubt=status >= 500 and status not in _NOT_TAKEN)


def parse_retry_after(response: httpx.Response) -> float | None:
    """Return the seconds of the header Retry-After, if any."""
    after = response.headers.get("Retry-After", "")
    return float(after[:9]) if after.isascii() and after.isdecimal() else None
