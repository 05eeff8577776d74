"""Publications: what the office releases of a request (its own words, chosen pictures, optionally the point).

None of the citizen's words are copied. A withdrawal takes effect at once.
"""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, exists, func, literal, or_, select, update
from sqlalchemy.orm import Session

from db import events
from db.engine import now
from db.models import Category, Erasure, Picture, PublicPicture, Release, Request, Role
from db.states import IN_WORK, RequestState
from hotline import audit, reasons
from hotline.errors import Refused
from hotline.pictures import attachments, decoding, stores
from hotline.requests import work

MODERATORS = (Role.ADMINISTRATOR, Role.PUBLIC_RELATIONS, Role.SUPERVISOR)
"""Roles that may publish a request."""
MOST = 5_000
"""Maximum number of requests in one file of open data, the newest."""


class Listed(NamedTuple):
    """A published request as everybody sees it."""

    request: Request
    category: Category
    release: Release
    pictures: Sequence[str]
    """Names of the public copies."""


class Shown(NamedTuple):
    """A picture to publish, the areas hidden in it, and the public copy that was made."""

    picture_id: str
    hidden: Sequence[decoding.Area]
    file: stores.File


class District(NamedTuple):
    """The published requests of a district: all, and the unsolved ones."""

    district: int | None
    released: int
    unsolved: int


def find(session: Session, request_id: int) -> tuple[Release, Sequence[PublicPicture]] | None:
    """Return the request's publication and its public copies, or None."""
    release = session.get(Release, request_id)
    return (release, _pictures(session, [request_id]).get(request_id, [])) if release else None


def release(
    session: Session, request_id: int, *, text: str, shown: Sequence[Shown], with_point: bool, who: str
) -> Sequence[str]:
    """Publish a request in these words with these copies, or replace its publication.

    Return the names of the copies whose files must be deleted.

    Raises Refused("not-found" | "wrong-state" | "place-missing" | "picture-unknown"), and what
    `reasons.check` raises.
    """
    text = reasons.check(text)
    request = work.get_for_update(session, request_id)
    if request.state is RequestState.DUPLICATE or request.part_of_id:
        raise Refused("wrong-state", "it is a duplicate, or a part: release the first one, or the whole")
    if with_point and request.latitude is None:
        raise Refused("place-missing", "nobody knows its point", "with_point")
    shown_ids = {each.picture_id for each in shown}
    attachments.list_files(session, request.id, shown_ids)
    _check_citizen_is_here(session, request.id, shown_ids, with_point=with_point)
    gone = attachments.take_back(session, Picture.request_id == request.id)
    at = now(session)
    session.add_all(
        PublicPicture(
            id=each.file.name,
            picture_id=each.picture_id,
            hidden=[list(area) for area in each.hidden],
            checksum=each.file.checksum,
            made_at=at,
        )
        for each in shown
    )
    _clear_proof(request)
    row = session.get(Release, request.id) or Release(request_id=request.id)
    row.text, row.with_point, row.who, row.at = text, with_point, who, at
    session.add(row)
    audit.record(session, who, "request-released", f"request {request.id}", text)
    session.flush()
    events.append_request(session, request)
    return gone


def _clear_proof(request: Request) -> None:
    """Make the tracking number of an anonymous request prove nothing, because the publication shows it.

    A withdrawal does the same: during an upgrade a process of the old version may have published the request.
    """
    if request.number is None:
        request.call_id = None


def _check_citizen_is_here(
    session: Session, request_id: int, shown: Collection[str], *, with_point: bool
) -> None:
    """Raises Refused("wrong-state") if the citizen was deleted and their pictures or the point are to be
    published.
    """
    erased = exists().where(Erasure.request_id == request_id)
    theirs = exists().where(Picture.id.in_(shown), Picture.who == "")
    if session.scalar(select(and_(erased, or_(theirs, literal(with_point))))):
        raise Refused("wrong-state", "its citizen was deleted: neither the point nor their pictures")


def withdraw(session: Session, request_id: int, *, who: str) -> Sequence[str]:
    """Withdraw a publication; if there is none, do nothing. Return the names of files to delete.

    Raises Refused("not-found").
    """
    request = work.get_for_update(session, request_id)
    row = session.get(Release, request.id)
    if row is None:
        return []
    _clear_proof(request)
    session.delete(row)
    gone = attachments.take_back(session, Picture.request_id == request.id)
    audit.record(session, who, "request-withdrawn", f"request {request.id}")
    session.flush()
    events.append_request(session, request)
    return gone


def forget_person(session: Session, request_id: int) -> None:
    """Take the citizen's pictures and the point out of a publication, when the citizen is deleted.

    The office's own words stay.
    """
    attachments.take_back(session, Picture.request_id == request_id, Picture.who == "")
    session.execute(update(Release).where(Release.request_id == request_id).values(with_point=False))


def list_published(
    session: Session,
    *,
    category: int | None = None,
    district: int | None = None,
    before: int | None = None,
    limit: int = MOST,
) -> Sequence[Listed]:
    """Return published requests, newest first; with `before`, only those with lower ids."""
    query = (
        select(Request, Category, Release)
        .join(Release, Release.request_id == Request.id)
        .join(Category, Category.id == Request.category)
        .where(Request.state != RequestState.DUPLICATE)
        .order_by(Release.request_id.desc())
        .limit(limit)
    )
    wanted: list[tuple[bool, ColumnElement[bool]]] = [
        (category is not None, Request.category == category),
        (district is not None, Request.district == district),
        (before is not None, Release.request_id < (before or 0)),
    ]
    rows = session.execute(query.where(*[which for asked, which in wanted if asked])).all()
    copies = _pictures(session, [request.id for request, *_ in rows])
    return [Listed(*row, [copy.id for copy in copies.get(row[0].id, [])]) for row in rows]


def count_by_district(session: Session) -> Sequence[District]:
    """Count the published requests of each district, and the unsolved ones among them; None: unknown.

    What the city calls solved is solved here as in the public figures (hotline.requests.public.figures).
    """
    unsolved = func.count().filter(Request.state.in_(IN_WORK))
    query = (
        select(Request.district, func.count(), unsolved)
        .join(Release, Release.request_id == Request.id)
        .where(Request.state != RequestState.DUPLICATE)
        .group_by(Request.district)
    )
    return [District(*row) for row in session.execute(query)]


def get_public_file(session: Session, name: str) -> stores.File:
    """Return the file of a public copy. Raises Refused("not-found")."""
    seen = (
        select(PublicPicture.id, PublicPicture.checksum)
        .join(Picture, Picture.id == PublicPicture.picture_id)
        .join(Release, Release.request_id == Picture.request_id)
        .join(Request, Request.id == Release.request_id)
        .where(
            PublicPicture.id == name, Picture.deleted_at.is_(None), Request.state != RequestState.DUPLICATE
        )
    )
    found = session.execute(seen).first()
    if found is None:
        raise Refused("not-found", "there is no picture, or not any more")
    return stores.File(*found)


def find_first_pictures(session: Session, requests: Collection[int]) -> dict[int, str]:
    """Return the first public copy of each request that has one."""
    return {request: copies[0].id for request, copies in _pictures(session, requests).items()}


def _pictures(session: Session, requests: Collection[int]) -> dict[int, list[PublicPicture]]:
    """Return the public copies, by request."""
    found: dict[int, list[PublicPicture]] = {}
    for begin in range(0, len(requests), 500):
        some = list(requests)[begin : begin + 500]
        shown = (
            select(Picture.request_id, PublicPicture)
            .join(PublicPicture, PublicPicture.picture_id == Picture.id)
            .where(Picture.request_id.in_(some), Picture.deleted_at.is_(None))
        )
        for request_id, copy in session.execute(shown.order_by(Picture.kind, Picture.position)):
            found.setdefault(request_id or 0, []).append(copy)
    return found
