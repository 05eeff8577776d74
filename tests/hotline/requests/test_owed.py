"""Until when something is owed of a request, which the database keeps; and pages that go on from there."""

from datetime import timedelta
from itertools import product
from typing import Any

from sqlalchemy.orm import Session

from db.engine import now
from db.models import Request
from db.states import IN_WORK, WITH_DEPARTMENT
from hotline.requests import department_inbox, inbox, work
from hotline.requests.department_inbox import Part
from hotline.requests.inbox import Filter
from tests.factories import HOUR, a_department, a_request, an_official
from tests.hotline.requests.office import DAY, S, today
from tests.kit.databases import on_both  # noqa: F401  (fixture)


def _owed(request: Request) -> Any:
    """The rule, once more."""
    first_answer = request.answer_by if request.answered_at is None else None
    days = [at for at in (request.due_at or request.solve_by, request.promised_until, first_answer) if at]
    return min(days) if days and request.state in IN_WORK else None


def test_owed_date_is_the_earliest_in_work(
    session: Session,
) -> None:
    at, official, department = now(session), an_official(session), a_department(session).id

    def moment(day: int | None) -> Any:
        return at + day * DAY if day else None

    for state in (S.NEW, S.ACCEPTED, S.REOPENED, S.CLOSED):
        with_it: dict[str, Any] = {"department_id": department} if state in WITH_DEPARTMENT else {}
        due_days = (1, 6) if with_it else (None,)
        for due, solve, promised, answer, answered in product(
            due_days, (None, 3), (None, 2, 5), (None, 2, 4), (None, 1)
        ):
            with_it |= {"due_at": moment(due)} if due else {}
            promise = {"promised_by": official, "promised_until": moment(promised)} if promised else {}
            times = {"solve_by": moment(solve), "answer_by": moment(answer), "answered_at": moment(answered)}
            request = a_request(session, state, **with_it, **promise, **times)
            assert request.owed_at == _owed(request)


def test_changed_date_changes_what_is_owed(session: Session) -> None:
    at = now(session)
    request = a_request(session, solve_by=at + 5 * DAY, answer_by=at + DAY)
    assert request.owed_at == request.answer_by
    work.tell(session, request, who="u", reply="ترمیم می‌شود")
    assert request.owed_at == request.solve_by
    work.refer(session, request, a_department(session), due_on=today(session) + DAY, who="u")
    assert request.owed_at == request.due_at
    work.reply(session, request, who="u", reply="ترمیم شد")
    assert request.owed_at is None


def test_moved_last_row_of_a_page_skips_none(
    session: Session,
) -> None:
    department = a_department(session)
    late = [a_request(session, S.REFERRED, department_id=department.id) for _ in range(5)]
    for hours, request in enumerate(late):
        request.due_at = now(session) - (9 - hours) * HOUR
    session.flush()
    found, after = inbox.list_page(session, Filter(overdue=True), after=None, limit=2)
    theirs, after_theirs = department_inbox.list_page(session, department.id, Part.WORK, after=None, limit=2)
    assert found == theirs == late[:2]
    late[1].due_at = now(session) + timedelta(days=9)
    session.flush()
    assert inbox.list_page(session, Filter(overdue=True), after=after, limit=9) == (late[2:], None)
    rest, _ = department_inbox.list_page(session, department.id, Part.WORK, after=after_theirs, limit=9)
    assert rest == [*late[2:], late[1]]


def test_paging_one_by_one_keeps_the_order(
    session: Session,
) -> None:
    at = now(session)
    promise: dict[str, Any] = {"promised_by": an_official(session), "promised_until": at + 3 * DAY}
    given = ({}, {"solve_by": at - DAY}, promise, promise)
    for state, values in product((S.NEW, S.REOPENED, S.REPLIED), given):
        a_request(session, state, **values)
    for wanted in (Filter(), Filter(promised=True), Filter(states=IN_WORK), Filter(overdue=True)):
        whole, _ = inbox.list_page(session, wanted, after=None, limit=50)
        after, seen = None, []
        while not seen or after:
            [one], after = inbox.list_page(session, wanted, after=after, limit=1)
            seen.append(one)
        assert seen == whole and len(set(seen)) == len(seen) > 1
