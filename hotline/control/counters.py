"""Counters for the metrics: calls answered, and attempts by outcome. Reading is cheap at any age of the city.

Rows that cannot change any more are counted once and remembered in the process. Each reading counts the rest.
"""

import threading
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from sqlalchemy import BindParameter, bindparam, func, select
from sqlalchemy.orm import Session

from db.engine import now
from db.models import Callback, Incoming, IncomingCalls
from db.states import CallbackState, Outcome

_LATER = 1000
"""How many of the newest ids to count again: a lower id may be committed after a higher one."""
_HOURS = timedelta(hours=2)
_BEGIN = datetime(1970, 1, 1, tzinfo=UTC)
_CLOSED: BindParameter[CallbackState] = bindparam("closed", CallbackState.CLOSED, literal_execute=True)

_LIVE = (
    select(Callback.id)
    .where(Callback.state != _CLOSED)
    .with_hint(Callback, "INDEXED BY one_live_callback_per_registration", "sqlite")
)
"""Names the small index: SQLite would otherwise read all of a larger index that covers the columns."""


class Counters:
    """The counters of one process; several threads may read them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._outcomes: Counter[Outcome] = Counter()
        self._until_id = 0
        self._incoming: Counter[Incoming] = Counter()
        self._until_hour = _BEGIN

    def outcomes(self, session: Session) -> Mapping[Outcome, int]:
        """Return how many attempts have ended in each outcome, ever."""
        with self._lock:
            settled = self._settled(session)
            if settled > self._until_id:
                self._outcomes += self._between(session, self._until_id, settled)
                self._until_id = settled
            return self._outcomes + self._between(session, self._until_id, None)

    def incoming(self, session: Session) -> Mapping[Incoming, int]:
        """Return how many calls to 137 there were of each kind, ever."""
        with self._lock:
            over = now(session) - _HOURS
            newest: Counter[Incoming] = Counter()
            rows = session.execute(
                select(IncomingCalls.hour, IncomingCalls.kind, IncomingCalls.calls).where(
                    IncomingCalls.hour >= self._until_hour
                )
            ).all()
            for hour, kind, calls in rows:
                (self._incoming if hour < over else newest)[kind] += calls
            self._until_hour = max(self._until_hour, over)
            return self._incoming + newest

    def _settled(self, session: Session) -> int:
        """Return the highest id up to which no callback is in progress or still uncommitted."""
        newest = session.scalar(select(func.max(Callback.id))) or 0
        live = session.scalars(_LIVE)
        return max(0, min(min(live, default=newest + 1) - 1, newest - _LATER))

    @staticmethod
    def _between(session: Session, after: int, until: int | None) -> Counter[Outcome]:
        over = Callback.outcome.is_not(None)  # not by the state: SQLite would read all of that index
        counted = select(Callback.outcome, func.count()).where(Callback.id > after, over)
        if until is not None:
            counted = counted.where(Callback.id <= until)
        rows = session.execute(counted.group_by(Callback.outcome))
        return Counter({outcome: number for outcome, number in rows if outcome})
