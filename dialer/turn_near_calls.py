"""Places the calls that say that the turn is near, a few at a time."""

import logging
from datetime import datetime

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from db.engine import now, reading, writing
from dialer.ami import Ami, NotAccepted
from dialer.caps import Caps
from dialer.system_calls import AT_ONCE, SHARE, SystemCalls
from dialplan.variables import Context
from hotline.callbacks import toll
from hotline.clock import is_quiet
from hotline.line import turn_near_calls
from settings import Settings

log = logging.getLogger("dialer")


class TurnNearCalls(SystemCalls):
    """One try each: whoever does not answer is called in turn all the same."""

    context = Context.TURN_NEAR
    apology_is_a_try = True

    def __init__(self, settings: Settings, engine: Engine, ami: Ami, caps: Caps) -> None:
        super().__init__(settings, engine, ami, caps)
        self._let_go: set[str] = set()

    def place_due(self) -> None:
        """Call those who are near, a few at once and never at night. Raises AmiError."""
        with reading(self._engine) as session:
            due = turn_near_calls.due(session, AT_ONCE)
            if not due or is_quiet(now(session), self._settings.quiet_hours):
                return
        for registration_id, round_id in due[: self._room()]:
            self._place(registration_id, round_id)

    def _place(self, registration_id: int, round_id: int) -> None:
        with writing(self._engine) as session:
            turn_near_call = turn_near_calls.take_up(
                session, registration_id, round_id, self._settings.call_ahead_most
            )
            if turn_near_call is None or turn_near_call.token is None:
                return
            token, number = turn_near_call.token, turn_near_call.registration.number
            call = toll.take(session, token, number, self._settings, SHARE)
            if call in (toll.Cap.PER_NUMBER, toll.Cap.NOT_ALLOWED):
                turn_near_calls.ended(session, token)
                return
            if isinstance(call, toll.Cap):
                turn_near_calls.put_off(turn_near_call)
                self._caps.reached(call)
                return
        self._originate(call)

    def let_go(self) -> None:
        """End the calls of a round that is over; who listens hears a kind word. Raises AmiError."""
        with reading(self._engine) as session:
            tokens = set(turn_near_calls.left_behind(session))
            tokens -= toll.of_others(session, tokens, self._settings.node)
        self._let_go &= tokens
        left = tokens - self._let_go
        if not left:
            return
        for channel in self._ami.live_channels():
            token = channel.keys.get("Uniqueid", "")
            if token in left:
                self._let_go.add(token)
                if channel.keys.get("Context") != Context.LET_GO:  # where an earlier dialer has sent it
                    self._end_kindly(token, listens=channel.keys.get("ChannelStateDesc") == "Up")

    def _end_kindly(self, token: str, *, listens: bool) -> None:
        try:
            if listens:
                goodbye = {"Context": str(Context.LET_GO), "Exten": "s", "Priority": 1}
                self._ami.request("Redirect", Channel=token, **goodbye)
            else:
                self._ami.request("Hangup", Channel=token, Cause=16)
            log.info("%s: let go", token)
        except NotAccepted:  # it has ended
            pass

    def owns(self, token: str) -> bool:
        """Whether a channel's id can be the token of such a call."""
        return turn_near_calls.is_token(token)

    def _end(self, session: Session, token: str, *, ours: bool) -> None:
        turn_near_calls.ended(session, token, ours=ours)

    def on_the_phone(self, session: Session) -> dict[str, datetime]:
        """The tokens of calls on their way, and when each was placed."""
        return turn_near_calls.on_the_phone(session)
