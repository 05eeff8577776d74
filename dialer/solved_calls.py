"""Places the calls that ask land lines whether their requests are solved, a few at a time."""

from db.engine import now, reading
from db.models import SolvedCall
from dialer.system_calls import AT_ONCE
from dialer.tried_calls import TriedCalls
from dialplan.variables import Context
from hotline.clock import is_quiet
from hotline.line import solved_calls


class SolvedCalls(TriedCalls[SolvedCall]):
    """Three tries, hours apart; whoever hears it once is not called again for it."""

    context = Context.SOLVED
    tries = solved_calls.CALLS

    def place_due(self) -> None:
        """Call those who are asked, a few at once and never at night. Raises AmiError."""
        with reading(self._engine) as session:
            due = solved_calls.due(session, AT_ONCE)
            if not due or is_quiet(now(session), self._settings.quiet_hours):
                return
        for call_id in due[: self._room()]:
            self._place(call_id)
