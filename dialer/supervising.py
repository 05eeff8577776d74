"""Moves of supervisors' phones: into the conversation to hear, and back into their own rooms."""

import logging
import time
from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from db.engine import reading, writing
from db.models import Desk, Hearing
from dialer.ami import Ami, AmiError
from dialplan.accounts import DESK_EXTENSION
from dialplan.variables import SUPERVISE, Context, Variable
from hotline.desks import supervising
from hotline.nodes import round_affinity

log = logging.getLogger("dialer")

_AGAIN_S = 1.0
"""How long Asterisk has for a redirect before the dialer repeats it."""

_CONTEXTS = {
    Hearing.LISTEN: Context.LISTEN,
    Hearing.WHISPER: Context.WHISPER,
    Hearing.JOIN: Context.JOIN,
    Hearing.CONSULT: Context.JOIN,
}


class Whereabouts(NamedTuple):
    """Location of a desk's phone: a context and an extension of the dialplan."""

    context: str
    exten: str


_HERE = select(Desk).where(
    Desk.phone_connected, Desk.channel.is_not(None), round_affinity.where_mine(Desk.node)
)

OWN_ROOM = Whereabouts(Context.FROM_DESK, DESK_EXTENSION)


class Supervising:
    """Supervisors' phones: Asterisk knows where they are (`seen`), the database whom they should hear."""

    def __init__(self, engine: Engine, ami: Ami, node: str | None = None) -> None:
        self._engine = engine
        self._ami = ami
        self._node = node
        self._seen: dict[int, Whereabouts] = {}
        self._asked: dict[int, tuple[Whereabouts, float]] = {}

    def seen(self, desk: int, context: str, exten: str) -> None:
        """Record that the desk's phone hears another desk, or is in its own room."""
        self._seen[desk] = Whereabouts(context, exten) if context in SUPERVISE else OWN_ROOM
        self._asked.pop(desk, None)

    def forget(self, desk: int) -> None:
        """Forget the desk's phone, which has left."""
        self._seen.pop(desk, None)
        self._asked.pop(desk, None)

    def send_all(self) -> bool:
        """Redirect phones as needed. Return False if Asterisk refused: then its state must be asked."""
        with reading(self._engine) as session:
            over, here = supervising.has_over(session), self._here(session)
        if over:
            with writing(self._engine) as session:
                supervising.end_over(session)
                here = self._here(session)
        channels = {desk.id: desk.channel or "" for desk in here}
        return all([self._send(desk, channels) for desk in here])

    def _here(self, session: Session) -> Sequence[Desk]:
        return session.scalars(_HERE, {"node": self._node}).all()

    def _send(self, desk: Desk, channels: dict[int, str]) -> bool:
        belongs = OWN_ROOM
        heard = channels.get(desk.hears_desk_id or 0)
        if heard:
            belongs = Whereabouts(_CONTEXTS[Hearing(desk.hears_how or "")], str(desk.hears_desk_id))
        if self._seen.get(desk.id, OWN_ROOM) == belongs or self._just_asked(desk.id, belongs):
            return True
        channel = channels[desk.id]
        try:
            if heard:
                self._ami.request("Setvar", Channel=channel, Variable=Variable.HEARS.value, Value=heard)
            where = {"Context": str(belongs.context), "Exten": belongs.exten, "Priority": 1}
            self._ami.request("Redirect", Channel=channel, **where)
        except AmiError as error:
            log.info("desk %d: not moved to %s: %s", desk.id, belongs.context, error)
            return False
        return True

    def _just_asked(self, desk: int, belongs: Whereabouts) -> bool:
        asked, at = self._asked.get(desk, (None, 0.0))
        if asked == belongs and time.monotonic() < at + _AGAIN_S:
            return True
        self._asked[desk] = belongs, time.monotonic()
        return False
