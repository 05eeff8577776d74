"""Sends each citizen to where the database says they belong: a desk's room, an operator's, or the music."""

import logging
import time

from sqlalchemy import Engine

from db.engine import reading
from db.models import Callback, Desk
from db.states import CallbackState
from dialer.ami import Ami, AmiError
from dialplan.variables import Context
from hotline import callbacks

log = logging.getLogger("dialer")

_AGAIN_S = 1.0
"""So long Asterisk has for a redirect or a hang-up before it is asked again."""

WITH_MUSIC = "music"
_HANGUP = "Hangup"


class Rooms:
    """Where the channels are is Asterisk's word (`seen`), where they belong the database's."""

    def __init__(self, engine: Engine, ami: Ami) -> None:
        self._engine = engine
        self._ami = ami
        self._seen: dict[str, str] = {}
        self._asked_at: dict[tuple[str, str], float] = {}

    def seen(self, token: str, where: str) -> None:
        """The channel of `token` is in this room (`desk-3`), or waits WITH_MUSIC."""
        self._seen[token] = where

    def forget(self, token: str) -> None:
        """The channel has ended."""
        self._seen.pop(token, None)
        self._asked_at = {key: at for key, at in self._asked_at.items() if key[0] != token}

    def send_all(self) -> bool:
        """Redirect and hang up what is to be. Returns False if Asterisk refused: ask it what is true."""
        with reading(self._engine) as session:
            placed = [c for c in callbacks.on_the_phone(session) if c.placed_at]
            at_home = Desk.phone_connected & Desk.hears_desk_id.is_(None)
            here = {desk.id for desk in session.query(Desk).where(at_home)}
        placed.sort(key=lambda callback: callback.hangup_asked_at is None)  # who leaves, leaves first
        return all([self._send(callback, here) for callback in placed])

    def _send(self, callback: Callback, here: set[int]) -> bool:
        token, at = callback.token, self._seen.get(callback.token)
        if callback.hangup_asked_at:
            if callback.state is CallbackState.WAITING and callback.desk_id is None:
                return self._ask(token, "Redirect", Context.LET_GO, "s")
            return self._ask(token, _HANGUP, Cause=16)
        if callback.state is CallbackState.SCREENING:
            desk, context = callback.screen_desk_id, Context.SCREENING
        elif callback.state is CallbackState.WAITING:
            desk, context = callback.desk_id, Context.ROOM
        else:
            return True
        if desk is None:
            back = at not in (None, WITH_MUSIC)
            return not back or self._ask(token, "Redirect", Context.WAITING, "s")
        if desk not in here or at == f"desk-{desk}" or self._is_leaving(f"desk-{desk}"):
            return True
        return self._ask(token, "Redirect", context, str(desk))

    def _is_leaving(self, room: str) -> bool:
        """Whether somebody is still in the room who has just been hung up: two citizens never meet."""
        hung_up = [token for token, where in self._seen.items() if where == room]
        now = time.monotonic()
        return any(now < self._asked_at.get((token, _HANGUP), 0.0) + _AGAIN_S for token in hung_up)

    def _ask(self, token: str, action: str, context: str = "", exten: str = "", **keys: object) -> bool:
        key, at = (token, " ".join(filter(None, (action, context, exten)))), time.monotonic()
        if at < self._asked_at.get(key, 0.0) + _AGAIN_S:
            return True
        self._asked_at[key] = at
        where = {"Context": str(context), "Exten": exten, "Priority": 1} if context else {}
        try:
            # Asterisk finds a channel by its id, too.
            self._ami.request(action, Channel=token, **where, **keys)
        except AmiError as error:
            log.info("%s: no %s: %s", token, action, error)
            return False
        return True
