"""Requests that are before the supervisors, because a department is late: until somebody sees to each.

Who takes one says so in its history; whatever the office does with it besides is seeing to it, too. The
department's own acts are not: it is still late.
"""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from db.models import Escalation, Request, RequestEntry, Role, User, word, words
from db.states import RequestStep
from hotline import audit
from hotline.errors import Refused
from hotline.requests import work
from hotline.requests.requests import log

_SHOWN = 20
_later = aliased(RequestEntry)
_told = (
    select(func.max(RequestEntry.id))
    .where(RequestEntry.request_id == Request.id, RequestEntry.step == word(RequestStep.TO_SUPERVISORS))
    .correlate(Request)
    .scalar_subquery()
)
_department = select(User.username).where(User.role == word(Role.DEPARTMENT))
_seen_to = (
    select(_later.id)
    .where(
        _later.request_id == Request.id,
        _later.id > _told,
        _later.who != "",
        _later.who.not_in(_department),
        _later.step.not_in(words([RequestStep.ANSWERED])),
    )
    .correlate(Request)
    .exists()
)
OPEN = (Request.escalated_to == word(Escalation.SUPERVISORS)) & ~_seen_to
"""In a query of Request: nobody of the office sees to it."""


class Escalations(NamedTuple):
    """How many there are, and those that were due first."""

    open: int
    first: Sequence[Request]


def list_open(session: Session) -> Escalations:
    """What the supervisors are to see to."""
    here = select(Request).with_hint(Request, "INDEXED BY requests_escalated", "sqlite").where(OPEN)
    first = session.scalars(here.order_by(Request.due_at, Request.id).limit(_SHOWN)).all()
    if len(first) < _SHOWN:
        return Escalations(len(first), first)
    number = select(func.count()).select_from(Request).where(OPEN)
    number = number.with_hint(Request, "INDEXED BY requests_escalated", "sqlite")
    return Escalations(session.scalar(number) or 0, first)


def take(session: Session, request_id: int, *, who: str) -> None:
    """`who` sees to it; once more it is nothing. Raises Refused("not-found" | "wrong-state")."""
    request = work.get_for_update(session, request_id)
    if request.escalated_to is not Escalation.SUPERVISORS:
        raise Refused("wrong-state", "it is not before the supervisors any more")
    if session.scalar(select(Request.id).where(Request.id == request.id, OPEN)) is None:
        return
    audit.record(session, who, "request-taken", f"request {request.id}")
    log(session, request, RequestStep.TAKEN, who)
