"""The owner of a place has another number called, whose owner agrees first."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from db.engine import now, reading, writing
from db.models import BlockReason, ConfirmationKind, Registration, Round
from db.states import RegistrationState
from hotline.line import blocked
from tests import factories as make
from tests.ivr.scripts.own_place import (
    NO_TICKET,
    TICKET,
    asked,
    become,
    kept,
)
from tests.kit.fake_asterisk import FakeAsterisk

pytestmark = pytest.mark.parametrize("backend", ["sqlite"])  # asked two simple questions


CHANGES = [
    *(("main-menu", "2"), ("follow-up-menu", "3"), ("owner-ticket", TICKET + "#")),
    *(("ask-number", "09137654321#"), ("confirm-number", "1")),
]
OTHER = "+989137654321"


def test_the_owner_names_another_number_whose_owner_is_called_first(
    asterisk: FakeAsterisk, engine: Engine, own: Registration
):
    heard = asterisk.dial(*CHANGES, caller_id=own.number)

    assert heard.prompts[-6:] == [
        *("follow-up-menu", "owner-ticket", "ask-number", "confirm-number", "change-number-asked", "goodbye"),
    ]
    assert heard.said("change-number-asked", number="09137654321")
    assert kept(engine, own).number == own.number, "nobody is lost if nobody picks up there"
    (call,) = asked(engine)
    assert (call.kind, call.number, call.asked_by) == (ConfirmationKind.NUMBER, OTHER, own.number)
    with reading(engine) as session:
        assert call.not_before < now(session) + timedelta(seconds=10), "the caller has hung up"


def test_three_other_numbers_a_day_are_enough(asterisk: FakeAsterisk, own: Registration):
    calls = [asterisk.dial(*CHANGES, caller_id=own.number) for _ in range(4)]

    assert [heard.prompts[-2] for heard in calls] == ["change-number-asked"] * 3 + ["too-many-today"]


@pytest.mark.parametrize("keyed", NO_TICKET)
def test_who_has_no_ticket_number_cannot_change_the_number(
    asterisk: FakeAsterisk, engine: Engine, own: Registration, keyed: list[tuple[str, str]]
):
    heard = asterisk.dial(*CHANGES[:2], *keyed, caller_id=own.number)

    assert heard.prompts[-2:] == ["change-needs-ticket", "goodbye"]
    assert asked(engine) == []


def has_a_place(session: Session, round_: Round) -> None:
    make.a_registration(session, round_, number=OTHER)


def is_blocked(session: Session, _round: Round) -> None:
    blocked.block(session, OTHER, BlockReason.OWNER)


@pytest.mark.parametrize("given", [has_a_place, is_blocked])
def test_nothing_is_heard_of_the_other_number(
    asterisk: FakeAsterisk,
    engine: Engine,
    own: Registration,
    given: Callable[[Session, Round], None],
):
    with writing(engine) as session:
        given(session, session.get_one(Round, own.round_id))

    heard = asterisk.dial(*CHANGES, caller_id=own.number)

    assert heard.prompts[-2:] == ["change-number-asked", "goodbye"]
    assert kept(engine, own).number == own.number


def test_the_number_of_one_who_is_being_called_stays(
    asterisk: FakeAsterisk, engine: Engine, own: Registration
):
    become(engine, own, RegistrationState.CALLING)

    heard = asterisk.dial(*CHANGES, caller_id=own.number)

    assert heard.prompts[-2:] == ["status-calling", "goodbye"]
    assert kept(engine, own).number == own.number


def test_a_number_that_is_yet_to_be_confirmed_stays(
    asterisk: FakeAsterisk, engine: Engine, own: Registration
):
    become(engine, own, RegistrationState.UNCONFIRMED)

    heard = asterisk.dial(("main-menu", "2"), ("follow-up-menu", "3"), caller_id=own.number)

    assert heard.prompts[-3:] == ["follow-up-menu", "status-unconfirmed", "goodbye"]
    assert kept(engine, own).number == own.number
