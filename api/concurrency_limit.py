"""A limit on one address's concurrent requests behind a proxy."""

from collections import Counter
from typing import cast

from uvicorn._types import ASGI3Application, ASGIReceiveCallable, ASGISendCallable, Scope

from api.connections import OPEN
from api.cookies import PEER
from api.limits import find_subscriber
from api.problems import make_problem

_LATER_S = 10


class ConcurrencyLimit:
    """Limits the concurrent answers of one address, live events included, as a trusted proxy gives the
    address.

    Direct connections are counted by `Connections`.
    """

    def __init__(self, app: ASGI3Application, most: int = OPEN) -> None:
        self._app, self._most = app, most
        self._of: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        """Answer one request, or refuse it with "too-many-pages"."""
        who = _whose(scope)
        if not who:
            await self._app(scope, receive, send)
            return
        answer = self._app
        if self._of[who] >= self._most:
            refusal = make_problem(
                "too-many-pages", "too many requests of this address at once", after_s=_LATER_S
            )
            answer = cast("ASGI3Application", refusal)
        self._of[who] += 1
        try:
            await answer(scope, receive, send)
        finally:
            self._of[who] -= 1
            if not self._of[who]:
                del self._of[who]


def _whose(scope: Scope) -> str:
    """Return the subscriber for whom a request is counted; empty if the request came without a proxy."""
    if scope["type"] != "http":
        return ""
    client = scope.get("client")
    if client is None or client == cast("dict[str, object]", scope).get(PEER):
        return ""
    return find_subscriber(client[0])
