"""Places the calls that ask the owners of numbers, a few at a time."""

from datetime import datetime

from sqlalchemy.orm import Session

from db.engine import now, reading, writing
from dialer.system_calls import AT_ONCE, SHARE, SystemCalls
from dialplan.variables import Context
from hotline.clock import is_quiet
from hotline.line import confirmation_calls
from hotline.trunk import call_caps


class Confirmations(SystemCalls):
    """Owners of numbers, who are asked whether they want what somebody asked for."""

    context = Context.CONFIRM

    def place_due(self) -> None:
        """Call the numbers that wait for it, a few at once and never at night. Raises AmiError."""
        with reading(self._engine) as session:
            if is_quiet(now(session), self._settings.quiet_hours):
                return
            due = confirmation_calls.list_due(session, AT_ONCE)
        for confirmation_id in due[: self._room()] if due else ():
            self._place(confirmation_id)

    def _place(self, confirmation_id: int) -> None:
        with writing(self._engine) as session:
            confirmation = confirmation_calls.take_up(session, confirmation_id)
            if confirmation is None or confirmation.token is None:
                return
            token, number = confirmation.token, confirmation.number
            call = call_caps.claim_call(session, token, number, self._settings, SHARE)
            if call is call_caps.Cap.NOT_ALLOWED:
                confirmation_calls.record_end(session, token)
                return
            if isinstance(call, call_caps.Cap):
                confirmation_calls.postpone(session, confirmation, self._again_at(session, number, call))
                return
        self._originate(call)

    def _again_at(self, session: Session, number: str, cap: call_caps.Cap) -> datetime:
        if cap is not call_caps.Cap.PER_NUMBER:
            self._caps.reached(cap)
            return now(session)  # as soon as there is room
        return call_caps.find_next_free_at(session, number, self._settings, SHARE) or now(session)

    def owns(self, token: str) -> bool:
        """Return whether a channel's id can be the token of such a call."""
        return confirmation_calls.is_token(token)

    def _end(self, session: Session, token: str, *, ours: bool) -> None:
        confirmation_calls.record_end(session, token, ours=ours)

    def on_the_phone(self, session: Session) -> dict[str, datetime]:
        """Return the tokens of the calls in progress, with the time when each was placed."""
        return confirmation_calls.list_in_progress(session)
