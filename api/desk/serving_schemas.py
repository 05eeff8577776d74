"""JSON of serving a round, joining another desk, and breaks."""

from typing import Literal

from pydantic import BaseModel

from api.ids import BodyId
from api.schemas import Callback, Desk, Round
from db.models import BreakReason, Hearing


class ServingDesk(BaseModel):
    """A desk that serves a round, and the citizen with whom it speaks."""

    desk: Desk
    callback: Callback | None


class Stage(BaseModel):
    """A served round now: its desks, the waiting citizens in the order of calling, and calls in progress."""

    round: Round
    places: list[ServingDesk]
    ready: list[Callback]
    under_way: list[Callback]


class Serve(BaseModel):
    """The round that the desk serves; null: it leaves."""

    round_id: BodyId | None


class TakesLive(BaseModel):
    """Whether the desk takes live calls; null: the line's default."""

    takes: bool | None


class BreakIn(BaseModel):
    """The reason of my desk's break; null ends it."""

    reason: BreakReason | None


class Hears(BaseModel):
    """The desk whose conversation my phone joins, and how; null: it leaves."""

    desk_id: BodyId | None
    how: Literal[Hearing.LISTEN, Hearing.WHISPER, Hearing.JOIN] = Hearing.LISTEN


class AskNext(BaseModel):
    """`after` is the callback that the desk has, so that a repeated request ends only one conversation.

    `confirmed`: the desk said so twice. A conversation of less than 30 s ends only then (409 confirm-next).
    """

    after: BodyId | None = None
    confirmed: bool = False
