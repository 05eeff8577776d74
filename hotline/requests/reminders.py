"""Reminders and escalations: the department before the due date, its head a day late, supervisors two days
late.

Each is sent once for each due date of a department; the unique index of `Reminder` decides. All of them are
sent in working hours.
"""

from collections.abc import Sequence
from datetime import datetime, time, timedelta

from sqlalchemy import ColumnElement, exists, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from db import events
from db.models import Escalation, OutboxKind, Reminder, Request, TimeUnit
from db.states import RequestStep
from db.trusted_time import trusted_now
from hotline.messages import outbox
from hotline.requests import working_time
from hotline.requests.lifecycle import log
from hotline.requests.working_time import Span
from hotline.timetable import days
from settings import WorkingWeek

_E = Escalation
_AFTER = {_E.HEAD: 1, _E.SUPERVISORS: 2}
"""Working days after the due date."""
_BEFORE = Span(1, TimeUnit.DAYS)
_STEP = {
    _E.DEPARTMENT: RequestStep.REMINDED,
    _E.HEAD: RequestStep.TO_HEAD,
    _E.SUPERVISORS: RequestStep.TO_SUPERVISORS,
}
_SENT = {_E.DEPARTMENT: OutboxKind.REQUEST_DUE, _E.HEAD: OutboxKind.REQUEST_LATE}
"""Text messages to the department's telephone; supervisors see escalations on their pages."""
_INSERT = {
    name: insert(Reminder).on_conflict_do_nothing().returning(Reminder.id)
    for name, insert in (("postgresql", postgresql.insert), ("sqlite", sqlite.insert))
}


def tell(session: Session, week: WorkingWeek, limit: int) -> int:
    """Send at most `limit` reminders and escalations; return their number.

    Outside working hours send none.
    """
    at = trusted_now(session)
    if not working_time.is_working_time(session, at, week):
        return 0
    told = [
        (request, to) for request, to in list_due(session, week, at, limit) if _tell(session, request, to, at)
    ]
    for request, to in told:  # lock every row first, then the log
        log(session, request, _STEP[to], "", department_id=request.department_id, due_at=request.due_at)
    if any(to is _E.SUPERVISORS for _, to in told):
        events.append_escalation(session)
    return len(told)


def list_due(
    session: Session, week: WorkingWeek, at: datetime, limit: int
) -> Sequence[tuple[Request, Escalation]]:
    """List which request to escalate to whom, longest due first."""
    found: list[tuple[Request, Escalation]] = []
    last = days.find_local_day(working_time.find_due_by_calendar(session, at, _BEFORE, week))
    soon = days.find_moment(last + timedelta(days=1), time())  # the end of the next working day
    for request in _untold(session, _E.DEPARTMENT, Request.due_at <= soon, limit):
        found.append((request, _E.DEPARTMENT))
    for to, working_days in _AFTER.items():
        for request in _untold(session, to, Request.due_at < at, limit - len(found)):
            if (
                request.due_at
                and working_time.add_working_days(session, request.due_at, working_days, week) > at
            ):
                break  # the following ones are due later
            found.append((request, to))
    return found


def _untold(session: Session, to: Escalation, due: ColumnElement[bool], limit: int) -> Sequence[Request]:
    """Lock and return the requests of departments whose present due date was not yet reported to `to`."""
    told = exists().where(
        Reminder.request_id == Request.id,
        Reminder.department_id == Request.department_id,
        Reminder.due_at == Request.due_at,
        Reminder.told == to,
    )
    query = (
        select(Request)
        .where(due, ~told)  # only a request that is with a department has a due date
        .order_by(Request.due_at, Request.id)
        .limit(max(0, limit))
        .with_for_update(of=Request, skip_locked=True)
    )
    return session.scalars(query.execution_options(populate_existing=True)).all()


def _tell(session: Session, request: Request, to: Escalation, at: datetime) -> bool:
    """Record and send one reminder; return False if another scheduler has recorded it first."""
    values = {
        "request_id": request.id,
        "department_id": request.department_id,
        "due_at": request.due_at,
        "told": to,
        "at": at,
    }
    insert = _INSERT[session.get_bind().dialect.name]
    if session.execute(insert, values).first() is None:  # another scheduler was first
        return False
    request.escalated_to = to
    if to in _SENT and request.department and request.due_at:
        key = f"{_SENT[to]}-{request.id}-{request.department_id}-{int(request.due_at.timestamp())}"
        outbox.tell_department(session, _SENT[to], request, request.department.number, key)
    return True
