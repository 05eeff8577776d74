"""Requests as a program queries them (Open311): which ones, and when each last moved."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session, lazyload

from db.engine import now
from db.models import Category, Release, Request, RequestEntry
from db.states import OPEN_REQUESTS, RequestState
from hotline.errors import Refused
from hotline.requests.lifecycle import OF_THE_OFFICE
from hotline.requests.public import publications

SPAN = timedelta(days=90)
"""Longest period of one query, and the period of a query that names none."""
MOST = 1000
"""Maximum number of requests on one page."""
_ROUNDED = 3
"""Decimals of the coordinates of another program's request: about a hundred metres."""


class Looker(NamedTuple):
    """The reader of a query: anybody, or the program with this key."""

    api_key_id: int | None = None
    may_read: bool = False

    def brought(self, request: Request) -> bool:
        """Return whether this program filed the request itself."""
        return request.api_key_id is not None and request.api_key_id == self.api_key_id

    def point(self, request: Request, release: Release | None) -> tuple[float | None, float | None]:
        """Return the request's coordinates as exactly as this reader may know them."""
        if request.latitude is None or request.longitude is None:
            return None, None
        if self.brought(request) or (release is not None and release.with_point):
            return request.latitude, request.longitude
        if self.may_read:
            return round(request.latitude, _ROUNDED), round(request.longitude, _ROUNDED)
        return None, None


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """The filter of a query. `services`: category codes, all if empty. `open_`: None for both."""

    services: Sequence[str] = ()
    since: datetime | None = None
    until: datetime | None = None
    open_: bool | None = None
    page: int = 1
    page_size: int = MOST


class Found(NamedTuple):
    """A request with its category, its publication, its original's tracking number, and the time of its last
    step.
    """

    request: Request
    category: Category
    release: Release | None
    joined: str | None
    moved_at: datetime
    picture: str | None
    """Name of the first public copy of a picture, if there is one."""


def find_by_numbers(session: Session, numbers: Collection[str]) -> Sequence[Found]:
    """Return the requests with these tracking numbers, for a program that knows the numbers."""
    return _found(session, session.scalars(_PLAIN.where(Request.tracking.in_(numbers))).all())


def list_page(session: Session, wanted: Wanted, looker: Looker) -> Sequence[Found]:
    """Return one page of the requests reported in a period, newest first.

    Without `may_read` it holds the program's own requests and the published ones.

    Raises Refused("span-wrong").
    """
    since, until = _span(session, wanted)
    query = _PLAIN.where(Request.made_at >= since, Request.made_at <= until)
    if not looker.may_read:
        mine = Request.api_key_id == looker.api_key_id
        query = query.where(or_(mine, _RELEASED) if looker.api_key_id else _RELEASED)
    if wanted.services:
        ids = select(Category.id).where(Category.code.in_(wanted.services))
        query = query.where(Request.category.in_(ids))
    if wanted.open_ is not None:
        open_ = Request.state.in_(OPEN_REQUESTS)
        query = query.where(open_ if wanted.open_ else ~open_)
    query = query.order_by(Request.made_at.desc(), Request.id.desc())
    query = query.limit(wanted.page_size).offset((wanted.page - 1) * wanted.page_size)
    return _found(session, session.scalars(query).all())


def list_steps(session: Session, requests: Sequence[Request]) -> Mapping[int, Sequence[RequestEntry]]:
    """Return the public steps of each request's history, oldest first, by the request's id."""
    found: dict[int, list[RequestEntry]] = {}
    public = (
        RequestEntry.request_id.in_([each.id for each in requests]),
        RequestEntry.step.not_in(OF_THE_OFFICE),
    )
    for entry in session.scalars(select(RequestEntry).where(*public).order_by(RequestEntry.id)):
        found.setdefault(entry.request_id, []).append(entry)
    return found


_RELEASED = Request.id.in_(select(Release.request_id)) & (Request.state != RequestState.DUPLICATE)
_PLAIN = select(Request).where(Request.part_of_id.is_(None)).options(lazyload(Request.promised_by))


def _span(session: Session, wanted: Wanted) -> tuple[datetime, datetime]:
    until = wanted.until or (wanted.since + SPAN if wanted.since else now(session))
    since = wanted.since or until - SPAN
    if not timedelta() <= until - since <= SPAN:
        raise Refused("span-wrong", f"start_date comes before end_date, at most {SPAN.days} days", "end_date")
    return since, until


def _found(session: Session, requests: Sequence[Request]) -> Sequence[Found]:
    ids = [request.id for request in requests]
    public = RequestEntry.request_id.in_(ids), RequestEntry.step.not_in(OF_THE_OFFICE)
    moved = select(RequestEntry.request_id, func.max(RequestEntry.at)).where(*public)
    last = dict(session.execute(moved.group_by(RequestEntry.request_id)).all())
    firsts = {request.duplicate_of_id for request in requests} - {None}
    joined = dict(session.execute(select(Request.id, Request.tracking).where(Request.id.in_(firsts))).all())
    released = {
        each.request_id: each for each in session.scalars(select(Release).where(Release.request_id.in_(ids)))
    }
    categories = {category.id: category for category in session.scalars(select(Category))}
    duplicates = {request.id for request in requests if request.state is RequestState.DUPLICATE}
    pictures = publications.find_first_pictures(
        session, [each for each in released if each not in duplicates]
    )
    return [
        Found(
            request,
            categories[request.category],
            None if request.id in duplicates else released.get(request.id),
            joined.get(request.duplicate_of_id or 0),
            last.get(request.id, request.made_at),
            pictures.get(request.id),
        )
        for request in requests
    ]
