"""Addresses where desks' browser phones sign in; pages may connect only there.

A node publishes its own address in the database. Pages load seldom, and nodes change even less.
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
"""Anything else could add more than an address to the policy."""


class Telephones:
    """One API's list of these addresses.

    One request reads the database while the others use the last result.
    """

    def __init__(self, engine: Engine, settings: Settings) -> None:
        self._engine, self._settings = engine, settings
        self._asking = threading.Lock()
        self._asked_at = float("-inf")
        self._policy = security.write_policy_of_pages(settings)

    def policy(self) -> str:
        """Return the pages' content security policy. If the database is away, the nodes stay as they were."""
        never = self._asked_at == float("-inf")  # then there is no last result for others
        if self._is_due() and self._asking.acquire(timeout=_FIRST_S if never else 0):
            try:
                if self._is_due():
                    with suppress(Exception):  # without the database, the page must still load and say so
                        self._ask()
                    self._asked_at = time.monotonic()
            finally:
                self._asking.release()
        return self._policy

    def _is_due(self) -> bool:
        return time.monotonic() - self._asked_at >= _KEPT_S

    def _ask(self) -> None:
        with reading(self._engine) as session:
            urls = phones.list_addresses(session)
        found = {origin[1] for url in urls if (origin := _ORIGIN.fullmatch(url))}
        self._policy = security.write_policy_of_pages(self._settings, *sorted(found))
