"""Requests escalated to the supervisors, until somebody of the office handles them."""

import pytest
from sqlalchemy.orm import Session

from db.engine import now
from db.models import Escalation, Request
from db.states import RequestState, RequestStep
from hotline.errors import Refused
from hotline.requests import department_work, escalations, work
from hotline.requests.lifecycle import log
from tests.factories import HOUR, a_request, of_department
from tests.hotline.requests.office import refer, steps, today
from tests.kit.databases import on_both  # noqa: F401  (fixture)


def before_supervisors(session: Session, **values: object) -> Request:
    request = a_request(session, **values)
    refer(session, request)
    request.due_at, request.escalated_to = now(session) - 60 * HOUR, Escalation.SUPERVISORS
    session.flush()
    log(session, request, RequestStep.TO_SUPERVISORS, "", department_id=request.department_id)
    return request


def ids(session: Session) -> list[int]:
    return [each.id for each in escalations.list_open(session).first]


def test_taken_escalation_is_closed_in_the_history(
    session: Session,
) -> None:
    first, second = before_supervisors(session), before_supervisors(session)
    a_request(session, RequestState.REFERRED)
    assert set(ids(session)) == {first.id, second.id}
    for _ in range(2):
        escalations.take(session, first.id, who="supervisor1")
    assert escalations.list_open(session) == (1, [second])
    assert steps(session, first)[2:] == [("taken", "supervisor1", "")]


def test_news_of_department_or_citizen_keep_the_escalation(
    session: Session,
) -> None:
    request = before_supervisors(session, number="+989131112233")
    assert request.department
    clerk = of_department(session, request.department)
    department_work.accept(session, request, who=clerk.username)
    department_work.ask(session, request, who=clerk.username, question="کجا؟")
    department_work.record_citizen_answer(session, request.id, "کوچهٔ ۵")
    assert ids(session) == [request.id]
    work.tell(session, request, who="supervisor1", reply="پیگیری می‌کنیم")
    assert ids(session) == []


def test_escalation_referred_again_cannot_be_taken(session: Session) -> None:
    request = before_supervisors(session)
    assert request.department
    work.refer(session, request, request.department, due_on=today(session), who="supervisor1")
    assert ids(session) == []
    with pytest.raises(Refused, match="supervisors"):
        escalations.take(session, request.id, who="supervisor1")
