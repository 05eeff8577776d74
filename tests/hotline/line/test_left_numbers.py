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
    LeftNumber,
    LeftOutcome,
)
from hotline import heartbeats
from hotline.citizens import belongings, erasure
from hotline.clock import CITY
from hotline.errors import Refused
from hotline.line import blocked, left_numbers
from settings import QuietHours, Settings
from tests import factories as make

NUMBER = "+989131234567"


def leave(session: Session, settings: Settings, number: str = NUMBER) -> None:
    left_numbers.keep(session, number, settings)
    session.flush()


def refused(session: Session, settings: Settings, number: str = NUMBER) -> str:
    with pytest.raises(Refused) as no:
        left_numbers.keep(session, number, settings)
    return no.value.code


def passes(session: Session, **time: float) -> None:
    """Let time pass for every number that was left."""
    session.flush()
    for left in session.scalars(select(LeftNumber)):
        left.left_at -= timedelta(**time)
        left.due_at -= timedelta(**time)
    session.flush()


def due(session: Session) -> list[str | None]:
    return [session.get_one(LeftNumber, id_).number for id_ in left_numbers.due(session, 10)]


def rings(session: Session) -> str:
    """The next call is on its way; its token."""
    id_ = left_numbers.due(session, 1)[0]
    left = left_numbers.take_up(session, id_)
    assert left and left.token and left_numbers.is_token(left.token)
    session.flush()
    return left.token


def rung(session: Session, settings: Settings) -> str:
    """Somebody has left their number, and is being called a minute later; the call's token."""
    leave(session, settings)
    passes(session, minutes=1)
    return rings(session)


def only(session: Session) -> LeftNumber:
    return session.scalars(select(LeftNumber).execution_options(populate_existing=True)).one()


def test_given_several_numbers_when_lines_are_free_then_they_are_due_in_the_order_of_the_keys(
    session: Session, settings: Settings
) -> None:
    numbers = [make.a_number() for _ in range(3)]
    for number in numbers:
        leave(session, settings, number)
        passes(session, seconds=20)
    assert due(session) == numbers


def test_given_who_has_just_pressed_when_looked_then_they_have_still_to_hang_up(
    session: Session, settings: Settings
) -> None:
    leave(session, settings)
    assert due(session) == []


def test_given_a_number_that_waits_when_left_again_then_it_is_called_once_and_keeps_its_place(
    session: Session, settings: Settings
) -> None:
    leave(session, settings)
    passes(session, minutes=1)
    leave(session, settings, other := make.a_number())
    for _ in range(9):
        leave(session, settings)
    passes(session, minutes=1)
    assert due(session) == [NUMBER, other]


def test_given_two_who_leave_the_same_number_at_once_when_committed_then_there_is_one(
    engine: Engine, settings: Settings
) -> None:
    for _ in range(2):
        with writing(engine) as session:
            left_numbers.keep(session, NUMBER, settings)
    with reading(engine) as session:
        assert only(session).number == NUMBER


def test_given_a_call_on_its_way_when_looked_again_then_there_is_no_second_one(
    engine: Engine, settings: Settings
) -> None:
    with writing(engine) as session:
        leave(session, settings)
        passes(session, minutes=1)
    with writing(engine) as session:
        (id_,) = left_numbers.due(session, 10)
        token = rings(session)
    with writing(engine) as session:
        assert left_numbers.take_up(session, id_) is None
        assert due(session) == []
        assert list(left_numbers.on_the_phone(session)) == [token]
        leave(session, settings)  # as somebody might who pretends to be them
        assert only(session).token == token


def test_given_who_does_not_answer_when_called_then_they_are_called_once_more(
    session: Session, settings: Settings
) -> None:
    leave(session, settings)
    passes(session, minutes=1)
    left_numbers.ended(session, rings(session))
    assert due(session) == []
    passes(session, minutes=6)
    left_numbers.ended(session, rings(session))
    passes(session, minutes=30)
    assert due(session) == []
    assert only(session).outcome is LeftOutcome.UNREACHED


def test_given_our_own_fault_when_a_call_comes_to_nothing_then_it_is_no_try(
    session: Session, settings: Settings
) -> None:
    leave(session, settings)
    for _ in range(5):
        passes(session, minutes=2)
        left_numbers.ended(session, rings(session), ours=True)
    assert (only(session).tries, only(session).ended_at) == (0, None)


@pytest.mark.parametrize("key", [LeftOutcome.UNREACHED, LeftOutcome.REACHED, LeftOutcome.REFUSED])
def test_given_who_picks_up_when_the_call_is_over_then_no_second_call_follows_whatever_they_pressed(
    session: Session, settings: Settings, key: LeftOutcome
) -> None:
    token = rung(session, settings)
    left_numbers.heard(session, token, key)
    left_numbers.ended(session, token, ours=True)
    passes(session, minutes=30)
    assert due(session) == []
    assert (only(session).outcome, only(session).token) == (key, None)
    assert left_numbers.on_the_phone(session) == {}


def test_given_who_got_through_by_themselves_when_looked_then_they_are_not_called(
    session: Session, settings: Settings
) -> None:
    leave(session, settings)
    leave(session, settings, other := make.a_number())
    passes(session, minutes=1)
    left_numbers.came(session, [NUMBER, ""])
    left_numbers.came(session, [""])
    assert due(session) == [other]


def test_given_who_gets_through_while_their_phone_rings_when_nobody_picks_up_then_no_second_call_follows(
    session: Session, settings: Settings
) -> None:
    token = rung(session, settings)
    left_numbers.came(session, [NUMBER])
    assert left_numbers.ringing(session) == 1
    left_numbers.ended(session, token)
    passes(session, minutes=30)
    assert due(session) == []
    assert (only(session).outcome, only(session).token) == (LeftOutcome.CAME, None)


def test_given_who_got_through_while_it_rang_when_they_leave_their_number_again_then_they_are_called(
    session: Session, settings: Settings
) -> None:
    token = rung(session, settings)
    left_numbers.came(session, [NUMBER])
    leave(session, settings)
    left_numbers.ended(session, token)
    passes(session, minutes=6)
    assert due(session) == [NUMBER]


def test_given_who_has_picked_up_when_their_own_call_goes_on_to_the_menu_then_what_they_pressed_stays(
    session: Session, settings: Settings
) -> None:
    leave(session, settings)
    passes(session, minutes=1)
    left_numbers.heard(session, rings(session), LeftOutcome.REACHED)
    left_numbers.came(session, [NUMBER])
    assert only(session).outcome is LeftOutcome.REACHED


def test_given_a_caller_on_the_line_when_looked_then_their_phone_is_not_rung(
    session: Session, settings: Settings
) -> None:
    leave(session, settings)
    passes(session, minutes=1)
    at = now(session)
    session.add(CallerNow(channel="1.1", number=NUMBER, since=at))
    heartbeats.beat(session, "ivr")
    session.flush()
    assert session.get(Heartbeat, "ivr") and due(session) == []


def test_given_hours_of_full_lines_when_they_are_free_at_last_then_who_does_not_remember_is_not_called(
    session: Session, settings: Settings
) -> None:
    leave(session, settings)
    passes(session, hours=3, minutes=1)
    assert due(session) == []
    left_numbers.forget(session)
    assert left_numbers.figures(session)["dropped"] == 1


def test_given_one_that_nobody_called_in_time_when_left_anew_then_it_is_called(
    session: Session, settings: Settings
) -> None:
    leave(session, settings)
    passes(session, hours=4)
    leave(session, settings)
    session.execute(update(LeftNumber).values(due_at=now(session)))
    assert due(session) == [NUMBER]


def test_given_a_number_left_again_and_again_when_it_was_called_each_time_then_it_is_left_in_peace(
    session: Session, settings: Settings
) -> None:
    for _ in range(3):
        leave(session, settings)
        passes(session, minutes=1)
        token = rings(session)
        left_numbers.heard(session, token)
        left_numbers.ended(session, token)
    assert refused(session, settings) == "too-many-today"
    passes(session, days=1)
    leave(session, settings)


@pytest.mark.parametrize("how", ["pressed 2", "declined a place", "blocked"])
def test_given_whoever_wants_no_call_when_somebody_leaves_their_number_then_it_is_not_taken(
    session: Session, settings: Settings, how: str
) -> None:
    if how == "pressed 2":
        leave(session, settings)
        passes(session, minutes=1)
        token = rings(session)
        left_numbers.heard(session, token, LeftOutcome.REFUSED)
        left_numbers.ended(session, token)
        passes(session, days=29)
        left_numbers.forget(session)
    elif how == "declined a place":
        at = now(session)
        kind = ConfirmationKind.REGISTRATION
        said = Confirmation(kind=kind, number=NUMBER, asked_at=at, not_before=at, decided_at=at, agreed=False)
        session.add(said)
    else:
        blocked.block(session, NUMBER, BlockReason.NUISANCE, who="u")
    session.flush()
    assert refused(session, settings) == "left-in-peace"


def test_given_a_number_that_is_blocked_meanwhile_when_due_then_it_is_not_called(
    session: Session, settings: Settings
) -> None:
    leave(session, settings)
    passes(session, minutes=1)
    blocked.block(session, NUMBER, BlockReason.OWNER, who="u")
    session.flush()
    assert due(session) == []


def are_taken(session: Session, settings: Settings) -> bool:
    return left_numbers.are_taken(now(session), session.scalar(left_numbers.WAITING) or 0, settings)


def test_given_as_many_as_can_be_called_in_time_when_one_more_presses_then_nothing_is_promised(
    session: Session, settings: Settings
) -> None:
    few = settings.model_copy(update={"calls_per_hour": 4})
    for _ in range(2):
        assert are_taken(session, few)
        leave(session, few, make.a_number())
    assert refused(session, few) == "too-many-waiting"
    assert not are_taken(session, few)


@pytest.mark.parametrize(("begins", "taken"), [(-60, False), (20, False), (90, True)])
def test_given_the_night_when_it_is_there_or_near_then_no_number_is_taken(
    session: Session, settings: Settings, begins: int, taken: bool
) -> None:
    local = now(session).astimezone(CITY)
    hours = [(local + timedelta(minutes=begins + more)).time() for more in (0, 120)]
    by_night = settings.model_copy(update={"quiet_hours": QuietHours(*hours)})
    assert are_taken(session, by_night) is taken
    if not taken:
        assert refused(session, by_night) == "quiet-hours"


def test_given_what_is_over_when_days_pass_then_the_number_goes_first_and_then_the_figure(
    session: Session, settings: Settings
) -> None:
    leave(session, settings)
    left_numbers.came(session, [NUMBER])
    left_numbers.forget(session)
    assert only(session).number == NUMBER
    passes(session, days=1)
    left_numbers.forget(session)
    assert (only(session).number, only(session).outcome) == (None, LeftOutcome.CAME)
    passes(session, days=29)
    left_numbers.forget(session)
    assert session.scalars(select(LeftNumber)).all() == []


def test_given_a_citizen_when_they_take_everything_along_and_have_it_deleted_then_it_is_there_and_gone(
    session: Session, settings: Settings
) -> None:
    leave(session, settings)
    (told,) = belongings.export(session, NUMBER, who="u")["left_when_lines_were_full"]
    assert told["outcome"] is None
    erasure.delete_citizen(session, NUMBER, who="u", give_up=True)
    assert session.scalars(select(LeftNumber)).all() == []


def test_given_numbers_of_two_hours_when_counted_then_each_is_in_its_own(
    session: Session, settings: Settings
) -> None:
    leave(session, settings)
    at = now(session)
    begun = at - timedelta(hours=1, minutes=30)
    left_numbers.came(session, [NUMBER])
    leave(session, settings, make.a_number())
    only_first = update(LeftNumber).where(LeftNumber.number == NUMBER)
    session.execute(only_first.values(left_at=at - timedelta(hours=1)))
    found = left_numbers.by_hour(session, begun)
    assert found == {begun: 1, begun + timedelta(hours=1): 1}
    assert {each: n for each, n in left_numbers.figures(session).items() if n} == {"came": 1, "waiting": 1}
