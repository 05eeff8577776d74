"""Places the calls that ask land lines whether their requests are solved, a few at a time."""

from datetime import datetime

from sqlalchemy.orm import Session

from db.engine import now, reading, writing
from dialer.system_calls import AT_ONCE, SHARE, SystemCalls
from dialplan.variables import Context
from hotline.callbacks import toll
from hotline.clock import is_quiet
from hotline.line import solved_calls


class SolvedCalls(SystemCalls):
    """Three tries, hours apart; whoever hears it once is not called again for it."""

    context = Context.SOLVED
    apology_is_a_try = True

    def place_due(self) -> None:
        """Call those who are asked, a few at once and never at night. Raises AmiError."""
        with reading(self._engine) as session:
            due = solved_calls.due(session, AT_ONCE)
            if not due or is_quiet(now(session), self._settings.quiet_hours):
                return
        for call_id in due[: self._room()]:
            self._place(call_id)

    def _place(self, call_id: int) -> None:
        with writing(self._engine) as session:
            due = solved_calls.take_up(session, call_id)
            if due is None or due.token is None:
                return
            token, number = due.token, due.request.number
            call = toll.take(session, token, number or "", self._settings, SHARE)
            if call is toll.Cap.NOT_ALLOWED:
                solved_calls.never(session, token)
                return
            if call is toll.Cap.PER_NUMBER:
                solved_calls.put_off_long(session, due)
                return
            if isinstance(call, toll.Cap):
                solved_calls.put_off(due)
                self._caps.reached(call)
                return
        self._originate(call)

    def owns(self, token: str) -> bool:
        """Whether a channel's id can be the token of such a call."""
        return solved_calls.is_token(token)

    def _end(self, session: Session, token: str, *, ours: bool) -> None:
        solved_calls.ended(session, token, ours=ours)

    def on_the_phone(self, session: Session) -> dict[str, datetime]:
        """The tokens of calls on their way, and when each was placed."""
        return solved_calls.on_the_phone(session)
