"""A desk on a break is given nobody, keeps whom it has, and what is over is kept."""

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from db.models import Break, BreakReason, Desk, Round
from db.states import CallbackState
from hotline.callbacks import assignment, claims, direct_routing, round_statistics, serving
from hotline.rounds import phases, round_permissions
from settings import Settings
from tests import factories as make
from tests.hotline.callbacks.conversing import called_ahead, speaks
from tests.hotline.callbacks.waiting_callers import a_live_desk
from tests.kit.databases import on_one  # noqa: F401  (fixture)


def kept(session: Session) -> list[tuple[int, int | None, BreakReason]]:
    found = session.scalars(select(Break).order_by(Break.id))
    return [(one.desk_id, one.user_id, one.reason) for one in found]


def test_break_withdraws_the_request_for_the_next(
    session: Session, settings: Settings, desk: Desk, round_: Round
) -> None:
    assert serving.ask_next(session, desk, None, settings) is None
    serving.take_break(session, desk, BreakReason.PRAYER)
    assert desk.next_asked_at is None
    called_ahead(session, round_)
    assert assignment.match(session) == 0
    serving.take_break(session, desk, None)
    assert (desk.break_reason, desk.break_since) == (None, None)
    assert serving.ask_next(session, desk, None, settings) is not None


def test_next_ends_and_records_the_break(
    session: Session, settings: Settings, desk: Desk, round_: Round
) -> None:
    person = round_permissions.find_at_desk(session, desk.id)
    assert person is not None
    serving.take_break(session, desk, BreakReason.REST)
    serving.take_break(session, desk, BreakReason.REST)  # pressed twice
    serving.take_break(session, desk, BreakReason.MEAL)
    called_ahead(session, round_)
    assert serving.ask_next(session, desk, None, settings) is not None
    assert kept(session) == [(desk.id, person.id, BreakReason.REST), (desk.id, person.id, BreakReason.MEAL)]


def test_break_in_a_conversation_keeps_the_citizen(session: Session, settings: Settings, desk: Desk) -> None:
    callback = speaks(session, desk, settings)
    serving.take_break(session, desk, BreakReason.WRITING)
    session.refresh(callback)
    assert callback.desk_id == desk.id
    assert round_statistics.find_situation(session, callback.round_id).speakers == [], (
        "nobody is called for it"
    )


def test_manual_claim_ends_the_break(
    session: Session,
) -> None:
    user, round_ = make.a_user(session, make.a_desk(session)), make.a_round(session)
    make.a_registration(session, round_)
    assert user.desk is not None and user.desk_id is not None
    serving.take_break(session, user.desk, BreakReason.TECHNICAL)
    assert claims.claim(session, round_id=round_.id, desk_id=user.desk_id, user_id=user.id)
    assert user.desk.break_reason is None
    assert kept(session) == [(user.desk_id, user.id, BreakReason.TECHNICAL)]


def test_break_of_the_screening_operator_keeps_the_citizen(session: Session, desk: Desk) -> None:
    screened = make.a_callback(session, CallbackState.SCREENING)
    screened.desk_id, screened.screen_desk_id = None, desk.id
    session.flush()
    serving.take_break(session, desk, BreakReason.WRITING)
    assert not assignment.is_any_stranded(session)
    assert assignment.take_back(session) == 0


def test_live_desk_on_a_break_gets_no_caller(
    session: Session,
) -> None:
    line = phases.get_operators_line(session)
    desk = a_live_desk(session)
    assert direct_routing.is_any_free(session, line)
    serving.take_break(session, desk, BreakReason.REST)
    assert not direct_routing.is_any_free(session, line)


@pytest.mark.parametrize("reason", BreakReason)
def test_each_break_reason_is_kept_with_its_start(session: Session, desk: Desk, reason: BreakReason) -> None:
    before = make.newest_event(session)
    serving.take_break(session, desk, reason)
    assert desk.break_reason is reason and desk.break_since
    assert [event.what for event in make.told(session, before)] == ["break"]
