"""Calls those who found all lines full and left their number, once lines are free, one after another."""

import time
from datetime import datetime

from sqlalchemy.orm import Session

from db.engine import now, reading, writing
from dialer.system_calls import SHARE, SystemCalls
from dialplan.variables import ADMITTED_S, CALLERS_ADMITTED, Context
from hotline.callbacks import toll
from hotline.clock import is_quiet
from hotline.line import engaged, left_numbers

_EVERY_S = 1.0
"""No two are called sooner one after another: they must not be the next rush."""
_FREE_PART = 5
"""One line of so many is left to those who dial 137 themselves."""


class LeftNumbers(SystemCalls):
    """Whoever answers and presses 1 has the menu as if they had called."""

    context = Context.LEFT_NUMBER
    apology_is_a_try = True
    _next_at = float("-inf")

    def place_due(self) -> None:
        """Call the next one, if a line is free, and never at night. Raises AmiError."""
        if time.monotonic() < self._next_at:
            return
        with reading(self._engine) as session:
            due = left_numbers.due(session, 1)
            if not due or is_quiet(now(session), self._settings.quiet_hours):
                return
            lines = self._lines(session)
        if lines > 0 and self._all_are_let_in() and self._caps.room(SHARE) > 0:
            self._next_at = time.monotonic() + _EVERY_S
            self._place(due[0])

    def _lines(self, session: Session) -> int:
        """How many lines are free of those that these calls may take."""
        most = self._settings.callers_at_once
        callers = engaged.callers(session, self._settings.node) + left_numbers.ringing(session)
        return most - most // _FREE_PART - callers

    def _all_are_let_in(self) -> bool:
        """Whether answers are not late (ivr.admission), and this node wants callers."""
        file = self._settings.state_dir / CALLERS_ADMITTED
        try:
            fresh = time.time() - file.stat().st_mtime <= ADMITTED_S
            return fresh and int(file.read_text()) >= self._settings.callers_at_once
        except (OSError, ValueError):
            return False  # the call scripts are not there

    def _place(self, left_id: int) -> None:
        with writing(self._engine) as session:
            left = left_numbers.take_up(session, left_id)
            if left is None or left.token is None:
                return
            call = toll.take(session, left.token, left.number or "", self._settings, SHARE)
            if call is toll.Cap.NOT_ALLOWED:
                left_numbers.never(session, left.token)
                return
            if call is toll.Cap.PER_NUMBER:
                left_numbers.put_off_long(session, left)
                return
            if isinstance(call, toll.Cap):
                left_numbers.put_off(left)
                self._caps.reached(call)
                return
        self._originate(call)

    def owns(self, token: str) -> bool:
        """Whether a channel's id can be the token of such a call."""
        return left_numbers.is_token(token)

    def _end(self, session: Session, token: str, *, ours: bool) -> None:
        left_numbers.ended(session, token, ours=ours)

    def on_the_phone(self, session: Session) -> dict[str, datetime]:
        """The tokens of calls on their way, and when each was placed."""
        return left_numbers.on_the_phone(session)
