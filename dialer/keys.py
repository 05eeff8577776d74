"""Telephone keys of a desk: next, nearly over, not now, hang up, undo, pause."""

import logging
import time

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from db.engine import reading, writing
from db.models import Desk, User
from dialer.tone import Tone
from dialplan.variables import CONFIRM_NEXT, Key
from hotline.callbacks import conversations, serving, transitions
from hotline.errors import Refused
from hotline.people import desk_admission
from hotline.rounds import phases, round_permissions
from settings import Settings

log = logging.getLogger("dialer")

_CONFIRM_S = 5.0
"""How long after the first press a second press of «next» ends a conversation that has just begun."""


class Keys:
    """Keys, authorised by the desk's phone, which Asterisk identifies.

    At a desk without a person they do nothing.
    """

    def __init__(self, settings: Settings, engine: Engine, tone: Tone) -> None:
        self._settings = settings
        self._engine = engine
        self._tone = tone
        self._asked_again: dict[int, float] = {}

    def pressed(self, desk_id: int | None, key: str) -> None:
        """Execute the key's command; a refused command changes nothing. Raises AmiError."""
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
            if refused.code == "confirm-next":
                self._ask_again(desk_id)

    def _ask_again(self, desk_id: int) -> None:
        """Tell the desk's phone alone that the key must be pressed again."""
        with reading(self._engine) as session:
            phone = session.get_one(Desk, desk_id).channel
        if phone:
            self._asked_again[desk_id] = time.monotonic()
            self._tone.sound(phone, CONFIRM_NEXT)

    def _says_again(self, desk_id: int) -> bool:
        return time.monotonic() < self._asked_again.pop(desk_id, -_CONFIRM_S) + _CONFIRM_S

    def _do(self, session: Session, desk: Desk, key: Key) -> None:
        person = round_permissions.find_at_desk(session, desk.id)
        if person is None or person.disabled_at:
            raise Refused("forbidden", "nobody sits at this desk")
        if desk_admission.is_signed_out(session, desk.id, self._settings):
            raise Refused("forbidden", "the browser's sign-in has ended")
        live = transitions.find_live_at_desk(session, desk.id)
        match key:
            case Key.NEXT:
                after, again = live.id if live else None, self._says_again(desk.id)
                serving.ask_next(session, desk, after, self._settings, confirmed=again)
            case Key.FINISHING:
                serving.announce_end(session, desk)
            case Key.NOT_NOW:
                serving.withdraw_request(session, desk)
            case Key.HANG_UP:
                if live:
                    conversations.hang_up(session, live)
            case Key.UNDO:
                if parting := conversations.find_undoable(session, desk.id):
                    conversations.undo(session, parting, desk, self._settings)
            case Key.PAUSE | Key.END_ROUND:
                self._of_round(session, desk, person, key)

    def _of_round(self, session: Session, desk: Desk, person: User, key: Key) -> None:
        if desk.round_id is None:
            return
        round_ = phases.get(session, desk.round_id)
        if key is Key.END_ROUND:
            round_permissions.end(session, round_, person)
        elif round_.paused_at:
            round_permissions.resume(session, round_, person)
        else:
            round_permissions.pause(session, round_, person)
