"""The owner of a place gives it up, with the ticket number or by a call to the number."""

import pytest
from sqlalchemy import Engine, select

from db.engine import reading, writing
from db.models import Confirmation, ConfirmationKind, OutboxKind, OutboxMessage, Registration
from db.states import RegistrationState
from tests import factories as make
from tests.ivr.scripts.own_place import CANCELS, NO_TICKET, TICKET, become, kept
from tests.kit.fake_asterisk import FakeAsterisk

pytestmark = pytest.mark.parametrize("backend", ["sqlite"])  # asked two simple questions


def test_the_owner_cancels_with_a_second_key_that_is_meant_and_the_ticket_number(
    asterisk: FakeAsterisk, engine: Engine, own: Registration
):
    heard = asterisk.dial(*CANCELS, ("owner-ticket", TICKET + "#"), caller_id=own.number)

    assert heard.prompts[-5:] == [
        *("follow-up-menu", "cancel-confirm", "owner-ticket", "cancelled-now", "goodbye"),
    ]
    assert kept(engine, own).state is RegistrationState.CANCELLED
    with reading(engine) as session:
        assert [m.kind for m in session.scalars(select(OutboxMessage))] == [OutboxKind.CANCELLED]


def test_a_place_that_somebody_else_asked_for_is_given_up_without_a_ticket_number(
    asterisk: FakeAsterisk, engine: Engine, own: Registration
):
    become(engine, own, RegistrationState.UNCONFIRMED)

    heard = asterisk.dial(*CANCELS, caller_id=own.number)

    assert heard.prompts[-3:] == ["cancel-confirm", "cancelled-now", "goodbye"]
    assert kept(engine, own).state is RegistrationState.CANCELLED
    with reading(engine) as session:
        assert session.scalars(select(OutboxMessage)).all() == []


def test_a_ticket_number_that_leads_to_the_place_will_do(
    asterisk: FakeAsterisk, engine: Engine, own: Registration
):
    with writing(engine) as session:
        gave_way = make.a_registration(
            session, make.a_round(session), state=RegistrationState.CANCELLED, merged_into_id=own.id
        )

    heard = asterisk.dial(*CANCELS, ("owner-ticket", gave_way.ticket + "#"), caller_id=own.number)

    assert heard.prompts[-2:] == ["cancelled-now", "goodbye"]


@pytest.mark.parametrize("keyed", NO_TICKET)
@pytest.mark.parametrize(("key", "said", "asked"), [("1", "cancel-call-soon", 1), ("#", "not-cancelled", 0)])
def test_who_has_no_ticket_number_is_called_and_keeps_the_place_until_then(
    asterisk: FakeAsterisk,
    engine: Engine,
    own: Registration,
    keyed: list[tuple[str, str]],
    key: str,
    said: str,
    asked: int,
):
    heard = asterisk.dial(*CANCELS, *keyed, ("cancel-call-offer", key), caller_id=own.number)

    assert heard.prompts[-3:] == ["cancel-call-offer", said, "goodbye"]
    assert kept(engine, own).state is RegistrationState.WAITING
    with reading(engine) as session:
        calls = [(c.kind, c.number, c.registration_id) for c in session.scalars(select(Confirmation))]
    assert calls == [(ConfirmationKind.CANCELLATION, own.number, own.id)] * asked


def test_who_is_silent_about_the_ticket_number_keeps_the_place(
    asterisk: FakeAsterisk, engine: Engine, own: Registration
):
    heard = asterisk.dial(*CANCELS, caller_id=own.number)

    assert heard.prompts[-2:] == ["ticket-again", "goodbye"]
    assert kept(engine, own).state is RegistrationState.WAITING
    with reading(engine) as session:
        assert session.scalars(select(Confirmation)).all() == []


def test_who_asks_for_that_call_too_often_is_told_so(
    asterisk: FakeAsterisk, engine: Engine, own: Registration
):
    steps = [*CANCELS, ("owner-ticket", "#"), ("cancel-call-offer", "1")]
    calls = [asterisk.dial(*steps, caller_id=own.number) for _ in range(4)]

    assert [heard.prompts[-2] for heard in calls] == ["cancel-call-soon"] * 3 + ["too-many-today"]


@pytest.mark.parametrize("key", "12346789#")
def test_any_other_key_keeps_the_registration(
    asterisk: FakeAsterisk, engine: Engine, own: Registration, key: str
):
    heard = asterisk.dial(
        *(("main-menu", "2"), ("follow-up-menu", "2"), ("cancel-confirm", key)), caller_id=own.number
    )

    assert heard.prompts[-3:] == ["cancel-confirm", "not-cancelled", "goodbye"]
    assert kept(engine, own).state is RegistrationState.WAITING


def test_silence_keeps_the_registration(asterisk: FakeAsterisk, engine: Engine, own: Registration):
    heard = asterisk.dial(("main-menu", "2"), ("follow-up-menu", "2"), caller_id=own.number)

    assert heard.prompts[-2:] == ["ticket-again", "goodbye"]
    assert kept(engine, own).state is RegistrationState.WAITING


def test_who_is_being_called_at_that_moment_cannot_cancel_and_is_asked_to_hang_up(
    asterisk: FakeAsterisk, engine: Engine, own: Registration
):
    heard = asterisk.dial(
        *(("main-menu", "2"), ("follow-up-menu", "2")),
        ("cancel-confirm", lambda: become(engine, own, RegistrationState.CALLING)),
        *(("after cancel-confirm", "5"), ("owner-ticket", TICKET + "#")),
        caller_id=own.number,
    )

    assert heard.prompts[-4:] == ["cancel-confirm", "owner-ticket", "status-calling", "goodbye"]
    assert kept(engine, own).state is RegistrationState.CALLING
