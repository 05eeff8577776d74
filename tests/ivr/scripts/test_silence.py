"""Who presses nothing that helps gets a person: told so, once a day; and has more time in the next call."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine, select, update

from db.engine import now, reading, writing
from db.models import Registration, Round, SilentCaller
from db.states import Phase, RegistrationState
from hotline.line import silences
from settings import Settings
from tests import factories as make
from tests.kit.fake_asterisk import HANG_UP, FakeAsterisk

OWN = "+989131234567"
PERSON = ["silence-operator", "operator-registered", "ticket-again", "goodbye"]


def in_line(engine: Engine) -> list[Registration]:
    """Who waits for an operator's call."""
    with reading(engine) as session:
        line = select(Registration).join(Round).where(Round.is_operators_line.is_(True))
        return list(session.scalars(line.order_by(Registration.id)))


def test_given_a_silent_caller_when_two_questions_pass_then_an_operator_calls_and_the_ticket_is_told(
    asterisk: FakeAsterisk, engine: Engine
):
    heard = asterisk.dial()

    (kept,) = in_line(engine)
    assert (kept.number, kept.state) == (OWN, RegistrationState.WAITING)
    assert heard.prompts[-4:] == PERSON
    assert heard.said("operator-registered", ticket=kept.ticket)
    assert heard.finished


def test_given_a_silent_caller_who_hangs_up_while_it_is_told_then_nobody_is_called(
    asterisk: FakeAsterisk, engine: Engine
):
    asterisk.dial(("silence-operator", HANG_UP))

    assert in_line(engine) == []


def test_given_a_number_that_was_silent_today_when_it_is_again_then_it_has_no_second_place(
    asterisk: FakeAsterisk, engine: Engine
):
    asterisk.dial()
    with writing(engine) as session:
        session.execute(update(Registration).values(state=RegistrationState.CANCELLED))

    heard = asterisk.dial()
    assert heard.prompts[-1] == "goodbye-how"
    assert [kept.state for kept in in_line(engine)] == [RegistrationState.CANCELLED]

    with writing(engine) as session:
        session.execute(update(SilentCaller).values(operator_at=now(session) - timedelta(days=1, minutes=1)))
    assert asterisk.dial().prompts[-4:] == PERSON
    assert len(in_line(engine)) == 2


@pytest.mark.parametrize("caller_id", ["", "anonymous", "+4930123456"])
def test_given_no_number_to_call_when_two_questions_pass_then_the_caller_hears_what_helps(
    asterisk: FakeAsterisk, engine: Engine, caller_id: str
):
    assert asterisk.dial(caller_id=caller_id).prompts[-1] == "silence-no-number"
    assert asterisk.dial(("main-menu", "0"), caller_id=caller_id).prompts[-1] == "silence-no-number"
    assert in_line(engine) == []


def test_given_a_caller_who_was_late_once_when_they_call_again_then_all_is_slower_with_twice_the_time(
    asterisk: FakeAsterisk, engine: Engine, settings: Settings
):
    with writing(engine) as session:
        make.a_round(session, Phase.OPEN)
    asterisk.dial(("no-key-again", "1"), ("confirm-number", "1"))

    heard = asterisk.dial(("after menu-english", "2"))

    assert heard.prompts[:2] == ["greeting", "main-menu-slow"]
    assert set(heard.waits_ms) <= {settings.answer_seconds * 2000, round(settings.answer_seconds * 24000 / 7)}


def test_given_a_caller_who_skips_what_may_be_skipped_by_silence_then_that_is_no_lateness(
    asterisk: FakeAsterisk, engine: Engine
):
    with writing(engine) as session:
        make.a_round(session, Phase.OPEN)

    asterisk.dial(("main-menu", "1"), ("confirm-number", "1"))

    with reading(engine) as session:
        assert session.scalars(select(SilentCaller)).all() == []


def test_given_somebody_who_was_late_long_ago_when_the_clerk_forgets_then_only_they_are_forgotten(
    engine: Engine,
):
    with writing(engine) as session:
        for number, days in (("+989131234567", 91), ("+989131234568", 89)):
            silences.note(session, number)
            session.flush()
            at = now(session) - timedelta(days=days)
            session.execute(update(SilentCaller).filter_by(number=number).values(silent_at=at))

        silences.forget(session)

        assert session.scalars(select(SilentCaller.number)).all() == ["+989131234568"]


def test_given_a_number_that_was_late_long_ago_when_it_has_an_operator_then_that_is_not_forgotten(
    engine: Engine,
):
    with writing(engine) as session:
        silences.note(session, OWN)
        session.flush()
        session.execute(update(SilentCaller).values(silent_at=now(session) - timedelta(days=91)))
        session.expire_all()

        assert silences.has_turn(session, OWN)
        session.flush()
        silences.forget(session)

        assert not silences.has_turn(session, OWN), "once a day"
