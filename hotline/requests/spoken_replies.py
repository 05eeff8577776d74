"""The office's replies as sound, so that key 2 can play them: which are missing, and where each file is.

The file's name is the request's id. A reply that differs from `spoken` is not played, so code that writes a
reply needs no call here.
"""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Integer, bindparam, exists, select, update
from sqlalchemy.orm import Session

from db.models import Request
from db.states import OPEN_REQUESTS, RequestState
from db.trusted_time import trusted_now

KEPT = timedelta(days=60)
"""How long after the end of a request its caller hears about it (requests.latest)."""


class Lacking(NamedTuple):
    """A reply without sound."""

    request_id: int
    reply: str


_LACKS = Request.reply != Request.spoken, Request.part_of_id.is_(None)
_LACKING = (
    select(Request.id, Request.reply)
    .where(*_LACKS)
    .order_by(Request.id)
    .limit(bindparam("most", type_=Integer))
)
IS_ANY_LACKING = select(exists().where(*_LACKS))


def list_without_sound(session: Session, limit: int) -> Sequence[Lacking]:
    """Return replies without sound, oldest requests first."""
    rows = session.execute(_LACKING, {"most": limit})
    return [Lacking(*row) for row in rows]


def record_spoken(session: Session, request_id: int, reply: str) -> None:
    """Record that the files of the request say this reply, or that it cannot be spoken."""
    this = update(Request).where(Request.id == request_id).values(spoken=reply)
    session.execute(this.execution_options(synchronize_session=False))


def can_be_read(request: Request) -> bool:
    """Return whether the present reply exists as sound and is still valid for the caller."""
    return (
        bool(request.reply)
        and request.reply == request.spoken
        and request.reply == find_standing_reply(request)
    )


def find_standing_reply(request: Request) -> str:
    """Return the city's reply, or an empty text after the citizen's objection, until the next reply."""
    return request.reply if request.reply_stands else ""


def find_sound_path(folder: Path, request_id: int) -> Path:
    """Return the path of the request's sound without the codec's suffix."""
    return folder / str(request_id)


def list_over(session: Session, ids: Iterable[int]) -> set[int]:
    """Return the given ids whose sound is no longer needed: missing, or ended longer ago than `KEPT`."""
    wanted = set(ids)
    kept = session.scalars(
        select(Request.id).where(
            Request.id.in_(wanted),
            Request.reply != "",
            Request.state.in_([*OPEN_REQUESTS, RequestState.DUPLICATE])
            | (Request.made_at > trusted_now(session) - KEPT)
            | (Request.replied_at > trusted_now(session) - KEPT),
        )
    )
    return wanted - set(kept)
