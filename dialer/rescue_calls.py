"""Calls the emergency service for callers in danger; who answers there takes the caller over."""

from datetime import datetime

from sqlalchemy.orm import Session

from db.engine import reading, writing
from dialer.system_calls import SystemCalls
from dialplan.variables import Context, Stage
from hotline.callbacks import rescue_calls
from hotline.trunk import call_caps


class RescueCalls(SystemCalls):
    """Each is placed once: whoever is told that it failed dials themselves."""

    context = Context.RESCUER

    def place_asked(self) -> None:
        """Place those that are asked for. Raises AmiError."""
        with reading(self._engine) as session:
            asked = rescue_calls.list_requested(session, self._settings.node)
        for token in asked:
            self._place(token)

    def _place(self, token: str) -> None:
        with writing(self._engine) as session:
            taken = rescue_calls.take_up(session, token, self._settings)
        if isinstance(taken, call_caps.Cap):
            self._caps.reached(taken)
        elif taken:
            call, channel = taken
            self._originate(call, meets=channel)

    def came(self, token: str, stage: str) -> None:
        """It has answered; or it has, and its caller is gone."""
        with writing(self._engine) as session:
            if stage == Stage.ANSWERED:
                rescue_calls.record_connected(session, token)
            elif stage == Stage.ALONE:
                rescue_calls.record_abandoned(session, token)

    def owns(self, token: str) -> bool:
        """Whether a channel's id can be the token of such a call."""
        return rescue_calls.is_token(token)

    def _end(self, session: Session, token: str, *, ours: bool) -> None:
        rescue_calls.record_end(session, token)

    def on_the_phone(self, session: Session) -> dict[str, datetime]:
        """The tokens of calls on their way, and when each was placed."""
        return rescue_calls.list_in_progress(session)
