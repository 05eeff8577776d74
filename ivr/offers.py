"""What every caller is offered: asked of the database once a second, however many call."""

import threading
import time

from sqlalchemy.orm import Session

from hotline.intake import Offer, offer

AGE_S = 1.0
"""An offer so old is asked for anew. Registering checks for itself whether the round is still open."""


class Offers:
    """The rounds that callers may hear of, shared by all calls of this process."""

    def __init__(self, age_s: float = AGE_S) -> None:
        self._age_s = age_s
        self._lock = threading.Lock()
        self._known: Offer | None = None
        self._asked_at = 0.0

    def now(self, session: Session) -> Offer:
        """The rounds as they are now, or were at most `age_s` seconds ago."""
        with self._lock:  # of a hundred calls in one moment one asks
            asked_at = time.monotonic()
            if self._known is None or asked_at - self._asked_at >= self._age_s:
                self._known = offer(session)
                self._asked_at = asked_at
            return self._known
