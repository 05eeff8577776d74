"""The call to a land line whether its request is solved: eligibility, time, retries, and end."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine, select, update
from sqlalchemy.orm import Session

from db.engine import now, reading, writing
from db.models import BlockReason, PlacedCall, Request, SolvedCall
from db.states import RequestState
from hotline.line import blocked, solved_calls
from hotline.requests import closing, requests, work
from tests import factories as make

LAND_LINE = "+983132221234"


def solved(session: Session, number: str | None = LAND_LINE) -> Request:
    """Somebody of the office says that it is solved."""
    request = make.a_request(session, number=number)
    work.reply(session, request, who="u", reply="ترمیم شد")
    session.flush()
    return request


def due(session: Session) -> list[int]:
    return [session.get_one(SolvedCall, id_).request_id for id_ in solved_calls.due(session, 10)]


def rings(session: Session) -> str:
    """The next call is on its way; its token."""
    (id_,) = solved_calls.due(session, 10)
    placed = solved_calls.take_up(session, id_)
    assert placed and placed.token and solved_calls.is_token(placed.token)
    session.flush()
    return placed.token


def hears(session: Session, token: str) -> None:
    """Somebody has picked up, and listened as far as the question."""
    call = solved_calls.by_token(session, token)
    assert call
    solved_calls.told(session, token, call.due_at)


def hours_pass(session: Session, hours: float) -> None:
    session.flush()
    for call in session.scalars(select(SolvedCall)):
        call.due_at -= timedelta(hours=hours)
    session.flush()


@pytest.mark.parametrize(("number", "called"), [(LAND_LINE, True), ("+989131234567", False), (None, False)])
def test_given_a_request_called_solved_when_its_citizen_gets_no_text_message_then_they_are_called(
    session: Session, number: str | None, called: bool
) -> None:
    request = solved(session, number)
    assert due(session) == ([request.id] if called else [])


def test_given_a_call_on_its_way_when_looked_again_then_there_is_no_second_one(engine: Engine) -> None:
    with writing(engine) as session:
        solved(session)
    with writing(engine) as session:
        (id_,) = solved_calls.due(session, 10)
        token = rings(session)
    with writing(engine) as session:
        assert solved_calls.take_up(session, id_) is None
        assert due(session) == []
        assert list(solved_calls.on_the_phone(session)) == [token]


def test_given_nobody_at_home_when_called_then_it_is_tried_three_times_hours_apart(session: Session) -> None:
    request = solved(session)
    for _ in range(2):
        solved_calls.ended(session, rings(session))
        assert due(session) == []
        hours_pass(session, 2.9)
        assert due(session) == []
        hours_pass(session, 0.2)
        assert due(session) == [request.id]
    solved_calls.ended(session, rings(session))
    hours_pass(session, 1000)
    assert due(session) == []


def test_given_a_fault_of_ours_when_a_call_comes_to_nothing_then_it_counts_as_no_try(
    session: Session,
) -> None:
    request = solved(session)
    for _ in range(5):
        solved_calls.ended(session, rings(session), ours=True)
        hours_pass(session, 0.1)
    assert due(session) == [request.id]


def test_given_who_has_heard_it_when_the_call_ends_without_an_answer_then_nobody_calls_again(
    session: Session,
) -> None:
    solved(session)
    token = rings(session)
    hears(session, token)
    solved_calls.ended(session, token, ours=True)  # whatever broke afterwards
    hours_pass(session, 1000)
    assert due(session) == []
    assert solved_calls.on_the_phone(session) == {}


@pytest.mark.parametrize("why", ["answered", "objected", "blocked", "forgotten"])
def test_given_who_is_not_asked_any_more_when_looked_then_no_phone_rings(session: Session, why: str) -> None:
    request = solved(session)
    match why:
        case "answered":
            closing.answer(session, request.id, solved=True)
        case "objected":
            closing.answer(session, request.id, solved=False)
        case "blocked":
            blocked.block(session, LAND_LINE, BlockReason.OWNER)
        case _:
            session.execute(update(Request).values(number=None))
    session.flush()
    assert due(session) == []


def test_given_an_objection_when_it_is_called_solved_once_more_then_there_is_one_more_call(
    session: Session,
) -> None:
    request = solved(session)
    token = rings(session)
    hears(session, token)
    closing.answer(session, request.id, solved=False)
    solved_calls.ended(session, token)
    work.reply(session, requests.get(session, request.id), who="another", reply="این بار درست شد")
    session.flush()
    assert due(session) == [request.id]


def test_given_a_caller_who_is_on_the_line_when_looked_then_their_phone_is_left_in_peace(
    session: Session,
) -> None:
    request = solved(session)
    session.add(PlacedCall(token="callback-1", number=LAND_LINE, at=now(session)))
    session.flush()
    assert due(session) == []
    session.execute(update(PlacedCall).values(ended_at=now(session)))
    assert due(session) == [request.id]


def test_given_a_number_called_too_often_when_put_off_then_it_waits_and_no_try_is_lost(
    session: Session,
) -> None:
    request = solved(session)
    call = solved_calls.by_token(session, rings(session))
    assert call
    solved_calls.put_off_long(session, call)
    session.flush()
    assert (due(session), call.tries) == ([], 0)
    hours_pass(session, 4)
    assert due(session) == [request.id]


def test_given_an_answer_by_app_while_it_rings_when_the_call_ends_then_nothing_is_due(engine: Engine) -> None:
    with writing(engine) as session:
        request = solved(session)
    with writing(engine) as session:
        token = rings(session)
    with writing(engine) as session:
        closing.answer(session, request.id, solved=True)
    with writing(engine) as session:
        solved_calls.ended(session, token)
        hours_pass(session, 5)
        assert due(session) == []
    with reading(engine) as session:
        assert session.get_one(Request, request.id).state is RequestState.CLOSED


@pytest.mark.parametrize(
    ("what", "left"),
    [("waits", 1), ("on its way", 1), ("told", 0), ("answered", 0), ("called solved anew", 1)],
)
def test_given_a_call_when_the_clerk_tidies_up_then_only_what_may_still_be_placed_or_rings_is_kept(
    session: Session, what: str, left: int
) -> None:
    request = solved(session)
    if what in ("on its way", "told"):
        token = rings(session)
    if what == "told":
        hears(session, token)
        solved_calls.ended(session, token)
    if what in ("answered", "called solved anew"):
        closing.answer(session, request.id, solved=what == "answered")
    if what == "called solved anew":
        work.reply(session, requests.get(session, request.id), who="another", reply="این بار درست شد")
    session.flush()
    solved_calls.forget(session)
    assert len(session.scalars(select(SolvedCall)).all()) == left
