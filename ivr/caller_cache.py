"""Start of a call: who calls, and which rounds take registrations."""

import threading
import time

from sqlalchemy import Engine

from db.engine import reading
from hotline.line.caller_context import CallerContext, Offer, find_context, offer

OFFER_AGE_S = 1.0
"""Age at which the offer is read anew. A registration itself checks that the round is still open."""
_PATIENCE_S = 1.0
"""How long a look-up waits for another one, which may be stuck."""


class CallerCache:
    """Look-ups of callers, one after another; all calls of this process share the offer.

    A hundred at once would only compete for Python's lock, also with callers who register.
    """

    def __init__(self, engine: Engine, offer_age_s: float = OFFER_AGE_S) -> None:
        self._engine = engine
        self._offer_age_s = offer_age_s
        self._one = threading.Lock()
        self._offer: Offer | None = None
        self._asked_at = 0.0

    def look_up(self, number: str | None) -> CallerContext:
        """Return the context of a caller with this E.164 number; None for an unknown number."""
        in_turn = self._one.acquire(timeout=_PATIENCE_S)
        try:
            with reading(self._engine) as session:
                at = time.monotonic()
                if self._offer is None or at - self._asked_at >= self._offer_age_s:
                    self._offer, self._asked_at = offer(session), at
                return find_context(session, number, self._offer)
        finally:
            if in_turn:
                self._one.release()
