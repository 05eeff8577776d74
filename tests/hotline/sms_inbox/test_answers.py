"""A citizen answers a department's question by text message."""

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session
from stdnum import damm

from db.models import BlockReason, Rating, Request
from hotline.line import blocked
from hotline.requests import department_work
from tests.factories import a_request
from tests.hotline.requests.office import S, T, steps
from tests.hotline.sms_inbox.texting import NUMBER, OTHER, Send, fa
from tests.kit.databases import on_one  # noqa: F401  (fixture)


@pytest.fixture
def request_(session: Session) -> Request:
    """Something is asked about it."""
    request = a_request(
        session, S.REFERRED, number=NUMBER, tracking="12345678" + damm.calc_check_digit("12345678")
    )
    department_work.ask(session, request, who="d", question="کدام کوچه؟")
    return request


@pytest.mark.parametrize(
    "written",
    [
        "{tracking} کوچهٔ ۵",
        "۱۳۷ {tracking} کوچهٔ ۵",
        "{persian}: کوچهٔ ۵",
        "{apart}\nکوچهٔ ۵",
        " «{tracking}» کوچهٔ ۵".replace("»", ""),
    ],
)
def test_answer_with_the_tracking_number_reaches_the_department(
    session: Session, send: Send, request_: Request, written: str
) -> None:
    tracking = request_.tracking
    apart = f"{tracking[:3]} {tracking[3:6]} {tracking[6:]}"
    answer = send(written.format(tracking=tracking, persian=fa(tracking), apart=apart))
    assert fa(tracking) in answer and "رسید" in answer
    assert steps(session, request_)[-1] == (T.ANSWERED, "", "کوچهٔ ۵")
    session.refresh(request_)
    assert request_.state is S.ACCEPTED


def test_answer_without_a_number_explains_how(session: Session, send: Send, request_: Request) -> None:
    answer = send("کوچهٔ ۵")
    assert fa(request_.tracking) in answer and "پاسخ خود را" in answer
    assert len(steps(session, request_)) == 1


def test_answer_by_another_number_or_unasked_is_ignored(
    session: Session, send: Send, request_: Request
) -> None:
    send(f"{request_.tracking} کوچهٔ ۵", number=OTHER)
    silent = a_request(session, S.REFERRED, number=NUMBER)
    send(f"{silent.tracking} کوچهٔ ۵")
    assert [len(steps(session, each)) for each in (request_, silent)] == [1, 0]


def test_answer_of_a_blocked_number_is_ignored(session: Session, send: Send, request_: Request) -> None:
    blocked.block(session, NUMBER, BlockReason.NUISANCE)
    send(f"{request_.tracking} کوچهٔ ۵")
    assert len(steps(session, request_)) == 1


def test_long_answer_is_shortened(session: Session, send: Send, request_: Request) -> None:
    send(f"{request_.tracking} " + "الف " * 600)
    assert steps(session, request_)[-1][2].startswith("الف الف")


@pytest.fixture
def solved(session: Session) -> Request:
    """It is said to be solved, and asked whether it is."""
    return a_request(
        session, S.REPLIED, number=NUMBER, tracking="12345678" + damm.calc_check_digit("12345678")
    )


def rated(session: Session) -> list[int]:
    return list(session.scalars(select(Rating.stars)))


@pytest.mark.parametrize(
    ("written", "state", "stars", "reason"),
    [
        ("{tracking} 1 5", S.CLOSED, [5], ""),
        ("{persian} بله ۵", S.CLOSED, [5], ""),
        ("{persian}: بله، ٥", S.CLOSED, [5], ""),
        ("{tracking} بلي", S.CLOSED, [], ""),
        ("۱۳۷ {persian} ۱", S.CLOSED, [], ""),
        ("{tracking} YES 3.", S.REPLIED, [], ""),
        ("{tracking} Yes, 3", S.CLOSED, [3], ""),
        ("{tracking} خیر ۱", S.REOPENED, [1], ""),
        ("{tracking} نه ۳ چراغ هنوز خاموش است", S.REOPENED, [], "۳ چراغ هنوز خاموش است"),
        ("{tracking} 2", S.REOPENED, [], ""),
        ("{tracking} بله ولی تاریک است", S.REPLIED, [], ""),
        ("{tracking} 1 6", S.REPLIED, [], ""),
        ("{tracking} 15", S.REPLIED, [], ""),
        ("{tracking} نمی‌دانم", S.REPLIED, [], ""),
    ],
)
def test_yes_or_no_with_stars_is_counted(
    session: Session, send: Send, solved: Request, written: str, state: S, stars: list[int], reason: str
) -> None:
    send(written.format(tracking=solved.tracking, persian=fa(solved.tracking)))
    session.refresh(solved)
    assert (solved.state, rated(session)) == (state, stars)
    if state is S.REOPENED:
        assert steps(session, solved)[-1] == (T.DENIED, "", reason)


def test_second_answer_counts_only_as_a_rating(session: Session, send: Send, solved: Request) -> None:
    assert "راضی" in send(f"{solved.tracking} بله")
    assert "پیش از این" in send(f"{solved.tracking} 1"), "the same text once more is no rating of 1"
    assert "پیش از این" in send(f"{solved.tracking} نه ۵")
    assert rated(session) == []
    assert "امتیاز" in send(f"{solved.tracking} بله ۴")
    assert "امتیاز" in send(f"{solved.tracking} بله ۵")
    assert rated(session) == [5]
    assert len(steps(session, solved)) == 1


@pytest.mark.parametrize("written", ["بله ۵", "1 5", "نه"])
def test_yes_without_a_number_explains_how(
    session: Session, send: Send, solved: Request, written: str
) -> None:
    assert fa(solved.tracking) in send(written)
    session.refresh(solved)
    assert (solved.state, rated(session)) == (S.REPLIED, [])


def test_yes_of_another_number_changes_nothing(session: Session, send: Send, solved: Request) -> None:
    send(f"{solved.tracking} بله ۵", number=OTHER)
    session.refresh(solved)
    assert solved.state is S.REPLIED
