"""Places the calls that say that the turn is near, a few at a time."""

from datetime import datetime

from sqlalchemy.orm import Session

from db.engine import now, reading, writing
from dialer.side_calls import AT_ONCE, SHARE, SideCalls
from dialplan.variables import Context
from hotline import near_calls, numbers, toll
from hotline.clock import is_quiet


class NearCalls(SideCalls):
    """One try each: whoever does not answer is called in turn all the same."""

    context = Context.NEAR

    def place_due(self) -> None:
        """Call those who are near, a few at once and never at night. Raises AmiError."""
        with reading(self._engine) as session:
            due = near_calls.due(session, AT_ONCE)
            if not due or is_quiet(now(session), self._settings.quiet_hours):
                return
            keys = [(d.registration_id, d.round_id) for d in due]
        for registration_id, round_id in keys[: self._room()]:
            self._place(registration_id, round_id)

    def _place(self, registration_id: int, round_id: int) -> None:
        with writing(self._engine) as session:
            near_call = near_calls.take_up(session, registration_id, round_id)
            if near_call is None or near_call.token is None:
                return
            token, number = near_call.token, near_call.registration.number
            if not numbers.allowed(number, self._settings.allowed_prefixes):
                near_calls.ended(session, token)
                return
            call = toll.take(session, token, number, self._settings, SHARE)
            if call is toll.Cap.PER_NUMBER:
                near_calls.ended(session, token)
                return
            if isinstance(call, toll.Cap):
                near_calls.put_off(near_call)
                self._caps.reached(call)
                return
        self._originate(call)

    def _end(self, session: Session, token: str) -> None:
        near_calls.ended(session, token)

    def on_the_phone(self, session: Session) -> dict[str, datetime]:
        """The tokens of calls on their way, and when each was placed."""
        return near_calls.on_the_phone(session)
