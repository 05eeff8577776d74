"""The owner of a place has another number called, whose owner agrees first."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from db.engine import now, reading, writing
from db.models import BlockReason, ConfirmationKind, Registration, Round
from db.states import RegistrationState
from hotline import numbers
from hotline.line import blocked
from tests import factories as make
from tests.ivr.scripts.own_place import (
    WAITS,
    asked,
    become,
    call_in_vain,
    kept,
)
from tests.kit.fake_asterisk import FakeAsterisk

pytestmark = pytest.mark.parametrize("backend", ["sqlite"])  # asked two simple questions


CHANGES = [
    *(("main-menu", "2"), ("follow-up-menu", "3")),
    *(("ask-number", "09137654321#"), ("confirm-number", "1")),
]
OTHER = "+989137654321"


def test_another_number_asks_the_present_one_first(asterisk: FakeAsterisk, engine: Engine, own: Registration):
    heard = asterisk.dial(*CHANGES, caller_id=own.number)

    assert heard.prompts[-5:] == [
        *("follow-up-menu", "ask-number", "confirm-number", "change-call-soon", "goodbye"),
    ]
    assert kept(engine, own).number == own.number, "nobody is lost if nobody picks up there"
    (call,) = asked(engine)
    assert (call.kind, call.number, call.new_number) == (ConfirmationKind.NUMBER, own.number, OTHER)
    with reading(engine) as session:
        assert call.not_before < now(session) + timedelta(seconds=10), "the caller has hung up"


def test_three_other_numbers_a_day_are_enough(asterisk: FakeAsterisk, engine: Engine, own: Registration):
    calls = []
    for _ in range(4):
        calls.append(asterisk.dial(*CHANGES, caller_id=own.number))
        call_in_vain(engine)

    assert [heard.prompts[-2] for heard in calls] == ["change-call-soon"] * 3 + ["number-asked-enough"]


def test_present_number_keyed_in_calls_nobody(asterisk: FakeAsterisk, engine: Engine, own: Registration):
    same = numbers.format_national(own.number)

    heard = asterisk.dial(*CHANGES[:2], ("ask-number", f"{same}#"), CHANGES[3], caller_id=own.number)

    assert heard.prompts[-4:] == [*WAITS, "goodbye"]
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

    assert heard.prompts[-2:] == ["change-call-soon", "goodbye"]
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
