"""What only grows: calls answered, and attempts by what came of them. Cheap however old the city is.

What cannot change any more is counted once and remembered in the process; each look counts the rest.
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
"""Of the newest callbacks one with a smaller id may be committed after one with a larger id was seen."""
_HOURS = timedelta(hours=2)
_BEGIN = datetime(1970, 1, 1, tzinfo=UTC)
_CLOSED: BindParameter[CallbackState] = bindparam("closed", CallbackState.CLOSED, literal_execute=True)

_LIVE = (
    select(Callback.id)
    .where(Callback.state != _CLOSED)
    .with_hint(Callback, "INDEXED BY one_live_callback_per_registration", "sqlite")
)
"""By the small index: SQLite would read the whole of one that has every column asked for."""


class Totals:
    """Of one process, which may be asked by several at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._outcomes: Counter[Outcome] = Counter()
        self._until_id = 0
        self._incoming: Counter[Incoming] = Counter()
        self._until_hour = _BEGIN

    def outcomes(self, session: Session) -> Mapping[Outcome, int]:
        """How many attempts ever came to each outcome."""
        with self._lock:
            settled = self._settled(session)
            if settled > self._until_id:
                self._outcomes += self._between(session, self._until_id, settled)
                self._until_id = settled
            return self._outcomes + self._between(session, self._until_id, None)

    def incoming(self, session: Session) -> Mapping[Incoming, int]:
        """How many calls on 137 ever came to what."""
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
        """No callback up to this one is still under way, or will come to be seen."""
        newest = session.scalar(select(func.max(Callback.id))) or 0
        live = session.scalars(_LIVE)
        return max(0, min(min(live, default=newest + 1) - 1, newest - _LATER))

    @staticmethod
    def _between(session: Session, after: int, until: int | None) -> Counter[Outcome]:
        over = Callback.outcome.is_not(None)  # not by the state, for whose index SQLite would read them all
        counted = select(Callback.outcome, func.count()).where(Callback.id > after, over)
        if until is not None:
            counted = counted.where(Callback.id <= until)
        rows = session.execute(counted.group_by(Callback.outcome))
        return Counter({outcome: number for outcome, number in rows if outcome})
