"""Wrap-up: from the end of a conversation until the desk asks for the next one, or does something else."""

from collections.abc import Callable
from datetime import datetime

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from db.engine import now
from db.models import BreakReason, Callback, Desk, Event, Round
from db.states import CallbackState, Outcome
from hotline import heartbeats
from hotline.callbacks import (
    claims,
    closing,
    conversations,
    direct_routing,
    screening,
    serving,
    transitions,
    wrap_up,
)
from hotline.desks import transfers
from hotline.rounds import round_permissions
from settings import Settings
from tests import factories as make
from tests.factories import HOUR
from tests.hotline.callbacks.conversing import called_ahead, speaks
from tests.hotline.callbacks.served_round import some_desks
from tests.hotline.callbacks.waiting_callers import a_live_desk, person_at
from tests.kit.databases import in_both, on_one  # noqa: F401  (fixture)

C = CallbackState
Turn = Callable[[Session, Desk, Settings], object]


def since(session: Session, desk: Desk) -> datetime | None:
    """Asked in both ways, which agree."""
    session.refresh(desk)
    in_hand = transitions.find_live_at_desk(session, desk.id)
    found = wrap_up.find_since(session, desk, in_hand)
    if in_hand is None:
        assert wrap_up.find_idle_since(session, [desk]).get(desk.id) == found
    return found


def has_spoken(session: Session, desk: Desk, settings: Settings) -> Callback:
    """A conversation, which the citizen ended, and of which the desk has said what came of it."""
    callback = speaks(session, desk, settings)
    conversations.record_line_end(session, callback, settings, hung_up=True)
    return closing.record_outcome(session, callback, Outcome.REACHED, settings)


def test_wrap_up_lasts_from_the_end_to_the_next_request(
    session: Session, settings: Settings, desk: Desk
) -> None:
    assert since(session, desk) is None, "it has spoken with nobody"
    callback = speaks(session, desk, settings)
    assert since(session, desk) is None
    conversations.hang_up(session, callback)
    over_at = callback.parting_at
    assert over_at and since(session, desk) == over_at
    conversations.record_line_end(session, callback, settings, hung_up=False)
    assert since(session, desk) == over_at
    closing.record_outcome(session, callback, Outcome.REACHED, settings)
    assert since(session, desk) == over_at, "the outcome is said, and nobody asked for"
    serving.ask_next(session, desk, None, settings)
    assert since(session, desk) is None
    serving.withdraw_request(session, desk)
    assert since(session, desk) is None, "what it had to do is done: it had asked"


def test_next_that_ends_a_talk_starts_no_wrap_up(session: Session, settings: Settings, desk: Desk) -> None:
    callback = speaks(session, desk, settings)
    serving.ask_next(session, desk, callback.id, settings, confirmed=True)
    conversations.record_line_end(session, callback, settings, hung_up=False)
    assert since(session, desk) is None
    serving.withdraw_request(session, desk)
    assert since(session, desk) is None


def test_talk_that_ended_in_a_leap_is_no_wrap_up_later(
    session: Session, settings: Settings, desk: Desk
) -> None:
    callback = speaks(session, desk, settings)
    conversations.hang_up(session, callback)
    conversations.record_line_end(session, callback, settings, hung_up=False)
    closing.record_outcome(session, callback, Outcome.REACHED, settings)
    session.execute(update(Event).values(at=now(session) + 3 * HOUR))
    serving.ask_next(session, desk, None, settings)
    serving.withdraw_request(session, desk)
    assert since(session, desk) is None


def test_undone_end_is_no_wrap_up(session: Session, settings: Settings, desk: Desk) -> None:
    callback = speaks(session, desk, settings)
    conversations.hang_up(session, callback)
    conversations.undo(session, callback, desk, settings)
    assert since(session, desk) is None


def rests(session: Session, desk: Desk, settings: Settings) -> None:
    serving.take_break(session, desk, BreakReason.REST)
    assert since(session, desk) is None
    serving.take_break(session, desk, None)


def goes(session: Session, desk: Desk, settings: Settings) -> None:
    heartbeats.record_phone(session, desk.id, None)
    assert since(session, desk) is None
    heartbeats.record_phone(session, desk.id, "PJSIP/desk")


def leaves(session: Session, desk: Desk, settings: Settings) -> None:
    serving.leave(session, desk, settings)


def is_given_one(session: Session, desk: Desk, settings: Settings) -> None:
    callback = called_ahead(session, session.get_one(Round, desk.round_id))
    callback.desk_id = desk.id
    transitions.move(session, callback.token, C.TALKING, talking_at=now(session))


def speaks_first(session: Session, desk: Desk, settings: Settings) -> None:
    screening.screen(session, called_ahead(session, session.get_one(Round, desk.round_id)), desk)


def its_round_is_over(session: Session, desk: Desk, settings: Settings) -> None:
    session.get_one(Round, desk.round_id).ended_at = now(session)
    session.flush()


def loses_its_person(session: Session, desk: Desk, settings: Settings) -> None:
    person_at(session, desk).desk_id = None
    session.flush()


@pytest.mark.parametrize(
    "turn", [rests, goes, leaves, is_given_one, speaks_first, its_round_is_over, loses_its_person]
)
def test_other_activity_ends_the_wrap_up(
    session: Session, settings: Settings, desk: Desk, turn: Turn
) -> None:
    over_at = has_spoken(session, desk, settings).ended_at
    assert over_at and since(session, desk) == over_at
    turn(session, desk, settings)
    assert since(session, desk) is None


def test_returning_desk_with_an_owed_outcome_is_in_wrap_up(
    session: Session, settings: Settings, desk: Desk
) -> None:
    callback = speaks(session, desk, settings)
    conversations.record_line_end(session, callback, settings, hung_up=True)
    rests(session, desk, settings)
    goes(session, desk, settings)
    assert since(session, desk) == callback.ended_at
    closing.record_outcome(session, callback, Outcome.REACHED, settings)
    assert since(session, desk) is None


def test_empty_manual_claim_ends_the_wrap_up(session: Session, settings: Settings, round_: Round) -> None:
    user = make.a_user(session, make.a_desk(session))
    assert user.desk is not None and user.desk_id is not None
    callback = claims.claim(session, round_id=round_.id, desk_id=user.desk_id, user_id=user.id)
    assert callback is not None
    assert transitions.move(session, callback.token, C.DIALING)
    assert transitions.move(session, callback.token, C.TALKING, talking_at=now(session))
    conversations.record_line_end(session, callback, settings, hung_up=True)
    closing.record_outcome(session, callback, Outcome.REACHED, settings)
    assert since(session, user.desk) == callback.ended_at
    empty = make.a_round(session)
    assert claims.claim(session, round_id=empty.id, desk_id=user.desk_id, user_id=user.id) is None
    assert since(session, user.desk) is None


def test_unanswered_call_starts_no_wrap_up(session: Session, settings: Settings, desk: Desk) -> None:
    callback = make.a_callback(session, C.RINGING, person_at(session, desk))
    closing.close(session, callback.token, Outcome.NO_ANSWER, settings)
    assert since(session, desk) is None


def test_outcome_at_a_live_desk_ends_the_wrap_up(session: Session, settings: Settings) -> None:
    desk = a_live_desk(session)
    callback = make.a_callback(session, C.TALKING, person_at(session, desk))
    conversations.record_line_end(session, callback, settings, hung_up=True)
    assert since(session, desk) == callback.ended_at
    closing.record_outcome(session, callback, Outcome.REACHED, settings)
    assert since(session, desk) is None
    direct_routing.set_live_calls(session, desk, takes=False)
    assert since(session, desk) is None, "nor is it long ago once it takes no more"


def test_given_away_talk_puts_only_the_giver_in_wrap_up(
    session: Session, settings: Settings, round_: Round
) -> None:
    gives, takes = some_desks(session, round_, settings, 2)
    callback = speaks(session, gives, settings)
    serving.ask_next(session, takes, None, settings)
    person = round_permissions.find_at_desk(session, gives.id)
    assert person is not None and takes.next_asked_at is not None
    before = now(session)
    transfers.give(session, callback, takes.id, "", settings, by=person)
    given_at = since(session, gives)
    assert given_at and before <= given_at <= now(session)
    assert since(session, takes) is None
    serving.ask_next(session, gives, None, settings)
    assert since(session, gives) is None


def test_wrap_up_of_another_person_does_not_count(session: Session, settings: Settings, desk: Desk) -> None:
    has_spoken(session, desk, settings)
    loses_its_person(session, desk, settings)
    make.a_user(session, desk)
    assert since(session, desk) is None


@in_both
def test_yesterdays_end_is_no_wrap_up(session: Session, settings: Settings, desk: Desk) -> None:
    has_spoken(session, desk, settings)
    assert since(session, desk) is not None
    session.execute(update(Event).values(at=now(session) - 25 * HOUR))
    assert since(session, desk) is None
