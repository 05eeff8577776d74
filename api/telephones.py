"""Where desks' phones in browsers sign in: pages may connect there, and nowhere else.

A node names its own address in the database. Pages are loaded seldom, and nodes come seldomer.
"""

import re
import threading
import time
from contextlib import suppress

from sqlalchemy import Engine

from api import security
from db.engine import reading
from hotline.nodes import phones
from settings import Settings

_KEPT_S, _FIRST_S = 5.0, 5.0
_ORIGIN = re.compile(r"(wss?://[\w.:\[\]-]+)(?:/.*)?", re.ASCII)
"""What is anything else would say more to a browser than an address."""


class Telephones:
    """Of one API: of several pages that are loaded at once one asks, the others have what came last."""

    def __init__(self, engine: Engine, settings: Settings) -> None:
        self._engine, self._settings = engine, settings
        self._asking = threading.Lock()
        self._asked_at = float("-inf")
        self._policy = security.policy_of_pages(settings)

    def policy(self) -> str:
        """What a page is let do. Nodes that cannot be asked for are as they were."""
        never = self._asked_at == float("-inf")  # then there is nothing yet that others could have
        if self._is_due() and self._asking.acquire(timeout=_FIRST_S if never else 0):
            try:
                if self._is_due():
                    with suppress(Exception):  # the database is away: a page can say so, no page cannot
                        self._ask()
                    self._asked_at = time.monotonic()
            finally:
                self._asking.release()
        return self._policy

    def _is_due(self) -> bool:
        return time.monotonic() - self._asked_at >= _KEPT_S

    def _ask(self) -> None:
        with reading(self._engine) as session:
            urls = phones.addresses(session)
        found = {origin[1] for url in urls if (origin := _ORIGIN.fullmatch(url))}
        self._policy = security.policy_of_pages(self._settings, *sorted(found))
