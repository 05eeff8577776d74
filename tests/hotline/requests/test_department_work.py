"""A department does its own work: what it sees, what it may do, and what comes back."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from db.engine import now, reading, writing
from db.models import (
    AuditEntry,
    Category,
    Department,
    Evidence,
    OutboxKind,
    Picture,
    PictureKind,
    Request,
    User,
)
from hotline.errors import Refused
from hotline.pictures import attachments
from hotline.pictures.decoding import Plain
from hotline.requests import closing, department_inbox, department_work, lifecycle, work
from hotline.requests.department_inbox import By, Part
from tests.factories import HOUR, a_department, a_number, a_request, a_user, at_once, of_department
from tests.hotline.requests.office import S, T, messages, steps, today

SOLVED = "ترمیم شد"
DRAWN = Plain(b"jpeg", 4, 3)


@pytest.fixture
def clerk(session: Session) -> User:
    return of_department(session)


def with_us(session: Session, clerk: User, state: S = S.REFERRED, **values: object) -> Request:
    """A request that is with the person's department."""
    return a_request(session, state, department_id=clerk.department_id, **values)


def code(refused: pytest.ExceptionInfo[Refused]) -> str:
    return refused.value.code


def a_picture(session: Session, who: User) -> str:
    return attachments.add_of_office(session, f"{who.id:032x}", DRAWN, who=who.username).id


def demands(session: Session, request: Request, evidence: Evidence) -> None:
    session.get_one(Category, request.category).evidence = evidence
    session.flush()


# What it sees


def test_inbox_lists_own_requests_late_first(session: Session, clerk: User) -> None:
    at = now(session)
    later, sooner = (with_us(session, clerk, due_at=at + days * 24 * HOUR) for days in (3, 2))
    late = with_us(session, clerk, S.ACCEPTED, due_at=at - HOUR)
    silent = with_us(session, clerk, S.ASKED, due_at=at + 96 * HOUR, answer_by=at - HOUR)
    solved = with_us(session, clerk, S.REPLIED)
    for state in (S.NEW, S.REOPENED, S.CLOSED, S.REJECTED):
        with_us(session, clerk, state)
    a_request(session, S.REFERRED)
    department = clerk.department_id
    assert department
    found: list[Request] = []
    after: str | None = None
    for _ in range(4):  # a page at a time
        page, after = department_inbox.list_page(session, department, Part.WORK, after=after, limit=1)
        found += page
    assert [r.id for r in found] == [late.id, silent.id, sooner.id, later.id] and after is None
    page, _ = department_inbox.list_page(session, department, Part.SOLVED, after=None, limit=9)
    assert page == [solved]
    assert department_inbox.count_requests(session, department) == (4, 2, 1)
    with pytest.raises(Refused) as refused:
        department_inbox.list_page(session, department, Part.WORK, after="x", limit=1)
    assert code(refused) == "invalid-input"


def test_history_hides_other_names_and_notes(session: Session, clerk: User) -> None:
    operator, other = a_user(session), a_department(session)
    request = a_request(session)
    lifecycle.log(session, request, T.REPORTED, "")
    work.refer(session, request, other, due_on=today(session), who=operator.username, note="برای دیگری")
    work.give_back(session, request, who=operator.username, note="با ما نیست")
    assert clerk.department
    work.refer(session, request, clerk.department, due_on=today(session), who=operator.username, note="فوری")
    department_work.accept(session, request, who=clerk.username)
    lifecycle.log(session, request, T.REMINDED, "")
    lifecycle.log(session, request, T.TO_SUPERVISORS, "")
    lifecycle.log(session, request, T.REPLIED, "")  # by its parts
    told = [
        (step.entry.step, step.by, step.name, step.note)
        for step in department_inbox.list_steps(session, request)
    ]
    assert told == [
        (T.REPORTED, By.CITIZEN, "", ""),
        (T.REFERRED, By.OFFICE, "", ""),
        (T.RETURNED, By.OFFICE, "", ""),
        (T.REFERRED, By.OFFICE, "", "فوری"),
        (T.ACCEPTED, By.DEPARTMENT, clerk.name, ""),
        (T.REMINDED, By.ITSELF, "", ""),
        (T.REPLIED, By.OFFICE, "", ""),
    ]


# What it does


def test_accepted_request_keeps_its_due_date(session: Session, clerk: User) -> None:
    request = with_us(session, clerk)
    due_at = request.due_at
    for _ in range(2):
        department_work.accept(session, request, who=clerk.username)
    assert (request.state, request.due_at) == (S.ACCEPTED, due_at)
    assert steps(session, request) == [(T.ACCEPTED, clerk.username, "")]
    assert [step.entry.step for step in lifecycle.list_public_steps(session, request)] == [T.ACCEPTED]
    assert session.scalars(select(AuditEntry.action)).all() == ["request-accepted"]


@pytest.mark.parametrize("state", [S.REFERRED, S.ACCEPTED, S.ASKED])
def test_returned_request_reaches_the_office_with_the_reason(session: Session, clerk: User, state: S) -> None:
    request = with_us(session, clerk, state)
    with pytest.raises(Refused) as refused:
        work.give_back(session, request, who=clerk.username, note=" ")
    assert code(refused) == "reason-missing"
    work.give_back(session, request, who=clerk.username, note="با ما نیست")
    assert (request.state, request.department_id) == (S.NEW, None)
    with pytest.raises(Refused) as refused:
        department_work.get_for_update(session, clerk, request.id)
    assert code(refused) == "request-moved"


def test_foreign_or_returned_request_is_refused(session: Session, clerk: User) -> None:
    strangers = a_request(session, S.REFERRED)
    with pytest.raises(Refused) as refused:
        department_work.get_for_update(session, clerk, strangers.id)
    assert code(refused) == "not-found"
    mine = a_request(session)
    assert clerk.department
    for away in (
        lambda: work.refer(session, mine, a_department(session), due_on=today(session), who="u"),
        lambda: closing.reject(session, mine, who="u", reason="کار شهر نیست"),
    ):
        work.refer(session, mine, clerk.department, due_on=today(session), who="u")
        away()
        with pytest.raises(Refused) as refused:
            department_work.get_for_update(session, clerk, mine.id)
        assert code(refused) == "request-moved"


def test_office_and_department_at_once_have_one_winner(
    engine: Engine,
) -> None:
    with writing(engine) as session:
        clerk = of_department(session)
        mine = a_request(session)
        assert clerk.department
        work.refer(session, mine, clerk.department, due_on=today(session), who="u")
        id_ = mine.id
        other = a_department(session).id

    def act(which: int) -> str:
        with writing(engine) as session:
            try:
                if which:
                    request = work.get_for_update(session, id_)
                    department = session.get_one(Department, other)
                    work.refer(session, request, department, due_on=today(session), who="u")
                else:
                    department_work.accept(
                        session, department_work.get_for_update(session, clerk, id_), who="d"
                    )
            except Refused as refused:
                return refused.code
            return "done"

    accepted, referred = at_once(2, act)
    with reading(engine) as session:
        request = lifecycle.get(session, id_)
        assert referred == "done" and accepted in ("done", "request-moved")
        assert (request.state, request.department_id) == (S.REFERRED, other)
        assert len(lifecycle.list_steps(session, request)) == 1 + [accepted, referred].count("done")


# Asked and answered


def test_answered_question_resumes_the_work(session: Session, clerk: User) -> None:
    request = with_us(session, clerk)
    due_at = request.due_at
    department_work.ask(session, request, who=clerk.username, question="کدام کوچه؟")
    assert (request.state, request.due_at) == (S.ASKED, due_at)
    assert request.answered_at is not None
    assert department_work.find_question_text(session, request) == "کدام کوچه؟"
    assert messages(session, OutboxKind.REQUEST_ASKED) == [request.number]
    department_work.record_citizen_answer(session, request.id, " کوچهٔ ۵ ")
    assert (request.state, request.due_at) == (S.ACCEPTED, due_at)
    assert department_work.find_question_text(session, request) == ""
    assert steps(session, request) == [(T.ASKED, clerk.username, "کدام کوچه؟"), (T.ANSWERED, "", "کوچهٔ ۵")]
    with pytest.raises(Refused) as refused:
        department_work.record_citizen_answer(session, request.id, "کوچهٔ ۶")
    assert code(refused) == "wrong-state"


@pytest.mark.parametrize("after", ["accepted", "referred", "returned"])
def test_answer_after_the_request_moved_is_kept(session: Session, clerk: User, after: str) -> None:
    request = with_us(session, clerk)
    department_work.ask(session, request, who=clerk.username, question="کدام کوچه؟")
    if after == "accepted":
        department_work.accept(session, request, who=clerk.username)
    elif after == "referred":
        work.refer(session, request, a_department(session), due_on=today(session), who="u")
    else:
        work.give_back(session, request, who=clerk.username, note="با ما نیست")
    state = request.state
    department_work.record_citizen_answer(session, request.id, "کوچهٔ ۵")
    assert request.state is state
    assert steps(session, request)[-1] == (T.ANSWERED, "", "کوچهٔ ۵")


def test_impossible_question_is_refused_with_the_reason(session: Session, clerk: User) -> None:
    request = with_us(session, clerk)
    landline = with_us(session, clerk, number="+983132345678")
    long = "کدام کوچه؟ " * 11
    for one, question, said in (
        (request, " ", "reason-missing"),
        (request, "با ۰۹۱۳۱۲۳۴۵۶۷ تماس بگیرید", "reason-personal"),
        (request, long, "question-long"),
        (landline, "کدام کوچه؟", "citizen-unreachable"),
        (with_us(session, clerk, S.ASKED), "کدام کوچه؟", "wrong-state"),
    ):
        with pytest.raises(Refused) as refused:
            department_work.ask(session, one, who=clerk.username, question=question)
        assert code(refused) == said
    assert request.state is landline.state is S.REFERRED
    for answer, said in ((" ", "text-missing"), ("x" * 1001, "text-long")):
        with pytest.raises(Refused) as refused:
            department_work.record_citizen_answer(session, request.id, answer)
        assert code(refused) == said


# Solved


def test_solution_below_the_categorys_demand_is_refused(session: Session, clerk: User) -> None:
    request = with_us(session, clerk)
    shown = a_picture(session, clerk)

    def solve(reply: str = SOLVED, *names: str) -> None:
        department_work.answer(session, request, user=clerk, reply=reply, solved=True, shown=names)

    demands(session, request, Evidence.TEXT)
    with pytest.raises(Refused) as refused:
        solve("", shown)
    assert code(refused) == "reason-missing"
    demands(session, request, Evidence.PICTURE)
    with pytest.raises(Refused) as refused:
        solve()
    assert code(refused) == "evidence-picture"
    others = a_picture(session, of_department(session))
    with pytest.raises(Refused) as refused:
        solve(SOLVED, others)
    assert code(refused) == "picture-unknown"
    assert request.state is S.REFERRED
    solve("", shown)
    assert (request.state, request.reply, request.replied_by) == (S.REPLIED, "مشکل حل شد.", clerk.username)
    picture = session.get_one(Picture, shown)
    assert (picture.request_id, picture.kind) == (request.id, PictureKind.EVIDENCE)
    assert messages(session, OutboxKind.REQUEST_REPLIED) == [request.number]


def test_solution_without_words_uses_the_citizens_language(session: Session, clerk: User) -> None:
    for language, said in (("fa", "مشکل حل شد."), ("en", "The problem is solved.")):
        request = with_us(session, clerk, S.ACCEPTED, language=language)
        demands(session, request, Evidence.NONE)
        department_work.answer(session, request, user=clerk, reply="", solved=True, shown=[])
        assert request.reply == said


def test_objection_returns_to_the_office_and_another_person(session: Session, clerk: User) -> None:
    colleague = of_department(session, clerk.department)
    request = with_us(session, clerk)

    def solve(user: User) -> None:
        department_work.answer(session, request, user=user, reply=SOLVED, solved=True, shown=[])

    solve(clerk)
    closing.answer(session, request.id, solved=False)
    with pytest.raises(Refused) as refused:
        department_work.get_for_update(session, clerk, request.id)
    assert code(refused) == "request-moved"
    assert clerk.department
    work.refer(session, request, clerk.department, due_on=today(session), who="u")
    with pytest.raises(Refused) as refused:
        solve(clerk)
    assert (code(refused), request.state) == ("objection-own", S.REFERRED)
    solve(colleague)
    closing.answer(session, request.id, solved=False)
    work.refer(session, request, clerk.department, due_on=today(session), who="u")
    clerk.disabled_at = now(session)
    session.flush()
    solve(colleague)  # there is nobody else
    assert request.state is S.REPLIED


# Late


def test_missing_first_answer_is_late_until_one_is_given(session: Session, clerk: User) -> None:
    at = now(session)
    request = with_us(session, clerk, answer_by=at - timedelta(minutes=1), due_at=at + HOUR)
    assert clerk.department_id
    assert department_inbox.count_requests(session, clerk.department_id).late == 1
    department_work.accept(session, request, who=clerk.username)
    assert department_inbox.count_requests(session, clerk.department_id).late == 1
    work.tell(session, request, who=clerk.username, reply="فردا می‌آییم")
    assert department_inbox.count_requests(session, clerk.department_id).late == 0


def test_pictures_of_a_person_have_a_daily_limit(
    session: Session, clerk: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attachments, "A_DAY", 1)
    a_picture(session, clerk)
    with pytest.raises(Refused) as refused:
        attachments.add_of_office(session, "f" * 32, DRAWN, who=clerk.username)
    assert code(refused) == "too-many-pictures"
    attachments.add(session, "e" * 32, DRAWN, number=a_number())
    assert a_picture(session, of_department(session))
