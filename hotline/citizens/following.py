"""Following: a citizen follows a request of somebody else instead of reporting the problem again."""

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, delete, func, select
from sqlalchemy.orm import Session, aliased

from db.engine import hold_lock, now
from db.models import Category, Delivery, Follower, OutboxKind, OutboxMessage, Request
from db.states import OPEN_REQUESTS
from hotline.errors import Refused
from hotline.line import blocked
from hotline.requests import lifecycle, work

MOST = 50
"""Maximum number of open requests that one number follows."""
_TOLD = (OutboxKind.FOLLOWED_REPLIED, OutboxKind.FOLLOWED_REJECTED, OutboxKind.FOLLOWED_CLOSED)


class Followed(NamedTuple):
    """A request that a citizen follows, its category, and the follower's row."""

    request: Request
    category: Category
    follower: Follower


def follow(session: Session, number: str, tracking: str, language: str) -> Followed:
    """Let an E.164 number follow an open request, or the original of a duplicate; a repeat does nothing.

    Raises Blocked and Refused("not-found" | "follow-own" | "too-many-follows" | "wrong-state").
    """
    hold_lock(session, f"follows-{number}")
    blocked.check(session, number)
    leading = lifecycle.find_original(session, _get(session, tracking)).id
    request = work.get_for_update(session, leading)  # locked, so that it does not end meanwhile
    if request.number == number:
        raise Refused("follow-own", "it is your own: you are told anyway")
    follower = session.scalars(_mine(number, request.id).order_by(Follower.id).limit(1)).first()
    if follower is None:
        _may_follow(session, request, number)
        follower = Follower(request_id=request.id, number=number, language=language, at=now(session))
        session.add(follower)
        session.flush()
    return Followed(request, session.get_one(Category, request.category), follower)


def _mine(number: str, leading_id: int) -> Select[Any]:
    """Select the rows by which the number follows a request: directly, and by its duplicates."""
    joined = select(Follower).join(Request, Request.id == Follower.request_id)
    return joined.where(Follower.number == number, _leading(Request) == leading_id)


def _leading(request: Any) -> ColumnElement[int]:
    """Return the id of a duplicate's original, else the request's own id."""
    return func.coalesce(request.duplicate_of_id, request.id)


def _get(session: Session, tracking: str) -> Request:
    request = session.scalar(
        select(Request).where(Request.tracking == tracking, Request.part_of_id.is_(None))
    )
    if request is None:
        raise Refused("not-found", "there is no such request")
    return request


def _may_follow(session: Session, request: Request, number: str) -> None:
    if request.state not in OPEN_REQUESTS:
        raise Refused("wrong-state", "it is at its end; report it if the problem is there again")
    open_ = Request.state.in_(OPEN_REQUESTS)
    own = aliased(Request)
    follows = (
        select(func.count(Request.id.distinct()))
        .select_from(Follower)
        .join(own, own.id == Follower.request_id)
        .join(Request, Request.id == _leading(own))
    )
    if (session.scalar(follows.where(Follower.number == number, open_)) or 0) >= MOST:
        raise Refused("too-many-follows", f"at most {MOST} at a time; leave one first")


def leave(session: Session, number: str, tracking: str) -> None:
    """Stop following a request, and delete its unsent messages. Raises Refused("not-found")."""
    request = lifecycle.find_original(session, _get(session, tracking))
    mine = Follower.id.in_([each.id for each in session.scalars(_mine(number, request.id))])
    unsent = (
        OutboxMessage.to == number,
        OutboxMessage.request_id == request.id,
        OutboxMessage.kind.in_(_TOLD),
        OutboxMessage.state == Delivery.PENDING,
    )
    for gone in (delete(Follower).where(mine), delete(OutboxMessage).where(*unsent)):
        session.execute(gone.execution_options(synchronize_session=False))


def list_followed(session: Session, number: str, limit: int = 2 * MOST) -> Sequence[Followed]:
    """Return the requests that the number follows, newest first; a duplicate as its original."""
    own = aliased(Request)
    query = (
        select(Request, Category, Follower)
        .select_from(Follower)
        .join(own, own.id == Follower.request_id)
        .join(Request, Request.id == _leading(own))
        .join(Category, Category.id == Request.category)
        .where(Follower.number == number, Request.number.is_distinct_from(number))
        .order_by(Follower.id.desc())
    )
    found = [Followed(*row) for row in session.execute(query.limit(limit))]
    return [*{each.request.id: each for each in found}.values()]


def find_followed_among(session: Session, number: str, requests_: Collection[int]) -> set[int]:
    """Return which of these requests the number follows, directly or by a duplicate."""
    own = select(_leading(Request)).join(Follower, Follower.request_id == Request.id)
    return set(session.scalars(own.where(Follower.number == number, _leading(Request).in_(requests_))))
