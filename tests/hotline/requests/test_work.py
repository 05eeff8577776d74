"""What is done with a request: every move, its history, who is told, and what the inbox shows of it."""

import re
from datetime import date, timedelta
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from clerk import process, wording
from db.engine import now, reading, writing
from db.models import AuditEntry, Department, Message, MessageKind, Request, RequestEntry, User
from db.states import REQUEST_MOVES, RequestState, RequestStep
from hotline.clock import CITY
from hotline.errors import Refused
from hotline.line import blocked
from hotline.requests import departments, inbox, requests, work
from hotline.requests.inbox import Filter
from settings import Settings
from tests.factories import (
    HOUR,
    a_department,
    a_number,
    a_registration,
    a_request,
    a_round,
    a_user,
    at_once,
    told,
)

S, T = RequestState, RequestStep
DAY = timedelta(days=1)
ALLOWED = {  # docs/states.md, written down a second time on purpose
    S.NEW: {S.REFERRED, S.REPLIED, S.DUPLICATE, S.REJECTED},
    S.REFERRED: {S.REFERRED, S.NEW, S.REPLIED, S.DUPLICATE, S.REJECTED},
    S.REPLIED: {S.CLOSED, S.REOPENED},
    S.REOPENED: {S.REFERRED, S.REPLIED, S.DUPLICATE, S.REJECTED},
    S.CLOSED: set[S](),
    S.DUPLICATE: {S.NEW},
    S.REJECTED: set[S](),
}


def today(session: Session) -> date:
    return now(session).astimezone(CITY).date()


def steps(session: Session, request: Request) -> list[tuple[str, str, str]]:
    return [(e.step, e.who, e.note) for e in requests.history(session, request)]


def messages(session: Session, kind: MessageKind) -> list[str]:
    """Whom a message of this kind goes to."""
    session.flush()
    return list(session.scalars(select(Message.to).where(Message.kind == kind).order_by(Message.id)))


def refer(session: Session, request: Request, days: int = 3) -> Department:
    department = a_department(session)
    due_on = today(session) + timedelta(days=days)
    work.refer(session, request, department, due_on=due_on, who="u", note="فوری")
    return department


def attempt(session: Session, request: Request, to: S) -> None:
    """Bring it there as the office and the citizen do."""
    if to is S.REFERRED:
        refer(session, request)
    elif to is S.REPLIED:
        work.reply(session, request, who="u", reply="ترمیم شد")
    elif to is S.REJECTED:
        work.reject(session, request, who="u", reason="کار شرکت برق است")
    elif to is S.DUPLICATE:
        work.merge(session, request.id, a_request(session).id, who="u")
    elif to in (S.CLOSED, S.REOPENED):
        work.answer(session, request.id, solved=to is S.CLOSED)
    elif request.state is S.DUPLICATE:
        work.separate(session, request, who="u")
    else:
        work.give_back(session, request, who="u", note="در حوزهٔ ما نیست")


def test_given_a_request_in_each_state_when_moved_to_each_then_only_the_moves_of_the_table_change_it(
    session: Session,
) -> None:
    assert ALLOWED == REQUEST_MOVES
    for state, to in product(S, S):
        request = a_request(session, state)
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


def test_given_a_request_that_no_department_has_when_given_back_or_separated_then_only_what_it_is_is_undone(
    session: Session,
) -> None:
    for state, undone in product(S, (work.give_back, work.separate)):
        right = S.REFERRED if undone is work.give_back else S.DUPLICATE
        request = a_request(session, state)
        note = {"note": "در حوزهٔ ما نیست"} if undone is work.give_back else {}
        if state is right:
            undone(session, request, who="u", **note)
            assert request.state is S.NEW
        else:
            with pytest.raises(Refused, match="wrong-state"):
                undone(session, request, who="u", **note)


def test_given_the_picture_of_the_states_when_read_then_it_has_exactly_the_moves_of_the_table() -> None:
    text = (Path(__file__).parents[3] / "docs" / "states.md").read_text("utf-8")
    drawn = re.search(r"## A request\n.*?```mermaid\n(.*?)```", text, re.S)
    assert drawn
    arrows = set(re.findall(r"^ *(\w+) --> (\w+)", drawn[1], re.M))
    assert arrows == {(state.value, to.value) for state, targets in ALLOWED.items() for to in targets}


def test_given_a_request_when_it_is_solved_then_history_log_messages_and_events_tell_all_of_it(
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
    work.answer(session, request.id, solved=False)
    assert (request.state, request.denials) == (S.REOPENED, 1)
    work.reply(session, request, who="v", reply="دوباره ترمیم شد")
    work.answer(session, request.id, solved=True)

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
    assert messages(session, MessageKind.REQUEST_NEWS) == ["+989131112233"]
    assert len(messages(session, MessageKind.REQUEST_REPLIED)) == 2


def _midnight_after(day: date) -> Any:
    from datetime import datetime, time

    return datetime.combine(day + DAY, time(), CITY)


def test_given_two_who_say_at_once_that_it_is_solved_when_both_write_then_one_is_too_late(
    engine: Engine,
) -> None:
    with writing(engine) as session:
        request = a_request(session, S.REPLIED)

    def answer(which: int) -> str:
        try:
            with writing(engine) as session:
                work.answer(session, request.id, solved=which % 2 == 0)
        except Refused as refused:
            return refused.code
        return "done"

    assert sorted(at_once(4, answer)) == ["done", "wrong-state", "wrong-state", "wrong-state"]
    with reading(engine) as session:
        assert session.scalar(select(func.count(RequestEntry.id))) == 1


@pytest.mark.parametrize("days", [-1, 400])
def test_given_a_due_date_that_is_past_or_far_when_referred_then_it_is_refused(
    session: Session, days: int
) -> None:
    request = a_request(session)
    with pytest.raises(Refused, match="due-date"):
        refer(session, request, days)
    refer(session, request, 0)  # until the end of today


def test_given_a_department_that_is_no_more_when_referred_then_it_is_refused(session: Session) -> None:
    department = a_department(session)
    departments.change(session, department, who="u", active=False)
    with pytest.raises(Refused, match="department-inactive"):
        work.refer(session, a_request(session), department, due_on=today(session), who="u")


@pytest.mark.parametrize(
    ("reply", "code"),
    [(" ", "reason-missing"), ("تماس با ۰۹۱۳۱۲۳۴۵۶۷", "reason-personal"), ("x" * 501, "reason-long")],
)
def test_given_a_reply_that_citizens_must_not_read_when_sent_then_it_is_refused(
    session: Session, reply: str, code: str
) -> None:
    for say in (work.reply, work.tell):
        with pytest.raises(Refused) as refused:
            say(session, a_request(session), who="u", reply=reply)
        assert refused.value.code == code


def test_given_a_written_request_when_recorded_then_the_citizen_of_the_registration_is_told_its_number(
    session: Session,
) -> None:
    citizen = a_registration(session, a_round(session), language="en")
    written = {"category": 2, "district": 5, "written": " چراغ خاموش است ", "who": "u"}
    request = requests.write(session, number=None, language="fa", registration_id=citizen.id, **written)
    assert (request.written, request.number, request.language) == ("چراغ خاموش است", citizen.number, "en")
    assert steps(session, request) == [(T.REPORTED, "u", "")]
    assert messages(session, MessageKind.REQUEST_REPORTED) == [citizen.number]
    for wrong in ({"written": " "}, {"written": "x" * 2001}):
        with pytest.raises(Refused, match="text-"):
            requests.write(session, number=None, language="fa", **written | wrong)
    with pytest.raises(Refused, match="not-found"):
        requests.write(session, number=None, language="fa", registration_id=404404, **written)


# Closing by itself


def test_given_citizens_who_say_nothing_when_the_days_are_over_then_theirs_are_closed_as_unanswered(
    engine: Engine, settings: Settings
) -> None:
    with writing(engine) as session:
        old, young = a_request(session, S.REPLIED), a_request(session, S.REPLIED)
        old.replied_at = now(session) - settings.request_answer_days * DAY - HOUR
        young.replied_at = now(session) - settings.request_answer_days * DAY + HOUR
    process.close_requests(engine, settings)
    process.close_requests(engine, settings)
    with reading(engine) as session:
        assert [session.get_one(Request, r.id).state for r in (old, young)] == [S.CLOSED, S.REPLIED]
        assert steps(session, old) == [(T.UNANSWERED, "", "")]


# Duplicates


def test_given_a_chain_of_duplicates_when_marked_in_any_order_then_all_point_to_the_first(
    session: Session,
) -> None:
    first, second, third, fourth = (a_request(session) for _ in range(4))
    work.merge(session, third.id, second.id, who="u")
    work.merge(session, second.id, first.id, who="u")
    assert work.merge(session, fourth.id, third.id, who="u").id == first.id
    for each in (second, third, fourth):
        session.refresh(each)
        assert (each.state, each.duplicate_of_id) == (S.DUPLICATE, first.id)
    with pytest.raises(Refused, match="duplicate-itself"):
        work.merge(session, first.id, fourth.id, who="u")
    with pytest.raises(Refused, match="duplicate-itself"):
        work.merge(session, first.id, first.id, who="u")


def test_given_duplicates_when_the_first_is_closed_then_their_citizens_are_told_each_once(
    session: Session,
) -> None:
    first = a_request(session, number="+989131110001")
    same, other, line = (
        a_request(session, number=n) for n in ("+989131110001", "+989131110002", "+983132212345")
    )
    for duplicate in (same, other, line):
        work.merge(session, duplicate.id, first.id, who="u")
    work.reply(session, first, who="u", reply="ترمیم شد")
    work.answer(session, first.id, solved=True)
    assert messages(session, MessageKind.REQUEST_CLOSED) == ["+989131110002"]
    late = a_request(session, number="+989131110003")
    work.merge(session, late.id, first.id, who="u")
    assert messages(session, MessageKind.REQUEST_CLOSED) == ["+989131110002", "+989131110003"]


def test_given_probable_duplicates_when_shown_then_the_same_number_comes_first_and_strangers_not_at_all(
    session: Session,
) -> None:
    place = {"category": 1, "district": 3}
    mine = a_request(session, written="چالهٔ بزرگ در خیابان حکیم نظامی", number="+989131110001", **place)
    near = a_request(session, written="خیابان حکیم نظامی چالهٔ بزرگ دارد", **place)
    own = a_request(session, written="آسفالت کوچه خراب است", number="+989131110001", **place)
    spoken = a_request(session, voice_message="m.wav", **place)
    a_request(session, written="برگ درختان", **place)
    a_request(session, written=mine.written, category=1, district=4)
    a_request(session, written=mine.written, category=2, district=3)
    old = a_request(session, written=mine.written, **place)
    old.made_at -= 15 * DAY
    a_request(session, S.REJECTED, written=mine.written, **place)
    session.flush()
    found = inbox.alike(session, mine, days=14)
    assert [(one.request.id, one.same_number) for one in found] == [
        *((own.id, True), (near.id, False), (spoken.id, False)),
    ]
    assert found[1].likeness >= 0.5


# The inbox


def test_given_many_requests_when_paged_then_each_comes_once_overdue_and_denied_first(
    session: Session,
) -> None:
    plain = [a_request(session) for _ in range(5)]
    denied = [a_request(session, S.REOPENED) for _ in range(2)]
    overdue = [a_request(session, S.REFERRED) for _ in range(3)]
    for late, request in enumerate(overdue):
        request.due_at = now(session) - (late + 1) * HOUR
    session.flush()
    seen: list[int] = []
    after = None
    for _ in range(6):
        found, after = inbox.page(session, Filter(), after=after, limit=2)
        seen += [r.id for r in found]
        if after is None:
            break
    wanted = [*reversed(overdue), *reversed(denied), *reversed(plain)]
    assert seen == [r.id for r in wanted]
    for broken in ("x", "1", "1-2-3", "1-x", "3-1", "-1-1", f"1-{10**30}"):
        with pytest.raises(Refused, match="invalid-input"):
            inbox.page(session, Filter(), after=broken, limit=2)


def test_given_filters_when_asked_then_list_counts_and_map_agree(session: Session) -> None:
    department = a_department(session)
    late = a_request(session, S.REFERRED, category=4, district=9, department_id=department.id)
    late.due_at = now(session) - HOUR
    mine = a_request(session, category=4, district=9)
    work.reply(session, mine, who="u", reply="ترمیم شد")
    old = a_request(session, category=4, district=None)
    old.made_at -= 40 * DAY
    a_request(session, category=5, district=9)
    session.flush()

    def ids(**wanted: Any) -> set[int]:
        return {r.id for r in inbox.page(session, Filter(**wanted), after=None, limit=10)[0]}

    assert ids(category=4) == {late.id, mine.id, old.id}
    assert ids(category=4, states=[S.REPLIED]) == ids(mine="u") == {mine.id}
    assert ids(overdue=True) == ids(department_id=department.id) == {late.id}
    assert ids(category=4, since_days=30) == ids(category=4, district=9) == {late.id, mine.id}
    counts = inbox.counts(session, Filter(category=4, states=[S.NEW]))
    assert counts == ({S.REFERRED: 1, S.REPLIED: 1, S.NEW: 1}, 1)
    assert set(inbox.by_district(session, Filter(category=4))) == {(9, 2, 2, 1), (None, 1, 1, 0)}
    [load] = [load for load in departments.everyone(session) if load.department.id == department.id]
    assert (load.open, load.overdue) == (1, 1)


def test_given_a_caller_when_looked_for_by_number_then_what_is_asked_comes_before_what_is_under_way(
    session: Session,
) -> None:
    number = a_number()
    assert requests.latest(session, number) is None
    closed = a_request(session, S.CLOSED, number=number)
    assert requests.latest(session, number) == closed
    asked = a_request(session, S.REPLIED, number=number)
    a_request(session, number=number)
    assert requests.latest(session, number) == asked
    old = a_request(session, S.CLOSED, number=a_number())
    old.made_at -= 100 * DAY
    session.flush()
    assert requests.latest(session, old.number or "") is None


# Departments


def test_given_departments_when_added_renamed_and_closed_then_names_stay_unique_and_the_log_has_it(
    session: Session,
) -> None:
    one = departments.add(session, name_fa=" فضای  سبز ", name_en="Parks", who="u")
    two = departments.add(session, name_fa="عمران", name_en="Works", who="u")
    session.commit()
    departments.change(session, two, who="u", name_fa="امور عمران", active=False)
    assert [load.department.name_fa for load in departments.everyone(session)] == ["فضای سبز", "امور عمران"]
    session.commit()
    with pytest.raises(Refused, match="department-taken"):
        departments.change(session, two, who="u", name_en="Parks")
    session.rollback()
    with pytest.raises(Refused, match="department-values"):
        departments.add(session, name_fa=" ", name_en="x", who="u")
    actions = select(AuditEntry.action).where(AuditEntry.subject == f"department {two.id}")
    assert set(session.scalars(actions)) == {"department-added", "department-changed"}
    assert departments.get(session, one.id) is one


# Words


def test_given_what_a_citizen_is_told_when_sent_then_it_reads_number_and_reply_while_it_is_true(
    session: Session,
) -> None:
    request = a_request(session, number="+989131112233")
    work.reply(session, request, who="u", reply="ترمیم شد " * 20)
    session.flush()
    text_message = session.scalars(select(Message)).one()
    said = wording.words(session, text_message)
    assert said and said.to == "+989131112233"
    assert "۱۳۷" in said.text and "ترمیم شد" in said.text and "…" in said.text
    work.answer(session, request.id, solved=True)
    assert wording.words(session, text_message) is None, "nobody is asked who has answered"


def test_given_a_blocked_number_when_told_of_its_request_then_nothing_goes_out(session: Session) -> None:
    from db.models import BlockReason

    request = a_request(session, number="+989131112233")
    work.tell(session, request, who="u", reply="در دست اقدام است")
    blocked.block(session, "+989131112233", BlockReason.OWNER)
    session.flush()
    assert wording.words(session, session.scalars(select(Message)).one()) is None


def test_given_a_manager_of_a_district_when_asked_whose_requests_they_see_then_only_that_ones(
    session: Session,
) -> None:
    from db.models import Official, OfficialKind

    user: User = a_user(session)
    assert inbox.district_of(session, user) is None
    user.official = Official(
        kind=OfficialKind.DISTRICT_MANAGER, district=7, office_fa="م", office_en="M", clip="office-district-7"
    )
    session.flush()
    assert inbox.district_of(session, user) == 7
