"""An office that works on requests, and what is to be seen of it."""

from datetime import date, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.engine import now
from db.models import Department, OutboxKind, OutboxMessage, Request
from db.states import RequestState, RequestStep
from hotline.clock import CITY
from hotline.requests import lifecycle, work
from tests.factories import a_department

S, T = RequestState, RequestStep
DAY = timedelta(days=1)


def today(session: Session) -> date:
    return now(session).astimezone(CITY).date()


def steps(session: Session, request: Request) -> list[tuple[str, str, str]]:
    return [(e.step, e.who, e.note) for e in lifecycle.list_steps(session, request)]


def messages(session: Session, kind: OutboxKind) -> list[str]:
    """Return the recipients of messages of this kind."""
    session.flush()
    return list(
        session.scalars(select(OutboxMessage.to).where(OutboxMessage.kind == kind).order_by(OutboxMessage.id))
    )


def refer(session: Session, request: Request, days: int = 3) -> Department:
    department = a_department(session)
    due_on = today(session) + timedelta(days=days)
    work.refer(session, request, department, due_on=due_on, who="u", note="فوری")
    return department
