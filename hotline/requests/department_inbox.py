"""The inbox of a department: the requests referred to it, without the citizens who reported them."""

from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import ColumnElement, func, or_, select, true
from sqlalchemy.orm import Session

from db import events
from db.engine import now
from db.models import Request, RequestEntry, Role, User, make_literal
from db.states import RequestState, RequestStep
from hotline.errors import Refused
from hotline.ledger import steps
from hotline.requests import cursors, inbox, lifecycle
from hotline.requests.cursors import Place

_NOT_SEEN = (RequestStep.MERGED, RequestStep.SEPARATED, RequestStep.TO_SUPERVISORS)
"""Steps about other requests, and steps that the office takes about the department."""


class Part(StrEnum):
    """The two lists of a department's inbox."""

    WORK = "work"  # referred to it
    SOLVED = "solved"  # solved by it; the citizen is asked to confirm


class By(StrEnum):
    """The actor of a step, as far as a department may know."""

    CITIZEN = "citizen"
    OFFICE = "office"
    DEPARTMENT = "department"
    BODY = "body"  # an agency outside the city
    ITSELF = "itself"  # a timeout


class Step(NamedTuple):
    """A step of a request's history as a department sees it.

    `name` is set only for a colleague. `note` is empty if another department wrote or received it.
    """

    entry: RequestEntry
    by: By
    name: str
    note: str


class Counts(NamedTuple):
    """How many requests a department has in work, how many are late, and how many await their citizens."""

    work: int
    late: int
    solved: int


def list_page(
    session: Session, department_id: int, part: Part, *, after: str | None, limit: int
) -> tuple[Sequence[Request], str | None]:
    """Return at most `limit` requests of the department, and the `after` of the next page (None: last page).

    Late requests come first, then by due date. Raises Refused("invalid-input") for an invalid `after`.
    """
    at = now(session)
    last = cursors.parse(after, by_day=(0, 1)) if after else None
    late = (inbox.where_overdue(at), Request.owed_at >= at) if part is Part.WORK else (true(),)
    day = _DAY[part]
    seen: dict[int, tuple[Request, Place]] = {}
    for rank, which in enumerate(late):
        query = select(Request).where(*_has(department_id, part), which)
        if last and rank < last.rank:
            continue
        if last and rank == last.rank:
            query = query.where(day >= last.day, or_(day > last.day, Request.id > last.id))
        for request in session.scalars(query.order_by(day, Request.id).limit(limit + 1 - len(seen))):
            at_day = request.due_at if part is Part.WORK else request.replied_at
            seen.setdefault(request.id, (request, Place(rank, at_day, request.id)))
        if len(seen) > limit:
            break
    found = list(seen.values())
    more = str(found[limit - 1][1]) if len(found) > limit else None
    return [request for request, _ in found[:limit]], more


def list_newest(
    session: Session, department_id: int, part: Part, *, before: int | None, limit: int
) -> Sequence[Request]:
    """Return the department's requests in pages, newest first (`inbox.Newest`)."""
    return inbox.list_in_pages(session, select(Request).where(*_has(department_id, part)), before, limit)


def count_requests(session: Session, department_id: int) -> Counts:
    """Count the department's requests."""
    late = func.count().filter(inbox.where_overdue(now(session)))
    work = select(func.count(), late).where(*_has(department_id, Part.WORK))
    solved = select(func.count()).select_from(Request).where(*_has(department_id, Part.SOLVED))
    return Counts(*session.execute(work).one(), session.scalar(solved) or 0)


_DAY = {Part.WORK: Request.due_at, Part.SOLVED: Request.replied_at}


def _has(department_id: int, part: Part) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions of a department's list.

    A database check allows a due date only with a department.
    """
    which = (
        Request.due_at.is_not(None)
        if part is Part.WORK
        else Request.state == make_literal(RequestState.REPLIED)
    )
    return Request.department_id == department_id, which


def check_is_own(session: Session, request: Request, department_id: int | None) -> None:
    """Raises Refused("request-moved") if the department had the request before, ("not-found") if never."""
    if department_id is not None and department_id == events.find_department(request):
        return
    had = select(RequestEntry.id).where(
        RequestEntry.request_id == request.id, RequestEntry.department_id == department_id
    )
    if session.scalar(had.limit(1)) is None:
        raise Refused("not-found", f"this department has no request {request.id}")
    raise Refused("request-moved", "it is not with this department any more")


def get(session: Session, department_id: int | None, request_id: int) -> Request:
    """Return the department's request. Raises Refused("not-found" | "request-moved")."""
    request = lifecycle.get(session, request_id)
    check_is_own(session, request, department_id)
    return request


def list_steps(session: Session, request: Request) -> Sequence[Step]:
    """List the steps of the request, oldest first, with names of the department's own people only.

    Steps about other requests are left out.
    """
    entries = [e for e in lifecycle.list_steps(session, request) if e.step not in _NOT_SEEN]
    of_us = select(User.username, User.name).where(
        User.role == Role.DEPARTMENT,
        User.department_id == request.department_id,
        User.username.in_({e.who for e in entries}),
    )
    names = {username: name for username, name in session.execute(of_us)}
    own = (None, request.department_id)
    return [
        Step(e, _by(e, names), names.get(e.who, ""), e.note if e.department_id in own else "")
        for e in entries
    ]


def _by(entry: RequestEntry, names: dict[str, str]) -> By:
    if entry.who in names:
        return By.DEPARTMENT
    by = steps.find_actor(entry)
    return By.ITSELF if by == "time" else By(by)
