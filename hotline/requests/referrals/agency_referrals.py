"""Links by which a request is passed to an outside agency; the agency's answers come back through the link.

The department or office that passed it stays responsible: neither state nor due date changes. A link is open
until somebody withdraws it, it expires, or the request is no longer in work.
"""

import re
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, func, or_, select, true, update
from sqlalchemy.orm import Session

from db.engine import now
from db.models import AgencyReferral, Picture, Request, User
from db.states import WITH_DEPARTMENT, RequestState, RequestStep
from hotline.errors import Refused
from hotline.requests import work

_S, _T = RequestState, RequestStep
PASSED_IN = (_S.NEW, *WITH_DEPARTMENT, _S.REOPENED)
"""States in which a request may be passed. A split request may not: its parts may."""
_TWICE = timedelta(seconds=10)
"""A repeated press of the button within this time is refused."""
MOST = 5
"""Maximum number of open links of a request, for each department and for the office."""
_TOKEN = re.compile("[A-Za-z0-9_-]{43}")
_BITS = 256
NUMBER = re.compile(r"\d(?:[\s()+._\u200c\u2010-\u2015-]{0,3}\d){6,}")
"""Matches a telephone, ticket or identity number with the separators people write; a date with slashes does
not match."""


class PassState(StrEnum):
    """The progress of an agency with its link."""

    WAITING = "waiting"
    SEEN = "seen"
    RECEIVED = "received"
    ANSWERED = "answered"
    DONE = "done"
    EXPIRED = "expired"  # the time ended before the agency answered
    WITHDRAWN = "withdrawn"


class Passing(NamedTuple):
    """The agency, its contact, the reason, and the text that the agency reads."""

    body: str
    contact: str
    why: str
    written: str


class Passed(NamedTuple):
    """A link with its present state and the pictures that its agency has sent."""

    row: AgencyReferral
    state: PassState
    open: bool
    pictures: Sequence[Picture]


def make(
    session: Session, request: Request, passing: Passing, *, user: User, days: int
) -> tuple[AgencyReferral, str]:
    """Pass a request to an agency; return the link and its token, which is stored only as a hash.

    An open link of the same agency is withdrawn.

    Raises Refused("wrong-state" | "text-missing" | "text-personal" | "body-has-link" | "just-passed" |
    "too-many-links").
    """
    if request.state not in PASSED_IN:
        raise Refused("wrong-state", "it is not in work, or its parts are")
    body, why, written = " ".join(passing.body.split()), passing.why.strip(), passing.written.strip()
    if not (body and why and written):
        field = "body" if not body else "why" if not why else "written"
        raise Refused("text-missing", "say to whom, why, and what it is about", field)
    for field, text in (("body", body), ("why", why), ("written", written)):
        if NUMBER.search(text):
            raise Refused("text-personal", "no numbers of people: nobody needs them here", field)
    at = now(session)
    before = AgencyReferral.request_id == request.id, AgencyReferral.withdrawn_at.is_(None)
    anothers = and_(
        AgencyReferral.department_id.is_distinct_from(user.department_id), AgencyReferral.expires_at > at
    )
    same = select(AgencyReferral.id).where(*before, AgencyReferral.body == body, anothers)
    if user.department_id is not None and session.scalar(same) is not None:
        raise Refused("body-has-link", "the office, or another department, has passed it on to this body")
    this = (
        AgencyReferral.body == body,
        AgencyReferral.written == written,
        AgencyReferral.who == user.username,
        AgencyReferral.made_at > at - _TWICE,
    )
    if session.scalar(select(AgencyReferral.id).where(*before, *this).limit(1)):
        raise Refused("just-passed", "the button was pressed twice; this very link is open")
    session.execute(
        update(AgencyReferral).where(*before, AgencyReferral.body == body).values(withdrawn_at=at)
    )
    its = AgencyReferral.department_id.is_not_distinct_from(user.department_id)
    open_ = (
        select(func.count()).select_from(AgencyReferral).where(*before, its, AgencyReferral.expires_at > at)
    )
    if (session.scalar(open_) or 0) >= MOST:
        raise Refused("too-many-links", f"at most {MOST} at a time; withdraw one first")
    token = secrets.token_urlsafe(_BITS // 8)
    made = AgencyReferral(
        request_id=request.id,
        token_hash=_hash(token),
        body=body,
        contact=passing.contact.strip(),
        written=written,
        who=user.username,
        department_id=user.department_id,
        made_at=at,
        expires_at=at + timedelta(days=days),
    )
    session.add(made)
    session.flush()
    work.record_step(
        session, request, _T.PASSED, user.username, f"{body}: {why}", department_id=made.department_id
    )
    return made, token


def withdraw(session: Session, request: Request, pass_id: int, *, user: User) -> None:
    """Withdraw a link; a repeat does nothing. A department may withdraw only its own links.

    Raises Refused("not-found").
    """
    own = true() if user.department_id is None else AgencyReferral.department_id == user.department_id
    query = select(AgencyReferral).where(
        AgencyReferral.id == pass_id, AgencyReferral.request_id == request.id, own
    )
    row = session.scalar(query.with_for_update())
    if row is None:
        raise Refused("not-found", f"it has no link {pass_id}")
    if row.withdrawn_at is None:
        row.withdrawn_at = now(session)
        of = row.department_id
        work.record_step(session, request, _T.RECALLED, user.username, row.body, department_id=of)


def list_by_request(session: Session, request: Request, department_id: int | None = None) -> Sequence[Passed]:
    """Return the request's links, newest first: all of them, or those that the department may see."""
    at = now(session)
    query = select(AgencyReferral).where(AgencyReferral.request_id == request.id, _seen_by(department_id))
    rows = session.scalars(query.order_by(AgencyReferral.id.desc())).all()
    shown = select(Picture).where(Picture.pass_id.in_([row.id for row in rows]), Picture.deleted_at.is_(None))
    pictures = session.scalars(shown.order_by(Picture.made_at, Picture.id)).all()
    return [
        Passed(
            *(row, _state(row, at), is_open(row, request, at)),
            [picture for picture in pictures if picture.pass_id == row.id],
        )
        for row in rows
    ]


def where_sent_by_agencies(request_id: int, department_id: int | None = None) -> ColumnElement[bool]:
    """Condition on Picture: sent through a link that `list_by_request` lists."""
    mine = select(AgencyReferral.id).where(AgencyReferral.request_id == request_id, _seen_by(department_id))
    return Picture.pass_id.in_(mine)


def _seen_by(department_id: int | None) -> ColumnElement[bool]:
    """Condition on AgencyReferral: a department sees its own links and the office's; the office sees all."""
    if department_id is None:
        return true()
    return or_(AgencyReferral.department_id.is_(None), AgencyReferral.department_id == department_id)


def is_open(row: AgencyReferral, request: Request, at: datetime) -> bool:
    """Return whether the agency may see the request through this link."""
    return _holds(row, at) and request.state in PASSED_IN


def _holds(row: AgencyReferral, at: datetime) -> bool:
    return row.withdrawn_at is None and row.expires_at > at


def _state(row: AgencyReferral, at: datetime) -> PassState:
    marks = (
        (row.withdrawn_at, PassState.WITHDRAWN),
        (row.done_at, PassState.DONE),
        (row.answered_at, PassState.ANSWERED),
        (row.expires_at <= at, PassState.EXPIRED),
        (row.received_at, PassState.RECEIVED),
        (row.seen_at, PassState.SEEN),
    )
    return next((state for mark, state in marks if mark), PassState.WAITING)


def find(session: Session, token: str) -> tuple[AgencyReferral, Request]:
    """Return an open link and its request. Raises Refused("link-over" | "link-merged").

    Every other reason gives the same "link-over". A merged request has its own code, because its agency
    should stop: the city goes on with another request.
    """
    query = select(AgencyReferral, Request).join(Request, Request.id == AgencyReferral.request_id)
    known = (
        _TOKEN.fullmatch(token)
        and session.execute(query.where(AgencyReferral.token_hash == _hash(token))).first()
    )
    if not known:
        raise refuse_link()
    row, request = known
    at = now(session)
    if request.state is _S.DUPLICATE and _holds(row, at):
        raise Refused(
            "link-merged", "the city goes on with another request, of which it is a duplicate or part"
        )
    if not is_open(row, request, at):
        raise refuse_link()
    return row, request


def refuse_link() -> Refused:
    """Return the refusal of a link that opens nothing; it does not say why."""
    return Refused("link-over", "there is no such link, or not any more")


def forget(session: Session, request_ids: Sequence[int]) -> None:
    """Withdraw the links of these requests and delete what the links showed, when a citizen is deleted."""
    since = func.coalesce(AgencyReferral.withdrawn_at, now(session))
    gone = update(AgencyReferral).where(AgencyReferral.request_id.in_(request_ids))
    session.execute(gone.values(withdrawn_at=since, written="", contact=""))


def forget_words(session: Session, request_ids: Sequence[int]) -> None:
    """Do what `forget` does, and delete the agencies' answers.

    The steps of the history stay, without words.
    """
    forget(session, request_ids)
    session.execute(
        update(AgencyReferral).where(AgencyReferral.request_id.in_(request_ids)).values(answer="", done="")
    )


def _hash(token: str) -> str:
    return sha256(token.encode()).hexdigest()
