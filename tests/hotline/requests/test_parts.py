"""A request in parts: each goes its own way, and the citizen hears of one thing."""

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session
from stdnum import damm

from db.engine import now, reading, writing
from db.models import AuditEntry, Erasure, OutboundCall, OutboxKind, OutboxMessage, Request
from hotline.citizens import erasure, following
from hotline.errors import Refused
from hotline.requests import closing, department_work, duplicates, inbox, lifecycle, parts, work
from hotline.requests.inbox import Filter
from hotline.requests.open311 import queries
from hotline.requests.parts import Piece
from hotline.requests.places import Point
from hotline.requests.public import figures, nearby
from hotline.requests.referrals import agency_referrals, agency_replies
from hotline.requests.referrals.agency_referrals import Passing
from hotline.sms_inbox import answers
from scheduler import wording
from tests.factories import HOUR, a_number, a_request, a_user, at_once, of_department
from tests.hotline.requests.office import DAY, S, T, messages, refer, steps
from tests.kit.refusal import refusal

TWO = [Piece(1, "چراغ خاموش است"), Piece(2, "آسفالت نشست کرده است")]
POINT = Point(32.65, 51.67)


def split(session: Session, **values: object) -> tuple[Request, Request, Request]:
    """The whole, and two parts of it that departments have."""
    point = {"latitude": POINT.latitude, "longitude": POINT.longitude}
    whole = a_request(
        session, **{"number": "+989131112233", "solve_by": now(session) + 5 * DAY} | point | values
    )
    one, other = work.split(session, whole, TWO, who="u")
    for part in (one, other):
        refer(session, part)
    return whole, one, other


def test_solved_parts_ask_their_citizen_once(
    session: Session,
) -> None:
    whole, one, other = split(session)
    assert (whole.state, one.part_of_id, one.number, one.solve_by) == (
        S.SPLIT,
        whole.id,
        None,
        whole.solve_by,
    )
    assert one.tracking != other.tracking != whole.tracking
    work.tell(session, other, who="d", reply="فردا می‌آییم")
    assert messages(session, OutboxKind.REQUEST_NEWS) == ["+989131112233"]
    work.reply(session, one, who="d", reply="تعویض شد")
    assert whole.state is S.SPLIT
    assert lifecycle.find_progress(session, whole).state is S.ACCEPTED and not messages(
        session, OutboxKind.REQUEST_REPLIED
    )
    work.reply(session, other, who="e", reply="پر شد")
    assert (whole.state, whole.reply) == (S.REPLIED, "تعویض شد / پر شد")
    assert messages(session, OutboxKind.REQUEST_REPLIED) == ["+989131112233"]
    latest = lifecycle.find_latest(session, "+989131112233")
    assert latest is whole and lifecycle.find_progress(session, whole).asked
    with pytest.raises(Refused, match="wrong-state"):
        closing.answer(session, one.id, solved=True, who="u")
    closing.answer(session, whole.id, solved=True)
    assert {each.state for each in (whole, one, other)} == {S.CLOSED}
    assert session.scalars(
        select(AuditEntry.action).where(AuditEntry.subject == f"request {whole.id}")
    ).all() == ["request-split"]
    assert [step for step, *_ in steps(session, one)] == [T.PART, T.REFERRED, T.REPLIED, T.CONFIRMED]
    seen = [entry.step for entry, _ in lifecycle.list_public_steps(session, whole)]
    assert seen == [T.NEWS, T.REPLIED, T.CONFIRMED]


@pytest.mark.parametrize("named", [False, True])
def test_objection_reopens_the_named_part_or_all(session: Session, named: bool) -> None:
    whole, one, other = split(session)
    for part in (one, other):
        work.reply(session, part, who="u", reply="ترمیم شد")
    only = [other.id] if named else []
    assert (
        refusal(lambda: closing.answer(session, whole.id, solved=False, named=[whole.id])) == "part-unknown"
    )
    session.refresh(whole)
    closing.answer(session, whole.id, solved=False, named=only)
    assert (whole.state, whole.denials, other.state, other.denials) == (S.SPLIT, 1, S.REOPENED, 1)
    assert one.state is (S.REPLIED if named else S.REOPENED)
    assert lifecycle.find_progress(session, whole).reply_of is None
    for part in (one, other) if not named else (other,):
        part.replied_by = "somebody else"
        work.reply(session, part, who="u", reply="دوباره ترمیم شد")
    assert whole.state is S.REPLIED
    whole.replied_at = now(session) - 9 * DAY
    session.flush()
    assert closing.close_unanswered(session, 7, 9) == 1
    assert all(each.state is S.CLOSED and each.unanswered for each in (whole, one, other))


def test_rejected_parts_reject_the_whole(
    session: Session,
) -> None:
    whole, one, other = split(session)
    closing.reject(session, one, who="u", reason="کار شرکت برق است")
    assert whole.state is S.SPLIT
    closing.reject(session, other, who="u", reason="کار شرکت آب است")
    assert (whole.state, whole.reply) == (S.REJECTED, "کار شرکت برق است / کار شرکت آب است")
    whole, one, other = split(session)
    closing.reject(session, one, who="u", reason="ا" * 300)
    work.reply(session, other, who="u", reply="ب" * 300)
    assert whole.state is S.REPLIED and len(whole.reply) == 500


def test_other_actions_on_a_split_request_are_refused(session: Session) -> None:
    whole, one, other = split(session)
    for act in (
        lambda: work.reply(session, whole, who="u", reply="ترمیم شد"),
        lambda: closing.reject(session, whole, who="u", reason="نیست"),
        lambda: work.split(session, whole, TWO, who="u"),
        lambda: work.split(session, one, TWO, who="u"),
        lambda: refer(session, whole),
        lambda: closing.merge(session, whole.id, a_request(session).id, who="u"),
        lambda: closing.merge(session, one.id, a_request(session).id, who="u"),
    ):
        assert refusal(act) == "wrong-state"
    fresh = a_request(session)
    assert refusal(lambda: work.split(session, fresh, TWO[:1], who="u")) == "parts-count"
    assert refusal(lambda: work.split(session, fresh, [*TWO, Piece(1, " ")], who="u")) == "text-missing"
    closing.merge(session, fresh.id, other.id, who="u")
    assert fresh.duplicate_of_id == whole.id


def test_request_awaiting_its_citizen_cannot_be_split(
    session: Session,
) -> None:
    whole = a_request(session, number="+989131112233")
    refer(session, whole)
    work.reply(session, whole, who="u", reply="ترمیم شد")

    assert refusal(lambda: work.split(session, whole, TWO, who="u")) == "wrong-state"
    closing.answer(session, whole.id, solved=True)
    assert whole.state is S.CLOSED


def test_split_request_counts_as_one(
    session: Session,
) -> None:
    whole, one, _ = split(session)
    for part in parts.list_current(session, whole):
        assert refusal(lambda part=part: lifecycle.get_by_tracking(session, part.tracking)) == "not-found"
        assert (
            refusal(lambda part=part: following.follow(session, a_number(), part.tracking, "fa"))
            == "not-found"
        )
    assert [each.request for each in nearby.list_near(session, 1, POINT, 100)] == [whole]
    assert not nearby.list_near(session, 2, POINT, 100)
    assert [f.request for f in queries.find_by_numbers(session, [whole.tracking, one.tracking])] == [whole]
    assert not duplicates.list_probable(session, one)
    assert [row.reported for row in inbox.count_by_district(session, Filter())] == [1]
    counted = figures.count(session)
    year = [row for row in counted if row["days"] == 365]
    assert sum(row["received"] for row in year if not row["category"] and not row["department_id"]) == 1
    assert sum(row["received"] for row in year if row["category"]) == 1
    assert sum(row["received"] for row in year if row["department_id"]) == 2
    whole.solve_by = one.due_at = now(session) - HOUR
    session.flush()
    assert inbox.count_requests(session, Filter()).overdue == 1
    session.expire_all()
    assert whole.owed_at is None and one.owed_at == one.due_at


def test_department_that_splits_returns_the_rest(
    session: Session,
) -> None:
    clerk = of_department(session)
    whole = a_request(session, S.ASKED, department_id=clerk.department_id, number=a_number())
    due_at = whole.due_at
    ours, rest = work.split(session, whole, TWO, who=clerk.username, keeps_first=True)
    assert (ours.state, ours.department_id, ours.due_at) == (S.ACCEPTED, clerk.department_id, due_at)
    assert (rest.state, rest.department_id, whole.department_id) == (S.NEW, None, None)


def test_question_about_a_part_is_answered_by_the_whole(
    session: Session,
) -> None:
    whole, one, other = split(session, tracking="12345678" + damm.calc_check_digit("12345678"))
    department_work.ask(session, one, who="d", question="کدام کوچه؟")
    assert messages(session, OutboxKind.REQUEST_ASKED) == ["+989131112233"]
    assert lifecycle.find_progress(session, whole).state is S.ASKED
    assert answers.find_asked(session, "+989131112233") is whole
    assert [department_work.find_question_text(session, each) for each in (whole, one, other)] == [
        *("کدام کوچه؟", "کدام کوچه؟", "")
    ]
    message = session.scalars(select(OutboxMessage).where(OutboxMessage.request_id == whole.id)).one()
    assert "کدام کوچه؟" in getattr(wording.find_words(session, message), "text", "")
    refused = refusal(lambda: department_work.ask(session, other, who="e", question="کجا؟"))
    assert (refused, other.state) == ("question-open", S.REFERRED)
    said = answers.find(session, "+989131112233", f"{whole.tracking} کوچهٔ ۵")
    assert said and answers.take(session, said) == "said"
    assert (whole.state, one.state, other.state) == (S.SPLIT, S.ACCEPTED, S.REFERRED)
    assert steps(session, one)[-1] == (T.ANSWERED, "", "کوچهٔ ۵")
    assert [(entry.step, note) for entry, note in lifecycle.list_public_steps(session, whole)] == [
        *((T.ASKED, "کدام کوچه؟"), (T.ANSWERED, "کوچهٔ ۵")),
    ]
    assert T.ANSWERED not in [step for step, *_ in steps(session, other)]
    assert wording.find_words(session, message) is None
    assert (
        refusal(lambda: department_work.record_citizen_answer(session, whole.id, "دوباره")) == "wrong-state"
    )
    department_work.ask(session, other, who="e", question="کجا؟")
    department_work.record_citizen_answer(session, other.id, "نبش میدان", who="operator1")  # to the office
    assert steps(session, other)[-1] == (T.ANSWERED, "operator1", "نبش میدان")
    assert (T.ANSWERED, "operator1", "نبش میدان") in steps(session, whole)
    department_work.ask(session, other, who="e", question="کدام سو؟")
    work.reply(session, other, who="e", reply="پر شد")
    assert department_work.find_question_text(session, whole) == ""
    whole.number = None
    assert not department_work.is_reachable(session, one)


def test_answer_to_an_earlier_question_reaches_all_parts(
    session: Session,
) -> None:
    whole = a_request(session, S.ACCEPTED, number="+989131112233")
    department_work.ask(session, whole, who="d", question="کدام کوچه؟")
    ours, rest = work.split(session, whole, TWO, who="d", keeps_first=True)
    assert department_work.find_question_text(session, whole) == "کدام کوچه؟"
    department_work.record_citizen_answer(session, whole.id, "کوچهٔ ۵")
    assert [steps(session, part)[-1][::2] for part in (ours, rest)] == [(T.ANSWERED, "کوچهٔ ۵")] * 2


def test_untouched_parts_can_be_rejoined(
    session: Session,
) -> None:
    whole, one, other = split(session)
    one.department.active = False  # type: ignore[union-attr]
    closing.merge(session, (twice := a_request(session)).id, one.id, who="u")
    parts.join(session, whole, who="u")
    assert (whole.state, whole.department_id, one.state, other.state) == (
        S.NEW,
        None,
        S.DUPLICATE,
        S.DUPLICATE,
    )
    assert twice.duplicate_of_id == whole.id and not parts.list_current(session, whole)
    for each in (whole, one, other):
        assert steps(session, each)[-1][0] is T.JOINED
    assert T.JOINED not in [entry.step for entry, _ in lifecycle.list_public_steps(session, whole)]
    assert refusal(lambda: closing.undo_merge(session, one, who="u")) == "wrong-state"
    assert refusal(lambda: parts.join(session, whole, who="u")) == "wrong-state"
    year = [row for row in figures.count(session) if row["days"] == 365 and row["department_id"]]
    assert not year, "no department has it"
    work.reply(session, whole, who="u", reply="ترمیم شد")
    closing.answer(session, whole.id, solved=False)
    assert whole.state is S.REOPENED
    work.split(session, whole, TWO, who="e")
    parts.join(session, whole, who="e")
    assert (whole.state, len(parts.list_all(session, whole))) == (S.REOPENED, 4)
    erasure.forget_words(session, whole, now(session))
    assert one.written == "", "the words of what was a part go, too"


def test_rejoined_parts_are_no_duplicates(
    session: Session,
) -> None:
    whole, _, _ = split(session)
    closing.merge(session, (twice := a_request(session)).id, whole.id, who="u")
    parts.join(session, whole, who="u")
    session.flush()
    for states in ([S.DUPLICATE], []):
        wanted = Filter(states=states)
        listed = {each.id for each in inbox.list_page(session, wanted, after=None, limit=10)[0]}
        assert listed == {each.id for each in inbox.list_newest(session, wanted, before=None, limit=10)}
        assert listed == {twice.id} | (set() if states else {whole.id})
    assert inbox.count_requests(session, Filter()).by_state == {S.NEW: 1, S.DUPLICATE: 1}
    assert inbox.count_requests(session, Filter(category=2)).by_state[S.DUPLICATE] == 0


@pytest.mark.parametrize("begun", ["accepted", "asked", "solved", "rejected", "objected"])
def test_part_in_work_cannot_be_rejoined(session: Session, begun: str) -> None:
    whole, one, other = split(session)
    match begun:
        case "accepted":
            department_work.accept(session, one, who="d")
        case "asked":
            department_work.ask(session, one, who="d", question="کجا؟")
        case "rejected":
            closing.reject(session, one, who="d", reason="کار شرکت برق است")
        case _:
            work.reply(session, one, who="d", reply="ترمیم شد")
    if begun == "objected":
        work.reply(session, other, who="d", reply="ترمیم شد")
        closing.answer(session, whole.id, solved=False)
        for part in (one, other):
            refer(session, part)
    assert refusal(lambda: parts.join(session, whole, who="u")) == "parts-begun"
    assert whole.state is S.SPLIT


@pytest.mark.parametrize("said", ["received", "answered", "done"])
def test_part_answered_by_an_agency_is_rejoined_after_recall(session: Session, said: str) -> None:
    whole, one, other = split(session)
    office = a_user(session)
    row, token = agency_referrals.make(session, one, Passing("آب", "", "لوله", "لوله"), user=office, days=9)
    agency_referrals.make(session, other, Passing("برق", "", "تیر", "تیر"), user=office, days=9)
    if said == "received":
        agency_replies.record_received(session, token)
    else:
        {"answered": agency_replies.record_answer, "done": agency_replies.record_done}[said](
            session, token, "بسته شد"
        )
    assert refusal(lambda: parts.join(session, whole, who="u")) == "parts-answered"
    assert (whole.state, one.state) == (S.SPLIT, S.REFERRED)
    agency_referrals.withdraw(session, one, row.id, user=office)
    parts.join(session, whole, who="u")
    assert one.state is S.DUPLICATE


def test_accept_beside_a_rejoin_refuses_one(
    engine: Engine,
) -> None:
    with writing(engine) as session:
        whole, one, _ = split(session)
        clerk = of_department(session, one.department)

    def act(which: int) -> str:
        try:
            with writing(engine) as session:
                if which:
                    parts.join(session, work.get_for_update(session, whole.id), who="u")
                elif refused := department_work.accept_all(session, clerk, [one.id]):
                    return refused[one.id]
        except Refused as refused_:
            return refused_.code
        return "done"

    said = at_once(2, act)
    with reading(engine) as session:
        states = [session.get_one(Request, each.id).state for each in (whole, one)]
    assert (sorted(said), states) in (
        (["done", "parts-begun"], [S.SPLIT, S.ACCEPTED]),
        (["done", "request-moved"], [S.NEW, S.DUPLICATE]),
    )


def test_deleted_citizens_words_leave_finished_parts(
    session: Session,
) -> None:
    whole, one, other = split(session, number="+983131112233")
    erasure.delete_citizen(session, "+983131112233", who="u", give_up=False)
    work.reply(session, one, who="u", reply="ترمیم شد")
    work.reply(session, other, who="u", reply="ترمیم شد")
    assert session.scalar(select(func.count()).select_from(OutboundCall)) == 0
    erasure.erase_words(session)
    assert one.written == TWO[0].written  # still asked about
    closing.answer(session, whole.id, solved=True, who="u")
    erasure.erase_words(session)
    assert [(each.written, each.latitude) for each in (whole, one, other)] == [("", None)] * 3
    assert session.scalar(select(Erasure).where(Erasure.request_id == whole.id)) is None


def test_last_two_parts_solved_at_once_ask_once(
    engine: Engine,
) -> None:
    with writing(engine) as session:
        whole, *both = split(session)

    def solve(which: int) -> None:
        with writing(engine) as session:
            part = work.get_for_update(session, both[which].id)
            work.reply(session, part, who="u", reply="ترمیم شد")

    at_once(2, solve)
    with reading(engine) as session:
        assert session.get_one(Request, whole.id).state is S.REPLIED
        assert len(messages(session, OutboxKind.REQUEST_REPLIED)) == 1


@pytest.mark.parametrize("solved", [True, False])
def test_parts_whose_dates_add_up_are_done(session: Session, solved: bool) -> None:
    """Each reply has fewer digits than a telephone number; both together have more."""
    whole, one, other = split(session)
    replies = ("۱۲ آذر ۱۴۰۵ تعویض شد", "۱۳ آذر ۱۴۰۵ پر شد")
    for part, said in zip((one, other), replies, strict=True):
        if solved:
            work.reply(session, part, who="d", reply=said)
        else:
            closing.reject(session, part, who="d", reason=said)
    assert (whole.state, whole.reply) == (S.REPLIED if solved else S.REJECTED, " / ".join(replies))
