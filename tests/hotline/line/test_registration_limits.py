"""Limits of registration: who may register, and how often a day."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from db.engine import now, writing
from db.models import BlockReason, Registration
from db.states import RegistrationState
from hotline.errors import Refused
from hotline.line import blocked, registration
from hotline.line.registration import register
from hotline.rounds import phases
from tests.factories import HOUR, NUMBER, a_number, a_registration, a_round, at_once, keyed_in
from tests.kit.refusal import refusal
from tests.kit.shifted_clock import ShiftedClock, clock

__all__ = ["clock"]


def test_daily_limit_refuses_that_number_only(
    session: Session,
) -> None:
    for _ in range(3):
        place = {"round_id": a_round(session).id, "number": NUMBER, "per_day": 3}
        register(session, **place)
    more = a_round(session)
    assert refusal(lambda: register(session, round_id=more.id, number=NUMBER, per_day=3)) == "too-many-today"
    assert not register(session, round_id=more.id, number=a_number(), per_day=3).already
    assert register(session, **place).already, "what it has, it hears of"


@pytest.mark.parametrize("state", [RegistrationState.WAITING, RegistrationState.CANCELLED])
def test_registrations_of_a_leap_do_not_count(
    session: Session, clock: ShiftedClock, state: RegistrationState
) -> None:
    line = phases.get_operators_line(session).id
    clock.shift = timedelta(days=730)
    for _ in range(6):
        a_registration(session, a_round(session), number=NUMBER, state=state, registered_at=now(session))
    clock.shift = timedelta()
    assert not register(session, round_id=a_round(session).id, number=NUMBER, per_day=3).already
    assert not register(session, round_id=line, number=NUMBER, per_day=3).already


def test_given_up_place_allows_one_more_registration(
    session: Session,
) -> None:
    round_ = a_round(session)
    for _ in range(6):
        place = register(session, round_id=round_.id, number=NUMBER, per_day=3)
        registration.cancel(session, place.registration_id)
    again = {"number": NUMBER, "per_day": 3}
    assert refusal(lambda: register(session, round_id=round_.id, **again)) == "too-many-today"
    assert refusal(lambda: register(session, round_id=a_round(session).id, **again)) == "too-many-today"
    line = phases.get_operators_line(session).id
    assert not register(session, round_id=line, **again).already, "the operators' line is counted apart"


def test_operators_talks_do_not_count_towards_a_round(
    session: Session,
) -> None:
    line, own = phases.get_operators_line(session).id, {"number": NUMBER, "per_day": 3}
    for _ in range(3):
        place = register(session, round_id=line, **own)
        session.get_one(Registration, place.registration_id).state = RegistrationState.REACHED
        session.flush()
    assert refusal(lambda: register(session, round_id=line, **own)) == "too-many-today"
    assert not register(session, round_id=a_round(session).id, **own).already


def test_declined_wishes_of_strangers_do_not_count(
    session: Session,
) -> None:
    for _ in range(7):
        asked = keyed_in(session, a_round(session), NUMBER)
        assert asked.registration_id
        registration.withdraw(session, asked.registration_id)
    assert not register(session, round_id=a_round(session).id, number=NUMBER, per_day=3).already


def test_daily_limit_ends_after_24_hours(
    session: Session,
) -> None:
    for hours in (24, 25):
        a_registration(session, a_round(session), number=NUMBER, registered_at=now(session) - hours * HOUR)
    recent = a_registration(session, a_round(session), number=NUMBER)
    recent.registered_at = now(session) - 23 * HOUR
    session.flush()
    register(session, round_id=a_round(session).id, number=NUMBER, per_day=2)
    more = a_round(session)
    assert refusal(lambda: register(session, round_id=more.id, number=NUMBER, per_day=2)) == "too-many-today"


def test_daily_limit_holds_for_simultaneous_registrations(
    engine: Engine,
) -> None:
    for _ in range(5):
        number = a_number()
        with writing(engine) as session:
            round_ids = [a_round(session).id for _ in range(4)]

        def call(which: int, number: str = number, round_ids: list[int] = round_ids) -> str:
            with writing(engine) as session:
                try:
                    register(session, round_id=round_ids[which], number=number, per_day=2)
                except Refused as refused:
                    return refused.code
                return ""

        assert sorted(at_once(4, call)) == ["", "", "too-many-today", "too-many-today"]


@pytest.mark.parametrize("reason", BlockReason)
def test_blocked_number_is_refused(session: Session, reason: BlockReason) -> None:
    round_ = a_round(session)
    blocked.block(session, NUMBER, reason)
    assert refusal(lambda: register(session, round_id=round_.id, number=NUMBER)) == "number-blocked"
