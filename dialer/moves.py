"""What the dialer writes: each step of a callback by its token, its end, the desks' phones."""

import logging

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from db.engine import now, writing
from db.models import Callback
from db.states import CallbackState, Outcome
from dialer.outcomes import of_hangup
from hotline import callbacks, serving, status
from settings import Settings

log = logging.getLogger("dialer")

_STAMPS = {
    CallbackState.ANSWERED: "answered_at",
    CallbackState.WAITING: "confirmed_at",
    CallbackState.TALKING: "talking_at",
}


class Moves:
    """Each is one transaction; a step that comes late, twice or from a stranger changes nothing."""

    def __init__(self, settings: Settings, engine: Engine) -> None:
        self._settings = settings
        self._engine = engine

    def move(self, token: str, to: CallbackState) -> None:
        """The call of `token` has come to this state."""
        if not callbacks.is_token(token):
            return  # a caller's or a desk's channel
        with writing(self._engine) as session:
            callback = callbacks.by_token(session, token)
            if callback:
                _move(session, callback, to)

    def joined(self, token: str, desk: int | None) -> None:
        """The citizen has come into this desk's room, or into some: to speak, if it is their own desk's.

        Not so who speaks with an operator first, and who was taken back on the way or finds nobody there:
        that one goes on waiting.
        """
        with writing(self._engine) as session:
            callback = callbacks.by_token(session, token)
            theirs = callback and callback.desk_id is not None and desk in (None, callback.desk_id)
            if callback and theirs and serving.begins(session, callback):
                _move(session, callback, CallbackState.TALKING)

    def close(self, token: str, outcome: Outcome) -> None:
        """Record the outcome that the network or the citizen told."""
        with writing(self._engine) as session:
            if callbacks.close(session, token, outcome, self._settings):
                log.info("%s: %s", token, outcome)

    def ended(self, token: str, cause: int) -> None:
        """The channel of `token` has ended: close the callback, or leave the outcome to its desk."""
        if not callbacks.is_token(token):
            return
        with writing(self._engine) as session:
            callback = callbacks.by_token(session, token)
            if callback is None:
                return
            callbacks.channel_gone(session, callback)
            if callback.state in (CallbackState.ENDED, CallbackState.CLOSED):
                return
            by_us = callback.hangup_asked_at is not None
            outcome = of_hangup(callback.state, cause, by_us=by_us, ahead=callback.desk_id is None)
            if outcome is None:
                callbacks.move(session, token, CallbackState.ENDED, ended_at=now(session))
            else:
                callbacks.close(session, token, outcome, self._settings)
            log.info("%s: ended, cause %d, %s", token, cause, outcome or "the desk will say")

    def lost(self, callback: Callback) -> None:
        """Its end went by unseen: only the desk can say what became of it. Without a desk nobody spoke."""
        if callback.state is CallbackState.CLOSED:
            self.ended(callback.token, 0)
            return
        if callback.desk_id is None:
            log.warning("%s: ended unseen in state %s", callback.token, callback.state)
            self.close(callback.token, Outcome.FAILED)
            return
        with writing(self._engine) as session:
            if callbacks.move(session, callback.token, CallbackState.ENDED, ended_at=now(session)):
                log.warning("%s: ended unseen in state %s", callback.token, callback.state)

    def desk_phone(self, desk: int, channel: str | None) -> None:
        """The desk's phone has come into its room by this channel, or has left it."""
        with writing(self._engine) as session:
            status.phone_connected(session, desk, channel)


def _move(session: Session, callback: Callback, to: CallbackState) -> None:
    stamp = _STAMPS.get(to)
    first = stamp and getattr(callback, stamp) is None
    callbacks.move(session, callback.token, to, **({stamp: now(session)} if stamp and first else {}))
