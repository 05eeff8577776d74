"""Places the calls that speak codes for signing in, a few at a time."""

from datetime import datetime

from sqlalchemy.orm import Session

from db.engine import now, reading, writing
from dialer.system_calls import AT_ONCE, SHARE, SystemCalls
from dialplan.variables import Context
from hotline.callbacks import toll
from hotline.citizens import code_calls
from hotline.clock import is_quiet


class CodeCalls(SystemCalls):
    """One try a code: whoever does not hear it asks for another."""

    context = Context.SIGN_IN_CODE

    def place_due(self) -> None:
        """Call those who wait for a code, by what the caps leave. Raises AmiError."""
        with reading(self._engine) as session:
            due = code_calls.due(session, AT_ONCE)
            if due and is_quiet(now(session), self._settings.quiet_hours):
                return  # it was asked for just before they began
        for code_id in due[: self._room()] if due else ():
            self._place(code_id)

    def _place(self, code_id: int) -> None:
        with writing(self._engine) as session:
            code = code_calls.take_up(session, code_id)
            if code is None or code.token is None:
                return
            token = code.token
            call = toll.take(session, token, code.number, self._settings, SHARE)
            if call in (toll.Cap.PER_NUMBER, toll.Cap.NOT_ALLOWED):
                code_calls.ended(session, token)
                return
            if isinstance(call, toll.Cap):
                code_calls.put_off(code)
                self._caps.reached(call)
                return
        self._originate(call)

    def owns(self, token: str) -> bool:
        """Whether a channel's id can be the token of such a call."""
        return code_calls.is_token(token)

    def _end(self, session: Session, token: str, *, ours: bool) -> None:
        code_calls.ended(session, token)

    def on_the_phone(self, session: Session) -> dict[str, datetime]:
        """The tokens of calls on their way, and when each was placed."""
        return code_calls.on_the_phone(session)
