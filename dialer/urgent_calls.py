"""Calls supervisors about what nobody has taken: one call at a time, at any hour."""

from datetime import datetime

from sqlalchemy.orm import Session

from db.engine import reading, writing
from dialer.system_calls import SystemCalls
from dialplan.variables import Context
from hotline.line import urgent_calls
from hotline.trunk import call_caps


class UrgentCalls(SystemCalls):
    """A few tries, a minute apart, each to the next number; whoever presses 1 has taken it."""

    context = Context.URGENT
    apology_is_a_try = True

    def place_due(self) -> None:
        """Call the next supervisor, if anything waits for one. Raises AmiError."""
        with reading(self._engine) as session:
            due = urgent_calls.find_due(session, self._settings)
        if due is not None:
            self._place(due)

    def _place(self, matter_id: int) -> None:
        with writing(self._engine) as session:
            taken = urgent_calls.take_up(session, matter_id, self._settings)
            if taken is None:
                return
            call = call_caps.claim_call(session, *taken, self._settings, alarm=True)
            if isinstance(call, call_caps.Cap):  # nobody was rung: it is no try
                urgent_calls.record_end(session, taken[0], ours=True)
                self._caps.reached(call)
                return
        self._originate(call)

    def owns(self, token: str) -> bool:
        """Return whether a channel's id can be the token of such a call."""
        return urgent_calls.is_token(token)

    def _end(self, session: Session, token: str, *, ours: bool) -> None:
        urgent_calls.record_end(session, token, ours=ours)

    def on_the_phone(self, session: Session) -> dict[str, datetime]:
        """Return the tokens of the calls in progress, with the time when each was placed."""
        return urgent_calls.list_in_progress(session)
