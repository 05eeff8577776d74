"""Rooms: each citizen is moved to the place in the database: a desk's room, an operator's, or the music."""

import logging
import math
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime

from sqlalchemy import Engine, select

from db.engine import now, reading
from db.models import Callback, Desk
from db.states import CallbackState
from dialer.ami import Ami, AmiError
from dialplan.variables import Context
from hotline.callbacks import placing
from hotline.nodes import round_affinity

log = logging.getLogger("dialer")

_AGAIN_S = 1.0
"""How long Asterisk has for a redirect or a hang-up before the dialer repeats it."""

_LEAVES_S = 1.0
"""How long a citizen whose desk's phone left is not sent back: the phone's end may be reported later."""

_GOODBYE_S = 30.0
"""How long the apology at the end of a round may take; then the call is ended."""

_LISTENS = (CallbackState.ANSWERED, CallbackState.WAITING, CallbackState.SCREENING)

WITH_MUSIC = "music"

_AT_HOME = select(Desk.id).where(
    Desk.phone_connected, Desk.hears_desk_id.is_(None), round_affinity.where_mine(Desk.node)
)


class Rooms:
    """Locations of citizens: Asterisk knows where they are (`seen`), the database where they belong."""

    def __init__(
        self,
        engine: Engine,
        ami: Ami,
        keep_out: Callable[[str, str], bool] = lambda _room, _token: False,
        *,
        node: str | None = None,
    ) -> None:
        """`keep_out`: whether a room has a guest of another citizen's conversation.

        `node`: this Asterisk's node.
        """
        self._engine = engine
        self._node = node
        self._ami = ami
        self._keep_out = keep_out
        self._seen: dict[str, str] = {}
        self._left_alone_at: dict[str, float] = {}
        self._asked: dict[tuple[str, str], tuple[float, bool]] = {}
        """Time of the request, and whether Asterisk accepted it."""
        self.somebody_waits_outside = False
        """A room was still occupied for its next citizen at the last `send_all`: somebody is leaving it."""

    def seen(self, token: str, where: str) -> None:
        """Record that the channel of `token` is in this room (`desk-3`), WITH_MUSIC, or in this context."""
        if self._seen.get(token) != where:
            self._not_asked(token)  # it has moved: earlier requests are done or obsolete
            self._left_alone_at.pop(token, None)
            if where == Context.HELD:
                self._left_alone_at[token] = time.monotonic()
        self._seen[token] = where

    def located(self) -> Mapping[str, str]:
        """Return the last known location of each citizen, by token."""
        return self._seen

    def only(self, live: Collection[str]) -> None:
        """Forget all citizens whose channel is not among Asterisk's `live` channels."""
        for token in self._seen.keys() - set(live):
            self.forget(token)

    def forget(self, token: str) -> None:
        """Forget a citizen whose channel has ended."""
        self._seen.pop(token, None)
        self._left_alone_at.pop(token, None)
        self._not_asked(token)

    def _not_asked(self, token: str) -> None:
        self._asked = {key: asked for key, asked in self._asked.items() if key[0] != token}

    def send_all(self) -> bool:
        """Redirect and hang up as needed. Return False if Asterisk refused: then its state must be asked."""
        with reading(self._engine) as session:
            placed = [c for c in placing.list_open_calls(session, self._node) if c.placed_at]
            here = set(session.scalars(_AT_HOME, {"node": self._node}))
            at = now(session)
        self.somebody_waits_outside = False
        leaving = [c for c in placed if c.hangup_asked_at]  # first, because the room is for the next citizen
        ended = [self._end(c, at) for c in leaving]
        ended += [self._ask(token, "Hangup", Cause=16) for token in self._forgotten(placed)]
        return all([*ended, *(self._send(c, here) for c in placed if not c.hangup_asked_at)])

    def _forgotten(self, placed: Sequence[Callback]) -> list[str]:
        """List citizens in a desk's room, or waiting for one, whose callback is over: nobody would come."""
        known = {callback.token for callback in placed}
        for_desks = [token for token, at in self._seen.items() if at == WITH_MUSIC or at.startswith("desk-")]
        return [token for token in for_desks if token not in known]

    def _end(self, callback: Callback, at: datetime) -> bool:
        token, asked_at = callback.token, callback.hangup_asked_at or at
        in_time = (at - asked_at).total_seconds() < _GOODBYE_S
        goodbye = _goodbye(callback)
        if goodbye is None or not in_time:
            return self._ask(token, "Hangup", Cause=16)
        if self._seen.get(token) == goodbye:
            return True  # hears the apology, which ends the call
        asked = self._ask(token, "Redirect", goodbye, "s")
        if asked:
            self._seen[token] = goodbye
        return asked

    def _send(self, callback: Callback, here: set[int]) -> bool:
        token, at = callback.token, self._seen.get(callback.token)
        if outside := _outside(callback):
            return at == outside or self._ask(token, "Redirect", outside, "s")
        if callback.state is CallbackState.SCREENING:
            desk, context = callback.screen_desk_id, Context.SCREENING
        elif callback.state in (CallbackState.WAITING, CallbackState.HELD):
            desk, context = callback.desk_id, Context.ROOM
        else:
            return True
        if desk is None:
            back = at not in (None, WITH_MUSIC)
            return not back or self._ask(token, "Redirect", Context.WAITING, "s")
        if desk not in here and callback.state is CallbackState.WAITING and at == Context.HELD:
            return self._ask(token, "Redirect", Context.WAITING, "s")  # no conversation was recorded
        screened = callback.state is CallbackState.SCREENING and at == f"desk-{desk}"
        if desk not in here or screened or self._has_just_been_left(token):
            return True
        taken = self._somebody_else_is_in(f"desk-{desk}", token)
        self.somebody_waits_outside |= taken
        return taken or self._ask(token, "Redirect", context, str(desk))

    def _has_just_been_left(self, token: str) -> bool:
        """Return whether the desk's phone, believed to be there, left the citizen alone a moment ago."""
        return time.monotonic() < self._left_alone_at.get(token, -math.inf) + _LEAVES_S

    def _somebody_else_is_in(self, room: str, token: str) -> bool:
        """Return whether another citizen or their guest is in the room: no two may ever hear each other."""
        citizen = any(where == room for other, where in self._seen.items() if other != token)
        return citizen or self._keep_out(room, token)

    def _ask(self, token: str, action: str, context: str = "", exten: str = "", **keys: object) -> bool:
        key, at = (token, f"{action} {context} {exten}"), time.monotonic()
        asked_at, taken = self._asked.get(key, (-math.inf, False))
        if at < asked_at + _AGAIN_S:
            return taken
        self._asked[key] = at, False
        where = {"Context": str(context), "Exten": exten, "Priority": 1} if context else {}
        try:
            # Asterisk finds a channel by its id, too.
            self._ami.request(action, Channel=token, **where, **keys)
        except AmiError as error:
            log.info("%s: no %s: %s", token, action, error)
            return False
        self._asked[key] = at, True
        return True


def _outside(callback: Callback) -> Context | None:
    """Return the context that keeps the citizen out of every room by the desk's own request."""
    if callback.state is CallbackState.PARTING:
        return Context.PARTING
    on_hold = callback.state is CallbackState.HELD and callback.on_hold_at
    return Context.ON_HOLD if on_hold else None


def _goodbye(callback: Callback) -> Context | None:
    """Return the context with the apology before the line is ended."""
    if callback.state is CallbackState.HELD:
        return Context.HELD_OVER
    if callback.state not in _LISTENS:
        return None
    if callback.desk_id is None:
        return Context.LET_GO
    return Context.HELD_OVER if callback.again_at else None  # freed by a supervisor
