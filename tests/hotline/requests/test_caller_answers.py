"""A report that the city calls solved: a caller who shows its number answers, and then the number itself."""

import itertools
from datetime import timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session
from stdnum import damm

from db.models import OutboundCall, OutboxMessage, Rating, Request, RequestEntry
from hotline import numbers
from hotline.errors import Refused
from hotline.outbound import queue
from hotline.outbound import solved as solved_call
from hotline.requests import closing, ratings, work
from hotline.requests.parts import Piece
from hotline.sms_inbox import answers
from scheduler import wording
from tests.factories import a_request
from tests.hotline.requests.office import S, T, refer, steps

MOBILE, LAND_LINE = "+989131234567", "+983132221234"
DAYS = 7
_serials = itertools.count(12345678)


def reported(session: Session, number: str | None = MOBILE) -> Request:
    serial = f"{next(_serials):08}"
    return a_request(session, number=number, tracking=serial + damm.calc_check_digit(serial))


def solved(session: Session, number: str | None = MOBILE) -> Request:
    request = reported(session, number)
    work.reply(session, request, who="u", reply="ترمیم شد")
    session.execute(update(OutboxMessage).values(key=OutboxMessage.key + "-read"))
    return request


def texts(session: Session) -> list[str]:
    """Return the words of a caller that the number has read."""
    said = select(OutboxMessage).where(OutboxMessage.key.startswith("caller-")).order_by(OutboxMessage.id)
    sent = [wording.find_words(session, message) for message in session.scalars(said)]
    return [text.text for text in sent if text and text.to == MOBILE]


def text(session: Session, request: Request, words: str) -> str:
    """The number answers by text message."""
    said = answers.find(session, request.number or "", f"{request.tracking} {words}")
    assert said
    return answers.take(session, said)


def pass_days(session: Session, request: Request, days: float) -> None:
    request.replied_at = request.replied_at and request.replied_at - timedelta(days=days)
    session.flush()


def test_callers_yes_is_told_and_closes_nothing(session: Session) -> None:
    request = solved(session)

    assert not closing.answer_of_caller(session, request.id, solved=True)

    assert (request.state, steps(session, request)[-1]) == (S.REPLIED, (T.CONFIRMED, "", ""))
    assert len(texts(session)) == 1


@pytest.mark.parametrize(("number", "told"), [(MOBILE, 1), (LAND_LINE, 0), (None, 0)])
def test_yes_written_down_by_the_office_is_told(session: Session, number: str | None, told: int) -> None:
    request = solved(session, number)

    closing.answer(session, request.id, solved=True, who="operator")

    assert request.state is S.CLOSED
    assert [request.tracking in numbers.convert_digits(each) for each in texts(session)] == [True] * told


def test_owners_no_reopens_the_report_as_it_was(session: Session) -> None:
    forged, honest = solved(session), solved(session)
    closing.answer_of_caller(session, forged.id, solved=True)
    ratings.rate(session, forged.id, 5)

    for request in (forged, honest):
        assert text(session, request, "نه") == "unsolved"

    kept = [(each.state, each.denials, each.reply_stands, each.unanswered) for each in (forged, honest)]
    assert kept == [(S.REOPENED, 1, False, False)] * 2
    assert session.scalars(select(Rating.stars)).all() == [], "the caller's rating counts no more"


def test_repeated_yes_of_callers_is_told_once(session: Session) -> None:
    request = solved(session)
    for _ in range(5):
        closing.answer_of_caller(session, request.id, solved=True)

    assert len(texts(session)) == 1
    assert [step for step, *_ in steps(session, request)].count(T.CONFIRMED) == 1


@pytest.mark.parametrize("days_of_reply", [DAYS - 1, DAYS + 1])
def test_callers_yes_waits_for_the_days_of_a_no(session: Session, days_of_reply: int) -> None:
    request = solved(session)
    pass_days(session, request, days_of_reply)
    closing.answer_of_caller(session, request.id, solved=True)

    assert closing.close_unanswered(session, DAYS, 10) == 0
    assert request.state is S.REPLIED


def test_callers_yes_without_a_no_closes_as_confirmed(session: Session) -> None:
    request = solved(session)
    closing.answer_of_caller(session, request.id, solved=True)
    ratings.rate(session, request.id, 4)
    pass_days(session, request, DAYS + 1)

    assert closing.close_unanswered(session, -1, 10) == 1  # the yes is a day older

    assert (request.state, request.unanswered) == (S.CLOSED, False)
    assert session.scalars(select(Rating.stars)).all() == [4]


def test_owners_yes_after_callers_no_closes_the_report(session: Session) -> None:
    request = solved(session)
    closing.answer_of_caller(session, request.id, solved=False)
    ratings.rate(session, request.id, 1)
    assert (request.state, len(texts(session))) == (S.REOPENED, 1)

    assert text(session, request, "بله ۵") == "rated"

    session.refresh(request)
    assert (request.state, request.denials, request.reply_stands) == (S.CLOSED, 0, True)
    assert session.scalars(select(Rating.stars)).all() == [5]


def solved_in_parts(session: Session, number: str) -> tuple[Request, Request, Request]:
    """A report in two parts, of which one was solved and one is not for the city."""
    whole = reported(session, number)
    one, other = work.split(session, whole, [Piece(1, "چراغ"), Piece(2, "چاله")], who="u")
    closing.reject(session, other, who="u", reason="کار شهرداری نیست")
    work.reply(session, one, who="u", reply="ترمیم شد")
    session.refresh(whole)
    return whole, one, other


def test_owners_yes_takes_back_callers_no_to_parts(session: Session) -> None:
    whole, one, other = solved_in_parts(session, MOBILE)
    closing.answer_of_caller(session, whole.id, solved=False)
    assert (whole.state, one.state) == (S.SPLIT, S.REOPENED)

    assert text(session, whole, "بله") == "solved"

    states = [(each.state, each.denials, each.reply_stands) for each in (whole, one)]
    assert states == [(S.CLOSED, 0, True)] * 2
    assert other.state is S.REJECTED


def test_callers_no_to_parts_stands_once_one_is_taken_up(session: Session) -> None:
    whole, one, _ = solved_in_parts(session, MOBILE)
    closing.answer_of_caller(session, whole.id, solved=False)
    refer(session, one)

    with pytest.raises(Refused, match="works on a part"):
        closing.take_back_objection(session, whole.id)

    assert (whole.state, one.state) == (S.SPLIT, S.REFERRED)


def test_land_line_is_called_about_callers_no_to_parts(session: Session) -> None:
    whole, *_ = solved_in_parts(session, LAND_LINE)

    closing.answer_of_caller(session, whole.id, solved=False)

    assert called(session) == [whole.id]


def test_objection_that_the_office_took_up_stands(session: Session) -> None:
    request = solved(session)
    closing.answer_of_caller(session, request.id, solved=False)
    work.reply(session, request, who="another", reply="این بار درست شد")

    with pytest.raises(Refused, match="no objection"):
        closing.take_back_objection(session, request.id)
    assert request.state is S.REPLIED


def test_late_yes_of_the_app_takes_no_objection_back(session: Session) -> None:
    request = solved(session)
    closing.answer(session, request.id, solved=False)

    with pytest.raises(Refused):
        closing.answer(session, request.id, solved=True)
    assert request.state is S.REOPENED


def test_tracking_number_of_a_withheld_number_is_enough(session: Session) -> None:
    request = solved(session, None)

    assert closing.answer_of_caller(session, request.id, solved=True)

    assert request.state is S.CLOSED


@pytest.mark.parametrize("said", [True, False])
@pytest.mark.parametrize("called_before", [True, False])
def test_land_line_is_called_about_what_a_caller_said(
    session: Session, said: bool, called_before: bool
) -> None:
    request = solved(session, LAND_LINE)
    if called_before:
        heard(session, request)

    closing.answer_of_caller(session, request.id, solved=said)

    assert called(session) == [request.id]


def called(session: Session) -> list[int]:
    """The requests about which land lines are called once nobody is on the phone any more."""
    session.flush()
    session.expire_all()
    session.execute(update(OutboundCall).values(due_at=OutboundCall.asked_at))
    solved_call.forget(session)
    return [
        session.get_one(OutboundCall, id_).request_id for id_ in queue.list_due(session, solved_call.CALLS, 9)
    ]


def heard(session: Session, request: Request) -> None:
    """The land line has heard that the office calls its request solved, and has said nothing."""
    (id_,) = queue.list_due(session, solved_call.CALLS, 9)
    placed = queue.claim(session, solved_call.CALLS, id_)
    assert placed and placed.token and placed.request_id == request.id
    solved_call.hear(session, placed.token, placed.due_at)
    queue.finish(session, placed.token)


@pytest.mark.parametrize("heard_before", [True, False])
def test_land_line_is_called_when_the_office_writes_its_yes(session: Session, heard_before: bool) -> None:
    request = solved(session, LAND_LINE)
    if heard_before:
        heard(session, request)

    closing.answer(session, request.id, solved=True, who="operator")

    assert called(session) == [request.id]


def test_land_line_is_called_when_its_report_is_rejected(session: Session) -> None:
    request = a_request(session, number=LAND_LINE)

    closing.reject(session, request, who="u", reason="کار شهرداری نیست")

    assert called(session) == [request.id]


@pytest.mark.parametrize("ends", ["rejected", "closed"])
def test_land_line_is_called_when_its_original_ends(session: Session, ends: str) -> None:
    request, original = a_request(session, number=LAND_LINE), a_request(session, number=MOBILE)
    closing.merge(session, request.id, original.id, who="u")
    if ends == "rejected":
        closing.reject(session, original, who="u", reason="کار شهرداری نیست")
    else:
        work.reply(session, original, who="u", reply="ترمیم شد")
        assert called(session) == [], "of a duplicate nobody is asked"
        closing.answer(session, original.id, solved=True)

    assert called(session) == [request.id]


def test_land_line_is_called_when_its_original_had_ended(session: Session) -> None:
    request, original = a_request(session, number=LAND_LINE), solved(session)
    closing.answer(session, original.id, solved=True)

    closing.merge(session, request.id, original.id, who="u")
    assert called(session) == [request.id]

    closing.undo_merge(session, request, who="u")
    assert called(session) == []


def test_report_that_silence_closes_ends_its_calls(session: Session) -> None:
    request = solved(session, LAND_LINE)
    pass_days(session, request, DAYS + 1)
    session.execute(update(OutboundCall).values(asked_at=request.replied_at))

    assert closing.close_unanswered(session, DAYS, 10) == 1

    assert called(session) == []


@pytest.mark.parametrize("told_first", [True, False])
def test_forged_no_during_a_call_has_the_line_called_again(session: Session, told_first: bool) -> None:
    request = solved(session, LAND_LINE)
    (id_,) = queue.list_due(session, solved_call.CALLS, 9)
    placed = queue.claim(session, solved_call.CALLS, id_)
    assert placed and placed.token
    token, due_at = placed.token, placed.due_at
    if told_first:
        solved_call.hear(session, token, due_at)

    closing.answer_of_caller(session, request.id, solved=False)
    if not told_first:
        solved_call.hear(session, token, due_at)  # what the script had read before
    queue.finish(session, token)

    assert called(session) == [request.id]


def test_land_line_that_has_answered_is_called_no_more(session: Session) -> None:
    request = solved(session, LAND_LINE)
    closing.answer_of_caller(session, request.id, solved=True)
    closing.answer(session, request.id, solved=False)

    assert called(session) == []


def test_history_has_the_yes_and_the_no(session: Session) -> None:
    request = solved(session)
    closing.answer_of_caller(session, request.id, solved=True)
    text(session, request, "نه هنوز تاریک است")

    its = select(RequestEntry.step).where(RequestEntry.request_id == request.id).order_by(RequestEntry.id)
    assert list(session.scalars(its))[-2:] == [T.CONFIRMED, T.DENIED]
