"""Calls to citizens that are tried a few times, by half of each cap; what a cap forbids now is put off."""

from datetime import datetime
from typing import Generic

from sqlalchemy.orm import Session

from db.engine import writing
from dialer.system_calls import SHARE, SystemCalls
from hotline.callbacks import toll
from hotline.line.tries import Row, Tries


class TriedCalls(SystemCalls, Generic[Row]):
    """What is due, and how often it is tried, `tries` says."""

    tries: Tries[Row]

    def _place(self, row_id: int) -> None:
        with writing(self._engine) as session:
            row = self.tries.take_up(session, row_id)
            if row is None or row.token is None:
                return
            call = toll.take(session, row.token, self.tries.number(row), self._settings, SHARE)
            if isinstance(call, toll.Cap):
                self._put_off(session, row, call)
                return
        self._originate(call)

    def _put_off(self, session: Session, row: Row, cap: toll.Cap) -> None:
        if cap is toll.Cap.NOT_ALLOWED:
            self.tries.never(session, row)
        elif cap is toll.Cap.PER_NUMBER:
            self.tries.put_off_long(session, row)
        else:
            self.tries.put_off(row)
            self._caps.reached(cap)

    def owns(self, token: str) -> bool:
        """Whether a channel's id can be the token of such a call."""
        return self.tries.is_token(token)

    def _end(self, session: Session, token: str, *, ours: bool) -> None:
        self.tries.ended(session, token, ours=ours)

    def script_failed(self, token: str) -> None:
        """Somebody picked up, and heard an apology: they are not rung again at once."""
        with writing(self._engine) as session:
            self.tries.apologised(session, token)

    def on_the_phone(self, session: Session) -> dict[str, datetime]:
        """The tokens of calls on their way, and when each was placed."""
        return self.tries.on_the_phone(session)
