"""What a call begins with: who calls, and what there is to register for."""

import threading
import time

from sqlalchemy import Engine

from db.engine import reading
from hotline.line.caller_context import CallerContext, Offer, look_up, offer

OFFER_AGE_S = 1.0
"""An offer so old is asked for anew. Registering checks for itself whether the round is still open."""
_PATIENCE_S = 1.0
"""Whoever waits longer than this for somebody else's look-up goes ahead: that one may be stuck."""


class CallerCache:
    """Looks callers up, one after another; all calls of this process share the offer.

    A hundred at once would only take Python's lock from each other, and from whoever registers.
    """

    def __init__(self, engine: Engine, offer_age_s: float = OFFER_AGE_S) -> None:
        self._engine = engine
        self._offer_age_s = offer_age_s
        self._one = threading.Lock()
        self._offer: Offer | None = None
        self._asked_at = 0.0

    def look_up(self, number: str | None) -> CallerContext:
        """Everything for a caller with this E.164 number; None for one whose number is unknown."""
        in_turn = self._one.acquire(timeout=_PATIENCE_S)
        try:
            with reading(self._engine) as session:
                at = time.monotonic()
                if self._offer is None or at - self._asked_at >= self._offer_age_s:
                    self._offer, self._asked_at = offer(session), at
                return look_up(session, number, self._offer)
        finally:
            if in_turn:
                self._one.release()
