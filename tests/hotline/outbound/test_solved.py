"""The call to a land line whether its request is solved: eligibility, time, retries, and end."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine, select, update
from sqlalchemy.orm import Session

from db.engine import reading, writing
from db.models import BlockReason, OutboundCall, Request
from db.states import RequestState
from hotline.line import blocked
from hotline.outbound import queue
from hotline.outbound import solved as solved_call
from hotline.requests import closing, lifecycle, work
from tests import factories as make

LAND_LINE = "+983132221234"


def solved(session: Session, number: str | None = LAND_LINE) -> Request:
    """Somebody of the office says that it is solved."""
    request = make.a_request(session, number=number)
    work.reply(session, request, who="u", reply="ترمیم شد")
    session.flush()
    return request


def due(session: Session) -> list[int]:
    return [
        session.get_one(OutboundCall, id_).request_id
        for id_ in queue.list_due(session, solved_call.CALLS, 10)
    ]


def rings(session: Session) -> str:
    """The next call is on its way; its token."""
    (id_,) = queue.list_due(session, solved_call.CALLS, 10)
    placed = queue.claim(session, solved_call.CALLS, id_)
    assert placed and placed.token
    session.flush()
    return placed.token


def hears(session: Session, token: str) -> None:
    """Somebody has picked up, and listened as far as the question."""
    call = queue.find_by_token(session, token)
    assert call
    solved_call.hear(session, token, call.due_at)


def hours_pass(session: Session, hours: float) -> None:
    session.flush()
    for call in session.scalars(select(OutboundCall)):
        call.due_at -= timedelta(hours=hours)
    session.flush()


@pytest.mark.parametrize(("number", "called"), [(LAND_LINE, True), ("+989131234567", False), (None, False)])
def test_reply_calls_a_land_line_only(session: Session, number: str | None, called: bool) -> None:
    request = solved(session, number)
    assert due(session) == ([request.id] if called else [])


def test_unanswered_call_is_tried_three_times_hours_apart(session: Session) -> None:
    request = solved(session)
    for _ in range(2):
        queue.finish(session, rings(session))
        assert due(session) == []
        hours_pass(session, 2.9)
        assert due(session) == []
        hours_pass(session, 0.2)
        assert due(session) == [request.id]
    queue.finish(session, rings(session))
    hours_pass(session, 1000)
    assert due(session) == []


def test_heard_call_is_not_repeated(
    session: Session,
) -> None:
    solved(session)
    token = rings(session)
    hears(session, token)
    queue.finish(session, token, ours=True)  # whatever broke afterwards
    hours_pass(session, 1000)
    assert due(session) == []
    assert queue.list_in_progress(session) == {}


@pytest.mark.parametrize("why", ["answered", "objected", "blocked", "forgotten"])
def test_request_that_is_over_or_blocked_is_not_called(session: Session, why: str) -> None:
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


def test_reply_after_an_objection_is_called_again(
    session: Session,
) -> None:
    request = solved(session)
    token = rings(session)
    hears(session, token)
    closing.answer(session, request.id, solved=False)
    queue.finish(session, token)
    work.reply(session, lifecycle.get(session, request.id), who="another", reply="این بار درست شد")
    session.flush()
    assert due(session) == [request.id]


def test_answer_by_app_while_it_rings_ends_the_call(engine: Engine) -> None:
    with writing(engine) as session:
        request = solved(session)
    with writing(engine) as session:
        token = rings(session)
    with writing(engine) as session:
        closing.answer(session, request.id, solved=True)
    with writing(engine) as session:
        queue.finish(session, token)
        hours_pass(session, 5)
        assert due(session) == []
    with reading(engine) as session:
        assert session.get_one(Request, request.id).state is RequestState.CLOSED


@pytest.mark.parametrize(
    ("what", "left"),
    [("waits", 1), ("on its way", 1), ("told", 0), ("answered", 0), ("called solved anew", 1)],
)
def test_forget_keeps_open_and_ringing_calls(session: Session, what: str, left: int) -> None:
    request = solved(session)
    if what in ("on its way", "told"):
        token = rings(session)
    if what == "told":
        hears(session, token)
        queue.finish(session, token)
    if what in ("answered", "called solved anew"):
        closing.answer(session, request.id, solved=what == "answered")
    if what == "called solved anew":
        work.reply(session, lifecycle.get(session, request.id), who="another", reply="این بار درست شد")
    session.flush()
    solved_call.forget(session)
    assert len(session.scalars(select(OutboundCall)).all()) == left
