"""Requests escalated to the supervisors because a department is late, until somebody takes each.

A supervisor takes one by an entry in its history; any other act of the office counts as well. Acts of the
department do not count: it is still late.
"""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from db.models import Escalation, Request, RequestEntry, Role, User, make_literal, make_literals
from db.states import RequestStep
from hotline import audit
from hotline.errors import Refused
from hotline.requests import work
from hotline.requests.lifecycle import log

_SHOWN = 20
_later = aliased(RequestEntry)
_told = (
    select(func.max(RequestEntry.id))
    .where(
        RequestEntry.request_id == Request.id, RequestEntry.step == make_literal(RequestStep.TO_SUPERVISORS)
    )
    .correlate(Request)
    .scalar_subquery()
)
_department = select(User.username).where(User.role == make_literal(Role.DEPARTMENT))
_seen_to = (
    select(_later.id)
    .where(
        _later.request_id == Request.id,
        _later.id > _told,
        _later.who != "",
        _later.who.not_in(_department),
        _later.step.not_in(make_literals([RequestStep.ANSWERED])),
    )
    .correlate(Request)
    .exists()
)
OPEN = (Request.escalated_to == make_literal(Escalation.SUPERVISORS)) & ~_seen_to
"""Condition on Request: escalated to the supervisors, and nobody of the office has acted since."""


class Escalations(NamedTuple):
    """The number of open escalations, and those with the earliest due dates."""

    open: int
    first: Sequence[Request]


def list_open(session: Session) -> Escalations:
    """Return the escalations that the supervisors must handle."""
    here = select(Request).with_hint(Request, "INDEXED BY requests_escalated", "sqlite").where(OPEN)
    first = session.scalars(here.order_by(Request.due_at, Request.id).limit(_SHOWN)).all()
    if len(first) < _SHOWN:
        return Escalations(len(first), first)
    number = select(func.count()).select_from(Request).where(OPEN)
    number = number.with_hint(Request, "INDEXED BY requests_escalated", "sqlite")
    return Escalations(session.scalar(number) or 0, first)


def take(session: Session, request_id: int, *, who: str) -> None:
    """Record that `who` handles the request; a repeat does nothing.

    Raises Refused("not-found" | "wrong-state").
    """
    request = work.get_for_update(session, request_id)
    if request.escalated_to is not Escalation.SUPERVISORS:
        raise Refused("wrong-state", "it is not before the supervisors any more")
    if session.scalar(select(Request.id).where(Request.id == request.id, OPEN)) is None:
        return
    audit.record(session, who, "request-taken", f"request {request.id}")
    log(session, request, RequestStep.TAKEN, who)
