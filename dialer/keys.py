"""What a desk asks for by its telephone's keys alone: next, nearly over, not now, hang up, pause, end."""

import logging

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from db.engine import now, writing
from db.models import Callback, Desk
from db.states import CallbackState
from dialplan.variables import Key
from hotline import callbacks, duties, rounds, serving
from hotline.errors import Refused
from settings import Settings

log = logging.getLogger("dialer")

_TOO_SOON_S = 5.0
"""A «next» so soon after a conversation began is the same finger, still on the key."""


class Keys:
    """The desk is known by its phone, which Asterisk vouches for."""

    def __init__(self, settings: Settings, engine: Engine) -> None:
        self._settings = settings
        self._engine = engine

    def pressed(self, desk_id: int | None, key: str) -> None:
        """Do what the key means; what is refused changes nothing."""
        if desk_id is None or key not in list(Key):
            return
        try:
            with writing(self._engine) as session:
                desk = session.get(Desk, desk_id)
                if desk:
                    self._do(session, desk, Key(key))
            log.info("desk %d: key %s", desk_id, key)
        except Refused as refused:
            log.info("desk %d: key %s: %s", desk_id, key, refused)

    def _do(self, session: Session, desk: Desk, key: Key) -> None:
        live = callbacks.live_at_desk(session, desk.id)
        match key:
            case Key.NEXT:
                if not (live and self._just_begun(session, live)):
                    serving.ask_next(session, desk, live.id if live else None, self._settings)
            case Key.FINISHING:
                serving.finishing(session, desk)
            case Key.NOT_NOW:
                serving.not_now(session, desk)
            case Key.HANG_UP:
                if live:
                    callbacks.ask_hangup(session, live)
            case Key.PAUSE | Key.END_ROUND:
                self._of_round(session, desk, key)

    def _of_round(self, session: Session, desk: Desk, key: Key) -> None:
        if desk.round_id is None:
            return
        round_, person = rounds.get(session, desk.round_id), duties.at_desk(session, desk.id)
        if person is None:
            raise Refused("forbidden", "nobody sits at this desk")
        if key is Key.END_ROUND:
            duties.end(session, round_, person)
        elif round_.paused_at:
            duties.resume(session, round_, person)
        else:
            duties.pause(session, round_, person)

    def _just_begun(self, session: Session, live: Callback) -> bool:
        at = live.talking_at or now(session)
        talks = live.state is CallbackState.TALKING
        return talks and (now(session) - at).total_seconds() < _TOO_SOON_S
