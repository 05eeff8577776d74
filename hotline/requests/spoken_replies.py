"""The office's replies as sound, so that key 2 can read them: which lack, and where each lies.

The file has the request's number, and a reply of which `spoken` differs is not played: whoever writes a reply
need not know of this.
"""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Engine, Integer, bindparam, exists, select, update
from sqlalchemy.orm import Session

from db.engine import core
from db.models import Request
from db.peeks import peek
from db.states import OPEN_REQUESTS, RequestState
from db.trusted_time import trusted_now

KEPT = timedelta(days=60)
"""After the end of a request: for so long its caller hears of it (requests.latest)."""


class Lacking(NamedTuple):
    """A reply that is not spoken yet."""

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


def is_any_lacking(engine: Engine) -> bool:
    """Whether any reply is not spoken yet."""
    return bool(peek(engine, IS_ANY_LACKING))


def lacking(session: Session, limit: int) -> Sequence[Lacking]:
    """The replies that nobody has spoken yet, the oldest requests first."""
    rows = core(session).execute(_LACKING, {"most": limit})
    return [Lacking(*row) for row in rows]


def spoken(session: Session, request_id: int, reply: str) -> None:
    """This is what the files of the request say; or there are none, if it cannot be said."""
    this = update(Request).where(Request.id == request_id).values(spoken=reply)
    session.execute(this.execution_options(synchronize_session=False))


def can_be_read(request: Request) -> bool:
    """Whether its reply was spoken as it is, and is for its caller to hear."""
    return bool(request.reply) and request.reply == request.spoken and request.reply == standing(request)


def standing(request: Request) -> str:
    """The city's reply while it stands: one that was objected to says what is not so; what comes after it
    stands again."""
    return request.reply if request.reply_stands else ""


def path(folder: Path, request_id: int) -> Path:
    """Where its sound lies, without the codec's suffix."""
    return folder / str(request_id)


def over(session: Session, ids: Iterable[int]) -> set[int]:
    """Those of these requests whose callers hear nothing of them any more, or that are not there."""
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
