"""A citizen with a place in the line, who calls from its number and gives it up."""

import pytest
from sqlalchemy import Engine, select

from db.engine import reading
from db.models import ConfirmationKind, OutboxMessage, Registration
from db.states import RegistrationState
from tests.ivr.scripts.own_place import CANCELS, asked, become, call_in_vain, kept, take_up_call
from tests.kit.fake_asterisk import FakeAsterisk

pytestmark = pytest.mark.parametrize("backend", ["sqlite"])  # asked two simple questions


@pytest.mark.parametrize("state", [RegistrationState.WAITING, RegistrationState.UNCONFIRMED])
def test_cancelling_asks_the_number_by_a_call(
    asterisk: FakeAsterisk, engine: Engine, own: Registration, state: RegistrationState
):
    become(engine, own, state)

    heard = asterisk.dial(*CANCELS, caller_id=own.number)

    assert heard.prompts[-4:] == ["follow-up-menu", "cancel-confirm", "cancel-call-soon", "goodbye"]
    assert kept(engine, own).state is state, "the place stays until the number itself agrees"
    (call,) = asked(engine)
    assert (call.kind, call.number, call.registration_id) == (
        *(ConfirmationKind.CANCELLATION, own.number, own.id),
    )
    with reading(engine) as session:
        assert session.scalars(select(OutboxMessage)).all() == []


def test_fourth_wish_of_a_day_is_refused(asterisk: FakeAsterisk, engine: Engine, own: Registration):
    calls = []
    for _ in range(4):
        calls.append(asterisk.dial(*CANCELS, caller_id=own.number))
        call_in_vain(engine)

    assert [heard.prompts[-2] for heard in calls] == ["cancel-call-soon"] * 3 + ["number-asked-enough"]


def test_who_was_asked_enough_reaches_an_operator_by_0(
    asterisk: FakeAsterisk, engine: Engine, own: Registration
):
    for _ in range(3):
        asterisk.dial(*CANCELS, caller_id=own.number)
        call_in_vain(engine)

    heard = asterisk.dial(*CANCELS, ("number-asked-enough", "0"), caller_id=own.number)

    assert heard.prompts[-2:] != ["number-asked-enough", "goodbye"]
    assert "operator-busy" in heard.prompts


def test_wish_during_the_call_about_another_says_so(
    asterisk: FakeAsterisk, engine: Engine, own: Registration
):
    asterisk.dial(*CANCELS, caller_id=own.number)
    assert take_up_call(engine)

    move = [("main-menu", "2"), ("follow-up-menu", "3"), ("ask-number", "09137654321#")]
    heard = asterisk.dial(*move, ("confirm-number", "1"), caller_id=own.number)

    assert heard.prompts[-2:] == ["number-being-asked", "goodbye"]


@pytest.mark.parametrize("key", "12346789#")
def test_any_other_key_keeps_the_registration(
    asterisk: FakeAsterisk, engine: Engine, own: Registration, key: str
):
    heard = asterisk.dial(
        *(("main-menu", "2"), ("follow-up-menu", "2"), ("cancel-confirm", key)), caller_id=own.number
    )

    assert heard.prompts[-3:] == ["cancel-confirm", "not-cancelled", "goodbye"]
    assert asked(engine) == []


def test_silence_keeps_the_registration(asterisk: FakeAsterisk, engine: Engine, own: Registration):
    heard = asterisk.dial(("main-menu", "2"), ("follow-up-menu", "2"), caller_id=own.number)

    assert heard.prompts[-2:] == ["ticket-again", "goodbye"]
    assert asked(engine) == []


def test_place_that_is_being_called_is_not_given_up(
    asterisk: FakeAsterisk, engine: Engine, own: Registration
):
    heard = asterisk.dial(
        *(("main-menu", "2"), ("follow-up-menu", "2")),
        ("cancel-confirm", lambda: become(engine, own, RegistrationState.CALLING)),
        ("after cancel-confirm", "5"),
        caller_id=own.number,
    )

    assert heard.prompts[-3:] == ["cancel-confirm", "status-calling", "goodbye"]
    assert asked(engine) == []
