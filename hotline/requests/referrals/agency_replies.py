"""The page of an outside agency: what its link shows of a passed-on request, and what the agency answers."""

import dataclasses
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Select, exists, select, update
from sqlalchemy.orm import Session

from db import events
from db.engine import now
from db.models import AgencyReferral, Category, Erasure, Picture, PictureKind, Request
from db.states import RequestStep
from hotline.errors import Refused
from hotline.pictures import attachments
from hotline.pictures.stores import File
from hotline.requests import categories, parts, work
from hotline.requests.lifecycle import log
from hotline.requests.referrals.agency_referrals import NUMBER, find, is_open, refuse_link

_T = RequestStep
LONGEST = 1000
"""Maximum length, in characters, of one text that an agency writes."""
MOST_ANSWERS = 10
_SHOWN = Picture.kind.in_([PictureKind.BEFORE, PictureKind.OBJECTION])


@dataclasses.dataclass(frozen=True)
class Seen:
    """A request as the agency sees it: without its citizen, and without numbers of people in any text."""

    link: AgencyReferral
    category: Category
    district: int | None
    made_at: datetime
    due_at: datetime | None
    place: str
    point: tuple[float, float] | None
    pictures: Sequence[Picture]


def show_page(session: Session, token: str) -> Seen:
    """Return what the link's page shows. Raises Refused("link-over" | "link-merged")."""
    link, request = find(session, token)
    whole = parts.find_whole(session, request)
    here = not _is_erased(session, whole.id)
    at = request.latitude, request.longitude
    return Seen(
        link=link,
        category=categories.get(session, request.category),
        district=request.district,
        made_at=request.made_at,
        due_at=request.due_at or request.solve_by,
        place=NUMBER.sub("…", request.place) if here else "",
        point=(at[0], at[1]) if here and at[0] is not None and at[1] is not None else None,
        pictures=session.scalars(_pictures(whole.id)).all() if here else [],
    )


def get_picture(session: Session, token: str, name: str) -> File:
    """Return the file of one of the request's pictures.

    Raises Refused("link-over" | "link-merged" | "not-found").
    """
    _, request = find(session, token)
    whole = parts.find_whole(session, request)
    if _is_erased(session, whole.id):
        raise refuse_link()
    return attachments.find(session, name, Picture.request_id == whole.id, _SHOWN)


def _pictures(request_id: int) -> Select[Picture]:
    there = select(Picture).where(Picture.request_id == request_id, Picture.deleted_at.is_(None), _SHOWN)
    return there.order_by(Picture.kind, Picture.position)


def _is_erased(session: Session, request_id: int) -> bool:
    """Return whether the request's citizen was deleted.

    A link made after that shows only the words of whoever made it.
    """
    return bool(session.scalar(select(exists().where(Erasure.request_id == request_id))))


def record_opened(session: Session, token: str) -> None:
    """Record that the agency has opened the link; only the first time counts. Raises what `find` raises."""
    row, request = find(session, token)
    first = (
        update(AgencyReferral)
        .where(AgencyReferral.id == row.id, AgencyReferral.seen_at.is_(None))
        .values(seen_at=now(session))
    )
    if session.scalar(first.returning(AgencyReferral.id)) is not None:
        events.append_request(session, request)


def record_received(session: Session, token: str) -> None:
    """Record that the agency has received the request; a repeat does nothing. Raises what `find` raises."""
    row, request = _get_for_update(session, token)
    if row.received_at is None:
        row.received_at = now(session)
        _log(session, request, row, _T.BODY_RECEIVED)


def record_answer(session: Session, token: str, text: str) -> None:
    """Record a text that the agency writes; repeating the same text does nothing.

    Raises what `check` and `find` raise, and Refused("too-many-answers").
    """
    text = check(text)
    row, request = _get_for_update(session, token)
    if text == row.answer:
        return
    if row.answers >= MOST_ANSWERS:
        raise Refused("too-many-answers", f"at most {MOST_ANSWERS} by one link")
    row.answer, row.answered_at, row.answers = text, now(session), row.answers + 1
    _log(session, request, row, _T.BODY_ANSWERED, text)


def record_done(session: Session, token: str, text: str) -> int | None:
    """Record that the agency has done its part; return the link's id, to which its picture belongs.

    Return None if the agency repeats the same text.

    Raises what `check` and `find` raise, and Refused("body-done").
    """
    text = check(text)
    row, request = _get_for_update(session, token)
    if text == row.done:
        return None
    if row.done_at is not None:
        raise Refused("body-done", "this was said before, in other words")
    row.done, row.done_at = text, now(session)
    _log(session, request, row, _T.BODY_DONE, text)
    return row.id


def check(text: str) -> str:
    """Return an agency's text without outer spaces.

    Raises Refused("text-missing" | "text-long" | "text-personal").
    """
    text = text.strip()
    if not text:
        raise Refused("text-missing", "write something", "text")
    if len(text) > LONGEST:
        raise Refused("text-long", f"at most {LONGEST} characters", "text")
    if NUMBER.search(text):
        raise Refused("text-personal", "no numbers of people: it may become the city's public reply", "text")
    return text


def _get_for_update(session: Session, token: str) -> tuple[AgencyReferral, Request]:
    """Lock the request, then the link: everybody who changes a request locks it first.

    Check again after the lock, because the link may have ended while this transaction waited.
    """
    row, request = find(session, token)
    request = work.get_for_update(session, request.id)
    session.refresh(row, with_for_update=True)
    if not is_open(row, request, now(session)):
        raise refuse_link()
    return row, request


def _log(session: Session, request: Request, row: AgencyReferral, step: RequestStep, text: str = "") -> None:
    session.flush()
    note = f"{row.body}: {text}" if text else row.body
    log(session, request, step, "", note, department_id=row.department_id)
