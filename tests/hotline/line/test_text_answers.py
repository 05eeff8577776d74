"""A citizen answers a department's question by text message."""

import pytest
from sqlalchemy.orm import Session
from stdnum import damm

from db.models import BlockReason, Request
from hotline.line import blocked
from hotline.requests import department_work
from tests.factories import a_request
from tests.hotline.line.texting import NUMBER, OTHER, Send, fa
from tests.hotline.requests.office import S, T, steps
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
def test_given_a_question_when_the_reports_number_and_words_are_sent_then_the_words_reach_the_department(
    session: Session, send: Send, request_: Request, written: str
) -> None:
    tracking = request_.tracking
    apart = f"{tracking[:3]} {tracking[3:6]} {tracking[6:]}"
    answer = send(written.format(tracking=tracking, persian=fa(tracking), apart=apart))
    assert fa(tracking) in answer and "رسید" in answer
    assert steps(session, request_)[-1] == (T.ANSWERED, "", "کوچهٔ ۵")
    session.refresh(request_)
    assert request_.state is S.ACCEPTED


def test_given_a_question_when_only_words_are_sent_then_the_answer_says_how_and_nothing_moves(
    session: Session, send: Send, request_: Request
) -> None:
    answer = send("کوچهٔ ۵")
    assert fa(request_.tracking) in answer and "پاسخ خود را" in answer
    assert len(steps(session, request_)) == 1


def test_given_another_number_or_nothing_asked_when_words_are_sent_then_nothing_is_taken(
    session: Session, send: Send, request_: Request
) -> None:
    send(f"{request_.tracking} کوچهٔ ۵", number=OTHER)
    silent = a_request(session, S.REFERRED, number=NUMBER)
    send(f"{silent.tracking} کوچهٔ ۵")
    assert [len(steps(session, each)) for each in (request_, silent)] == [1, 0]


def test_given_a_blocked_number_when_it_answers_then_nothing_is_taken(
    session: Session, send: Send, request_: Request
) -> None:
    blocked.block(session, NUMBER, BlockReason.NUISANCE)
    send(f"{request_.tracking} کوچهٔ ۵")
    assert len(steps(session, request_)) == 1


def test_given_a_very_long_answer_when_sent_then_as_much_as_is_read_reaches_the_department(
    session: Session, send: Send, request_: Request
) -> None:
    send(f"{request_.tracking} " + "الف " * 600)
    assert steps(session, request_)[-1][2].startswith("الف الف")
