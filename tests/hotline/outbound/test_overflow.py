"""Overflow numbers of callers who found all lines full: called once, in order, and deleted."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine, select, update
from sqlalchemy.orm import Session

from db.engine import now, reading, writing
from db.models import (
    BlockReason,
    CallerNow,
    Confirmation,
    ConfirmationKind,
    Heartbeat,
    LeftOutcome,
    OutboundCall,
)
from hotline import heartbeats
from hotline.clock import CITY
from hotline.errors import Refused
from hotline.line import blocked
from hotline.outbound import overflow, queue
from settings import QuietHours, Settings
from tests import factories as make

NUMBER = "+989131234567"


def leave(session: Session, settings: Settings, number: str = NUMBER) -> None:
    overflow.keep(session, number, settings)
    session.flush()


def refused(session: Session, settings: Settings, number: str = NUMBER) -> str:
    with pytest.raises(Refused) as no:
        overflow.keep(session, number, settings)
    return no.value.code


def passes(session: Session, **time: float) -> None:
    """Let time pass for every number that was left."""
    session.flush()
    for left in session.scalars(select(OutboundCall)):
        left.asked_at -= timedelta(**time)
        left.due_at -= timedelta(**time)
    session.flush()


def due(session: Session) -> list[str | None]:
    return [session.get_one(OutboundCall, id_).number for id_ in queue.list_due(session, overflow.CALLS, 10)]


def rings(session: Session) -> str:
    """The next call is on its way; its token."""
    id_ = queue.list_due(session, overflow.CALLS, 1)[0]
    left = queue.claim(session, overflow.CALLS, id_)
    assert left and left.token and overflow.is_token(left.token)
    session.flush()
    return left.token


def rung(session: Session, settings: Settings) -> str:
    """Somebody has left their number, and is being called a minute later; the call's token."""
    leave(session, settings)
    passes(session, minutes=1)
    return rings(session)


def only(session: Session) -> OutboundCall:
    return session.scalars(select(OutboundCall).execution_options(populate_existing=True)).one()


def test_numbers_are_due_in_the_order_of_the_keys(session: Session, settings: Settings) -> None:
    numbers = [make.a_number() for _ in range(3)]
    for number in numbers:
        leave(session, settings, number)
        passes(session, seconds=20)
    assert due(session) == numbers


def test_number_just_left_is_not_due_yet(session: Session, settings: Settings) -> None:
    leave(session, settings)
    assert due(session) == []


def test_number_left_again_keeps_its_place(session: Session, settings: Settings) -> None:
    leave(session, settings)
    passes(session, minutes=1)
    leave(session, settings, other := make.a_number())
    for _ in range(9):
        leave(session, settings)
    passes(session, minutes=1)
    assert due(session) == [NUMBER, other]


def test_number_left_twice_is_kept_once(engine: Engine, settings: Settings) -> None:
    for _ in range(2):
        with writing(engine) as session:
            overflow.keep(session, NUMBER, settings)
    with reading(engine) as session:
        assert only(session).number == NUMBER


def test_unanswered_call_is_repeated_once(session: Session, settings: Settings) -> None:
    leave(session, settings)
    passes(session, minutes=1)
    queue.finish(session, rings(session))
    assert due(session) == []
    passes(session, minutes=6)
    queue.finish(session, rings(session))
    passes(session, minutes=30)
    assert due(session) == []
    assert overflow.count_results(session)["unreached"] == 1


@pytest.mark.parametrize("key", [None, LeftOutcome.REACHED, LeftOutcome.REFUSED])
def test_answered_call_is_not_repeated(session: Session, settings: Settings, key: LeftOutcome | None) -> None:
    token = rung(session, settings)
    queue.answer(session, token, key)
    queue.finish(session, token, ours=True)
    passes(session, minutes=30)
    assert due(session) == []
    assert (only(session).answer, only(session).token) == (key, None)
    assert queue.list_in_progress(session) == {}


def test_number_that_got_through_is_not_called(session: Session, settings: Settings) -> None:
    leave(session, settings)
    leave(session, settings, other := make.a_number())
    passes(session, minutes=1)
    overflow.end_calls_of(session, [NUMBER, ""])
    overflow.end_calls_of(session, [""])
    assert due(session) == [other]


def test_number_that_got_through_as_it_rang_is_not_repeated(session: Session, settings: Settings) -> None:
    token = rung(session, settings)
    overflow.end_calls_of(session, [NUMBER])
    assert overflow.count_ringing(session) == 1
    queue.finish(session, token)
    passes(session, minutes=30)
    assert due(session) == []
    assert (only(session).answer, only(session).token) == (LeftOutcome.CAME, None)


def test_number_left_again_as_it_rings_is_called(session: Session, settings: Settings) -> None:
    token = rung(session, settings)
    overflow.end_calls_of(session, [NUMBER])
    leave(session, settings)
    queue.finish(session, token)
    passes(session, minutes=6)
    assert due(session) == [NUMBER]


def test_pressed_key_outlasts_the_persons_own_call(session: Session, settings: Settings) -> None:
    leave(session, settings)
    passes(session, minutes=1)
    queue.answer(session, rings(session), LeftOutcome.REACHED)
    overflow.end_calls_of(session, [NUMBER])
    assert only(session).answer == LeftOutcome.REACHED


def test_number_on_the_line_is_not_called(session: Session, settings: Settings) -> None:
    leave(session, settings)
    passes(session, minutes=1)
    at = now(session)
    session.add(CallerNow(channel="1.1", number=NUMBER, since=at))
    heartbeats.beat(session, "ivr")
    session.flush()
    assert session.get(Heartbeat, "ivr") and due(session) == []


def test_number_of_hours_ago_is_dropped(session: Session, settings: Settings) -> None:
    leave(session, settings)
    passes(session, hours=3, minutes=1)
    assert due(session) == []
    overflow.forget(session)
    assert overflow.count_results(session)["dropped"] == 1


def test_dropped_number_may_be_left_again(session: Session, settings: Settings) -> None:
    leave(session, settings)
    passes(session, hours=4)
    leave(session, settings)
    session.execute(update(OutboundCall).values(due_at=now(session)))
    assert due(session) == [NUMBER]


def test_number_left_too_often_is_refused(session: Session, settings: Settings) -> None:
    for _ in range(3):
        leave(session, settings)
        passes(session, minutes=1)
        token = rings(session)
        queue.answer(session, token)
        queue.finish(session, token)
    assert refused(session, settings) == "too-many-today"
    passes(session, days=1)
    leave(session, settings)


@pytest.mark.parametrize("how", ["pressed 2", "declined a place", "blocked"])
def test_number_that_wants_no_call_is_refused(session: Session, settings: Settings, how: str) -> None:
    if how == "pressed 2":
        leave(session, settings)
        passes(session, minutes=1)
        token = rings(session)
        queue.answer(session, token, LeftOutcome.REFUSED)
        queue.finish(session, token)
        passes(session, days=29)
        overflow.forget(session)
    elif how == "declined a place":
        at = now(session)
        kind = ConfirmationKind.REGISTRATION
        said = Confirmation(kind=kind, number=NUMBER, asked_at=at, not_before=at, decided_at=at, agreed=False)
        session.add(said)
    else:
        blocked.block(session, NUMBER, BlockReason.NUISANCE, who="u")
    session.flush()
    assert refused(session, settings) == "left-in-peace"


def are_taken(session: Session, settings: Settings) -> bool:
    return overflow.may_leave_number(now(session), session.scalar(overflow.WAITING) or 0, settings)


def test_full_queue_takes_no_number(session: Session, settings: Settings) -> None:
    few = settings.model_copy(update={"calls_per_hour": 4})
    for _ in range(2):
        assert are_taken(session, few)
        leave(session, few, make.a_number())
    assert refused(session, few) == "too-many-waiting"
    assert not are_taken(session, few)


@pytest.mark.parametrize(("begins", "taken"), [(-60, False), (20, False), (90, True)])
def test_night_takes_no_number(session: Session, settings: Settings, begins: int, taken: bool) -> None:
    local = now(session).astimezone(CITY)
    hours = [(local + timedelta(minutes=begins + more)).time() for more in (0, 120)]
    by_night = settings.model_copy(update={"quiet_hours": QuietHours(*hours)})
    assert are_taken(session, by_night) is taken
    if not taken:
        assert refused(session, by_night) == "quiet-hours"


def test_ended_call_loses_its_number_then_its_row(session: Session, settings: Settings) -> None:
    leave(session, settings)
    overflow.end_calls_of(session, [NUMBER])
    overflow.forget(session)
    assert only(session).number == NUMBER
    passes(session, days=1)
    overflow.forget(session)
    assert (only(session).number, only(session).answer) == (None, LeftOutcome.CAME)
    passes(session, days=29)
    overflow.forget(session)
    assert session.scalars(select(OutboundCall)).all() == []


def test_numbers_are_counted_by_hour(session: Session, settings: Settings) -> None:
    leave(session, settings)
    at = now(session)
    begun = at - timedelta(hours=1, minutes=30)
    overflow.end_calls_of(session, [NUMBER])
    leave(session, settings, make.a_number())
    only_first = update(OutboundCall).where(OutboundCall.number == NUMBER)
    session.execute(only_first.values(asked_at=at - timedelta(hours=1)))
    found = overflow.count_by_hour(session, begun)
    assert found == {begun: 1, begun + timedelta(hours=1): 1}
    assert {each: n for each, n in overflow.count_results(session).items() if n} == {"came": 1, "waiting": 1}
