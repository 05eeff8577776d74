"""Work on a request: every move, its history, and the messages."""

import re
from datetime import date, datetime, time
from itertools import product
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from db.engine import now, reading, writing
from db.models import AuditEntry, OutboxKind, Request, RequestEntry
from db.states import REQUEST_MOVES, WITH_DEPARTMENT
from hotline.clock import CITY
from hotline.errors import Refused
from hotline.requests import closing, department_work, departments, filing, lifecycle, parts, work
from hotline.requests.parts import Piece
from scheduler import jobs
from settings import Settings
from tests.factories import HOUR, WEEK, a_department, a_registration, a_request, a_round, at_once, told
from tests.hotline.requests.office import DAY, S, T, messages, refer, steps, today
from tests.kit.databases import in_both, on_one  # noqa: F401  (fixture)

ALLOWED = {  # docs/states.md, written down a second time on purpose
    S.NEW: {S.REFERRED, S.REPLIED, S.DUPLICATE, S.REJECTED, S.SPLIT},
    S.REFERRED: {S.REFERRED, S.NEW, S.ACCEPTED, S.ASKED, S.REPLIED, S.DUPLICATE, S.REJECTED, S.SPLIT},
    S.ACCEPTED: {S.REFERRED, S.NEW, S.ASKED, S.REPLIED, S.DUPLICATE, S.REJECTED, S.SPLIT},
    S.ASKED: {S.REFERRED, S.NEW, S.ACCEPTED, S.REPLIED, S.DUPLICATE, S.REJECTED, S.SPLIT},
    S.REPLIED: {S.CLOSED, S.REOPENED, S.SPLIT},
    S.REOPENED: {S.REFERRED, S.REPLIED, S.DUPLICATE, S.REJECTED, S.SPLIT, S.CLOSED},
    S.CLOSED: set[S](),
    S.DUPLICATE: {S.NEW},
    S.REJECTED: set[S](),
    S.SPLIT: {S.REPLIED, S.REJECTED, S.NEW, S.REOPENED, S.CLOSED},
}


def by(request: Request) -> str:
    """Return who ends the request; a split one ends with its last part, by nobody."""
    return "" if request.state is S.SPLIT else "u"


def attempt(session: Session, request: Request, to: S) -> None:
    """Bring it there as the office and the citizen do."""
    if to is S.REFERRED:
        refer(session, request)
    elif to is S.REPLIED:
        work.reply(session, request, who=by(request), reply="ترمیم شد")
    elif to is S.REJECTED:
        closing.reject(session, request, who=by(request), reason="کار شرکت برق است")
    elif to is S.SPLIT and request.state is S.REPLIED:
        a_request(session, S.REPLIED, number=None, part_of_id=request.id)
        closing.answer(session, request.id, solved=False)
    elif to is S.SPLIT:
        work.split(session, request, [Piece(1, "چراغ"), Piece(2, "چاله")], who="u")
    elif to is S.DUPLICATE:
        closing.merge(session, request.id, a_request(session).id, who="u")
    elif to is S.ACCEPTED and request.state is not S.ACCEPTED:
        department_work.accept(session, request, who="d")
    elif to is S.ACCEPTED:
        department_work.record_citizen_answer(session, request.id, "پلاک ۵")
    elif to is S.ASKED:
        department_work.ask(session, request, who="d", question="کدام کوچه؟")
    elif to in (S.NEW, S.REOPENED) and request.state is S.SPLIT:
        parts.join(session, request, who="u")
    elif to is S.CLOSED and request.state in (S.REOPENED, S.SPLIT):
        closing.take_back_objection(session, request.id)
    elif to in (S.CLOSED, S.REOPENED):
        closing.answer(session, request.id, solved=to is S.CLOSED)
    elif request.state is S.DUPLICATE:
        closing.undo_merge(session, request, who="u")
    else:
        work.give_back(session, request, who="u", note="در حوزهٔ ما نیست")


def test_only_allowed_moves_change_a_request(
    session: Session,
) -> None:
    assert ALLOWED == REQUEST_MOVES
    for state, to in product(S, S):
        request = a_request(session, state)
        if (state, to) == (S.SPLIT, S.REOPENED):
            lifecycle.log(session, request, T.DENIED, "")  # so it was before it was split
        if to is S.CLOSED and state in (S.REOPENED, S.SPLIT):
            request = a_request(session, S.REPLIED)
            if state is S.SPLIT:
                a_request(session, S.REPLIED, number=None, part_of_id=request.id)
            closing.answer_of_caller(session, request.id, solved=False)  # its number takes that back
        before = len(steps(session, request))
        if to in ALLOWED[state]:
            attempt(session, request, to)
            assert request.state is to
            assert len(steps(session, request)) == before + 1
        else:
            with pytest.raises(Refused) as refused:
                attempt(session, request, to)
            assert refused.value.code == "wrong-state", f"{state} -> {to}"
            session.refresh(request)
            assert request.state is state


def test_request_without_a_department_is_undone_in_its_state(
    session: Session,
) -> None:
    for state, undone in product(S, (work.give_back, closing.undo_merge)):
        right = WITH_DEPARTMENT if undone is work.give_back else (S.DUPLICATE,)
        request = a_request(session, state)
        note = {"note": "در حوزهٔ ما نیست"} if undone is work.give_back else {}
        if state in right:
            undone(session, request, who="u", **note)
            assert request.state is S.NEW
        else:
            with pytest.raises(Refused, match="wrong-state"):
                undone(session, request, who="u", **note)


def test_state_diagram_matches_the_table() -> None:
    text = (Path(__file__).parents[3] / "docs" / "states.md").read_text("utf-8")
    drawn = re.search(r"## A request\n.*?```mermaid\n(.*?)```", text, re.S)
    assert drawn
    arrows = set(re.findall(r"^ *(\w+) --> (\w+)", drawn[1], re.M))
    assert arrows == {(state.value, to.value) for state, targets in ALLOWED.items() for to in targets}


def test_button_pressed_twice_acts_once(session: Session) -> None:
    request, department = a_request(session, number="+989131112233"), a_department(session)
    for _ in range(2):
        work.refer(session, request, department, due_on=today(session), who="u", note="فوری")
    for _ in range(2):
        work.tell(session, request, who="u", reply="در راهیم")
    assert [step for step, *_ in steps(session, request)] == [T.REFERRED, T.NEWS]
    assert messages(session, OutboxKind.REQUEST_NEWS) == ["+989131112233"]
    work.tell(session, request, who="v", reply="در راهیم")
    work.refer(session, request, department, due_on=today(session) + DAY, who="u", note="فوری")
    assert [step for step, *_ in steps(session, request)][2:] == [T.NEWS, T.REFERRED], "these are others"


def test_solution_is_in_history_audit_messages_and_events(
    session: Session,
) -> None:
    request = a_request(session, number="+989131112233")
    session.commit()
    department = refer(session, request)
    assert (request.department_id, request.due_at) == (
        department.id,
        _midnight_after(today(session) + 3 * DAY),
    )
    work.tell(session, request, who="u", reply="فردا ترمیم می‌شود")
    work.reply(session, request, who="u", reply="ترمیم شد")
    assert (request.due_at, request.department_id) == (None, department.id)
    closing.answer(session, request.id, solved=False)
    assert (request.state, request.denials) == (S.REOPENED, 1)
    work.reply(session, request, who="v", reply="دوباره ترمیم شد")
    closing.answer(session, request.id, solved=True)

    assert steps(session, request) == [
        (T.REFERRED, "u", "فوری"),
        (T.NEWS, "u", "فردا ترمیم می‌شود"),
        (T.REPLIED, "u", "ترمیم شد"),
        (T.DENIED, "", ""),
        (T.REPLIED, "v", "دوباره ترمیم شد"),
        (T.CONFIRMED, "", ""),
    ]
    assert [(e.what, e.request_id) for e in told(session) if e.kind == "request"] == [
        (state, request.id) for state in ("referred", "referred", "replied", "reopened", "replied", "closed")
    ]
    did = session.execute(select(AuditEntry.who, AuditEntry.action).order_by(AuditEntry.id)).all()
    assert [(who, action) for who, action in did] == [
        *(("u", f"request-{step}") for step in ("referred", "news", "replied")),
        ("v", "request-replied"),
    ]
    assert messages(session, OutboxKind.REQUEST_NEWS) == ["+989131112233"]
    assert len(messages(session, OutboxKind.REQUEST_REPLIED)) == 2


def _midnight_after(day: date) -> datetime:
    return datetime.combine(day + DAY, time(), CITY)


@in_both
def test_simultaneous_solutions_count_once(
    engine: Engine,
) -> None:
    with writing(engine) as session:
        request = a_request(session, S.REPLIED)

    def answer(which: int) -> str:
        try:
            with writing(engine) as session:
                closing.answer(session, request.id, solved=which % 2 == 0)
        except Refused as refused:
            return refused.code
        return "done"

    assert sorted(at_once(4, answer)) == ["done", "wrong-state", "wrong-state", "wrong-state"]
    with reading(engine) as session:
        assert session.scalar(select(func.count(RequestEntry.id))) == 1


@pytest.mark.parametrize("days", [-1, 400])
def test_past_or_far_due_date_is_refused(session: Session, days: int) -> None:
    request = a_request(session)
    with pytest.raises(Refused, match="due-date"):
        refer(session, request, days)
    refer(session, request, 0)  # until the end of today


def test_inactive_department_is_refused(session: Session) -> None:
    department = a_department(session)
    departments.change(session, department, who="u", active=False)
    with pytest.raises(Refused, match="department-inactive"):
        work.refer(session, a_request(session), department, due_on=today(session), who="u")


@pytest.mark.parametrize(
    ("reply", "code"),
    [(" ", "reason-missing"), ("تماس با ۰۹۱۳۱۲۳۴۵۶۷", "reason-personal"), ("x" * 501, "reason-long")],
)
def test_unfit_reply_is_refused(session: Session, reply: str, code: str) -> None:
    for say in (work.reply, work.tell):
        with pytest.raises(Refused) as refused:
            say(session, a_request(session), who="u", reply=reply)
        assert refused.value.code == code


def test_written_request_tells_its_citizen_the_number(
    session: Session,
) -> None:
    citizen = a_registration(session, a_round(session), language="en")
    written = {"category": 2, "district": 5, "written": " چراغ خاموش است ", "week": WEEK, "who": "u"}
    request = filing.write(session, number=None, language="fa", registration_id=citizen.id, **written)
    assert (request.written, request.number, request.language) == ("چراغ خاموش است", citizen.number, "en")
    assert steps(session, request) == [(T.REPORTED, "u", "")]
    assert messages(session, OutboxKind.REQUEST_REPORTED) == [citizen.number]
    for wrong in ({"written": " "}, {"written": "x" * 2001}):
        with pytest.raises(Refused, match="text-"):
            filing.write(session, number=None, language="fa", **written | wrong)
    with pytest.raises(Refused, match="not-found"):
        filing.write(session, number=None, language="fa", registration_id=404404, **written)


def test_unanswered_solution_closes_after_its_days(engine: Engine, settings: Settings) -> None:
    with writing(engine) as session:
        old, young = a_request(session, S.REPLIED), a_request(session, S.REPLIED)
        old.replied_at = now(session) - settings.request_answer_days * DAY - HOUR
        young.replied_at = now(session) - settings.request_answer_days * DAY + HOUR
    jobs.close_requests(engine, settings)
    jobs.close_requests(engine, settings)
    with reading(engine) as session:
        assert [session.get_one(Request, r.id).state for r in (old, young)] == [S.CLOSED, S.REPLIED]
        assert steps(session, old) == [(T.UNANSWERED, "", "")]
