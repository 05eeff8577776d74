"""What goes over the wire when a desk serves a round, hears another desk, or takes nobody."""

from typing import Literal

from pydantic import BaseModel

from api.ids import BodyId
from api.schemas import Callback, Desk, Round
from db.models import BreakReason, Hearing


class ServingDesk(BaseModel):
    """A desk that serves a round, and with whom it speaks."""

    desk: Desk
    callback: Callback | None


class Stage(BaseModel):
    """A served round at this moment: its desks, who waits in the order of calling, who is being called."""

    round: Round
    places: list[ServingDesk]
    ready: list[Callback]
    under_way: list[Callback]


class Serve(BaseModel):
    """Which round the desk serves; none: it leaves."""

    round_id: BodyId | None


class TakesLive(BaseModel):
    """Whether the desk takes live calls; none: as the line says that it serves."""

    takes: bool | None


class BreakIn(BaseModel):
    """Why my desk takes nobody for a while; none: it does again."""

    reason: BreakReason | None


class Hears(BaseModel):
    """Which desk's conversation my phone takes part in, and how; none: no more."""

    desk_id: BodyId | None
    how: Literal[Hearing.LISTEN, Hearing.WHISPER, Hearing.JOIN] = Hearing.LISTEN


class AskNext(BaseModel):
    """`after` is the callback that the desk has, so that a request sent twice ends one conversation.

    `confirmed`: the desk said so twice; a conversation of less than 30 s ends only then (409 confirm-next).
    """

    after: BodyId | None = None
    confirmed: bool = False
