"""The lines of callers that calls to left numbers take: a person who presses 1 there becomes a caller.

One node places these calls: that of the operators' line, so that a person who presses 0 meets a desk. If the
line has no node, the node that leads places them.
"""

import time

from sqlalchemy.orm import Session

from dialplan.variables import ADMITTED_S, CALLERS_ADMITTED
from hotline.line import busy_numbers
from hotline.nodes import round_affinity
from hotline.outbound import overflow
from settings import Settings

_EVERY_S = 1.0
"""The least time between two of these calls: they must not be the next rush."""
_FREE_PART = 5
"""One line in this many is left to people who dial 137 themselves."""


class CallerLines:
    """Answers whether one more call may take a line of this node's callers."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._next_at = float("-inf")

    def may_take_one(self, session: Session, *, leads: bool) -> bool:
        """Return whether this node places these calls, a line is free, and the last call is a second ago.

        `leads`: whether this is the node that does what belongs to no round.
        """
        if time.monotonic() < self._next_at:
            return False
        home = round_affinity.find_node_of_operators_line(session)
        if not (leads if home is None else home == self._settings.node):
            return False
        return self._free(session) > 0 and self._all_are_let_in()

    def taken(self) -> None:
        """Note that a call takes a line now."""
        self._next_at = time.monotonic() + _EVERY_S

    def _free(self, session: Session) -> int:
        most = self._settings.callers_at_once
        callers = busy_numbers.count_callers(session, self._settings.node) + overflow.count_ringing(session)
        return most - most // _FREE_PART - callers

    def _all_are_let_in(self) -> bool:
        """Return whether answers are not late (ivr.admission), and this node wants callers."""
        file = self._settings.state_dir / CALLERS_ADMITTED
        try:
            fresh = time.time() - file.stat().st_mtime <= ADMITTED_S
            return fresh and int(file.read_text()) >= self._settings.callers_at_once
        except (OSError, ValueError):
            return False  # the call scripts are not there
