"""Reminders that a department's time is nearly over, or is over: each once, in working time."""

from collections.abc import Sequence
from datetime import date, datetime

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from db.engine import reading, writing
from db.models import Escalation, OutboxKind, OutboxMessage, Reminder, Request, User
from hotline.clock import CITY
from hotline.requests import department_work, inbox, lifecycle, reminders, work
from hotline.requests.inbox import Filter
from tests.factories import WEEK, a_department, a_request, at_once, of_department
from tests.hotline.requests.office import S, T
from tests.kit.shifted_clock import replace_now

SATURDAY, SUNDAY, MONDAY, TUESDAY, WEDNESDAY = (date(2026, 12, day) for day in range(5, 10))
FRIDAY = date(2026, 12, 4)
E = Escalation


def at(day: date, hour: int, minute: int = 0) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=CITY)


class Clock:
    """The clock that the rules read."""

    now = at(SUNDAY, 10)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    replace_now(monkeypatch, lambda: clock.now, reminders)
    return clock


@pytest.fixture
def head(session: Session) -> User:
    head = of_department(session, heads_department=True)
    assert head.department
    head.department.number = "+989130000001"
    session.flush()
    return head


def run(session: Session) -> Sequence[Escalation]:
    """Run the job and return the recipients."""
    before = session.scalar(select(func.max(Reminder.id))) or 0
    reminders.tell(session, WEEK, 20)
    return session.scalars(select(Reminder.told).where(Reminder.id > before).order_by(Reminder.id)).all()


def sent(session: Session) -> list[OutboxKind]:
    return list(session.scalars(select(OutboxMessage.kind).order_by(OutboxMessage.id)))


def due(session: Session, head: User, day: date, state: S = S.REFERRED) -> Request:
    """A request of the department's, due when the city closes on that day."""
    return a_request(session, state, department_id=head.department_id, due_at=at(day, 14, 30))


@pytest.mark.parametrize("state", [S.REFERRED, S.ACCEPTED, S.ASKED])
def test_due_date_notifies_department_head_and_supervisors_once(
    session: Session, head: User, clock: Clock, state: S
) -> None:
    request = due(session, head, MONDAY, state)
    clock.now = at(SATURDAY, 10)
    assert run(session) == []
    clock.now = at(SUNDAY, 10)  # the last whole working day before
    assert run(session) == [E.DEPARTMENT] and run(session) == []
    assert (request.escalated_to, sent(session)) == (E.DEPARTMENT, [OutboxKind.REQUEST_DUE])
    clock.now = at(TUESDAY, 14)
    assert run(session) == []
    clock.now = at(WEDNESDAY, 8)
    assert run(session) == [E.HEAD] and run(session) == []
    assert sent(session) == [OutboxKind.REQUEST_DUE, OutboxKind.REQUEST_LATE]
    clock.now = at(WEDNESDAY, 14, 29)
    assert run(session) == []
    clock.now = at(date(2026, 12, 12), 8)  # Thursday and Friday do not count
    assert run(session) == [E.SUPERVISORS] and run(session) == []
    assert (request.escalated_to, len(sent(session))) == (E.SUPERVISORS, 2)
    told = [entry.step for entry in lifecycle.list_steps(session, request)]
    assert told == [T.REMINDED, T.TO_HEAD, T.TO_SUPERVISORS]
    assert lifecycle.list_public_steps(session, request) == []
    assert inbox.count_requests(session, Filter()).escalated == 1
    assert inbox.list_page(session, Filter(escalated=True), after=None, limit=9)[0] == [request]


@pytest.mark.parametrize("moment", [at(FRIDAY, 10), at(SUNDAY, 7), at(SUNDAY, 14, 30)])
def test_closed_day_or_hour_sends_no_reminder(
    session: Session, head: User, clock: Clock, moment: datetime
) -> None:
    due(session, head, SATURDAY)
    clock.now = moment
    assert run(session) == []


def test_finished_or_returned_request_sends_no_reminder(session: Session, head: User, clock: Clock) -> None:
    solved, back = due(session, head, SATURDAY), due(session, head, SATURDAY)
    work.reply(session, solved, who="u", reply="ترمیم شد")
    work.give_back(session, back, who="u", note="با ما نیست")
    assert run(session) == []


def test_new_due_date_restarts_the_reminders(session: Session, head: User, clock: Clock) -> None:
    request = due(session, head, MONDAY)
    run(session)
    department_work.accept(session, request, who=head.username)
    assert request.escalated_to is E.DEPARTMENT and run(session) == []
    lifecycle.move(session, request, S.REFERRED, department_id=head.department_id, due_at=at(TUESDAY, 14, 30))
    assert request.escalated_to is None
    clock.now = at(MONDAY, 10)
    assert run(session) == [E.DEPARTMENT]
    other = a_department(session)  # of the same day, with no telephone
    lifecycle.move(session, request, S.REFERRED, department_id=other.id, due_at=at(TUESDAY, 14, 30))
    assert run(session) == [E.DEPARTMENT]
    assert sent(session) == [OutboxKind.REQUEST_DUE] * 2


def test_batch_of_reminders_takes_the_longest_due(session: Session, head: User, clock: Clock) -> None:
    ids = [due(session, head, day).id for day in (MONDAY, SATURDAY, SUNDAY)]
    assert reminders.tell(session, WEEK, 2) == 2
    assert session.scalars(select(Reminder.request_id)).all() == [ids[1], ids[2]]
    assert reminders.tell(session, WEEK, 2) == 1


def test_concurrent_schedulers_remind_once(engine: Engine, clock: Clock) -> None:
    with writing(engine) as session:
        head = of_department(session)
        assert head.department
        head.department.number = "+989130000001"
        for _ in range(4):
            due(session, head, MONDAY)

    def scheduler(_which: int) -> int:
        with writing(engine) as session:
            return reminders.tell(session, WEEK, 20)

    assert sum(at_once(3, scheduler)) == 4
    with reading(engine) as session:
        assert len(sent(session)) == session.scalar(select(func.count(Reminder.id))) == 4
