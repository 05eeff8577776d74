"""Calls those who found all lines full and left their number, once lines are free, one after another.

By one node: where the operators' line lives, so that who presses 0 meets a desk; else by the one that leads.
"""

import time

from sqlalchemy.orm import Session

from db.engine import now, reading
from db.models import LeftNumber
from dialer.system_calls import SHARE
from dialer.tried_calls import TriedCalls
from dialplan.variables import ADMITTED_S, CALLERS_ADMITTED, Context
from hotline.clock import is_quiet
from hotline.line import engaged, left_numbers
from hotline.nodes import homes

_EVERY_S = 1.0
"""No two are called sooner one after another: they must not be the next rush."""
_FREE_PART = 5
"""One line of so many is left to those who dial 137 themselves."""


class LeftNumbers(TriedCalls[LeftNumber]):
    """Whoever answers and presses 1 has the menu as if they had called."""

    context = Context.LEFT_NUMBER
    tries = left_numbers.CALLS
    _next_at = float("-inf")

    def place_due(self, *, leads: bool) -> None:
        """Call the next one, if that is this node's, a line is free, and never at night. Raises AmiError.

        `leads`: whether this is the node that does what belongs to no round.
        """
        if time.monotonic() < self._next_at:
            return
        with reading(self._engine) as session:
            due = left_numbers.due(session, 1)
            if not due or is_quiet(now(session), self._settings.quiet_hours):
                return
            home = homes.of_operators_line(session)
            if not (leads if home is None else home == self._settings.node):
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
