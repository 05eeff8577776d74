"""Which citizens are told by text message, when, and once."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from db.engine import now, reading, writing
from db.models import OutboxKind, Round
from db.states import Phase, RegistrationState
from hotline.line import carry_over, confirmation_calls, registration
from hotline.outbound import heads_up
from hotline.rounds import phases, planning
from tests.factories import (
    a_number,
    a_registration,
    a_round,
    an_official,
    at_once,
    keyed_in,
    some_registrations,
)
from tests.scheduler.citizens_messages import next_round, said, told, two_rounds

ISFAHAN_LINE = "+983132212345"


# Who is told


def test_registered_land_line_gets_no_message(session: Session) -> None:
    registration.register(session, round_id=a_round(session, Phase.OPEN).id, number=ISFAHAN_LINE)
    assert told(session) == []


@pytest.mark.parametrize("by", ["phone", "again"])
def test_keyed_in_number_gets_a_message_once_confirmed(session: Session, by: str) -> None:
    round_, number = a_round(session, Phase.OPEN), a_number()
    asked = keyed_in(session, round_, number)
    assert told(session) == []
    if by == "phone":
        confirmation = confirmation_calls.take_up(session, asked.id)
        assert confirmation is not None and confirmation.token is not None
        confirmation_calls.answer(session, confirmation.token, yes=True)
    else:
        registration.register(session, round_id=round_.id, number=number)
    (text_message,) = told(session)
    assert (text_message.kind, text_message.to) == (OutboxKind.REGISTERED, number)


def test_simultaneous_notifications_tell_each_citizen_once(engine: Engine) -> None:
    with writing(engine) as session:
        some_registrations(session, a_round(session), 3)

    def tell(_: int) -> None:
        with writing(engine) as own:
            heads_up.tell(own, 5)

    at_once(4, tell)
    with reading(engine) as session:
        assert len(told(session)) == 3


def test_moving_line_tells_each_near_citizen_once(
    session: Session,
) -> None:
    round_ = a_round(session)
    line = some_registrations(session, round_, 8)
    for _ in range(2):
        heads_up.tell(session, 5)
    assert [m.registration_id for m in told(session)] == [r.id for r in line[:5]]
    line[0].state = RegistrationState.CALLING
    session.flush()
    for _ in range(2):
        heads_up.tell(session, 5)
    line[0].state = RegistrationState.WAITING  # nobody answered: back at its own place
    session.flush()
    heads_up.tell(session, 5)
    assert [m.registration_id for m in told(session)] == [r.id for r in line[:6]]
    for text_message in told(session):
        assert text_message.kind is OutboxKind.TURN_NEAR
        assert text_message.expires_at is not None
        assert timedelta(minutes=29) < text_message.expires_at - now(session) <= timedelta(minutes=30)


@pytest.mark.parametrize("phase", [Phase.OPEN, Phase.CLOSED, Phase.OVER, Phase.CANCELLED])
def test_only_a_live_round_has_near_citizens(session: Session, phase: Phase) -> None:
    round_ = a_round(session, phase)
    some_registrations(session, round_, 2)
    a_registration(session, phases.get_operators_line(session))
    heads_up.tell(session, 5)
    assert told(session) == []


# Not reached, and what is next


def over(session: Session, round_: Round) -> None:
    phases.end_round(session, round_)
    while carry_over.carry_over(session):
        pass
    carry_over.tell_left(session)


def test_closed_round_tells_the_day_of_the_next(session: Session) -> None:
    first, _ = two_rounds(session)
    a_registration(session, first)
    over(session, first)
    (text_message,) = told(session)
    assert text_message.kind is OutboxKind.CARRIED
    text = said(session, text_message)
    assert text is not None and "چهارشنبه ۱۲ اسفند از ساعت ۹ تا ۱۲" in text


def test_carried_message_names_the_substitute_of_the_next_round(
    session: Session,
) -> None:
    first = a_round(session)
    deputy = an_official(session)
    deputy.office_fa = "معاون شهرسازی"
    session.flush()
    next_round(session, first.official, substitute=deputy)
    a_registration(session, first)
    over(session, first)
    text = said(session, told(session)[0])
    assert text is not None and "معاون شهرسازی" in text


def test_later_next_round_sends_a_second_message(
    session: Session,
) -> None:
    first = a_round(session)
    a_registration(session, first)
    over(session, first)
    (text_message,) = told(session)
    assert text_message.kind is OutboxKind.NOT_REACHED
    assert "زمان دور بعد را پیامک می‌کنیم" in (said(session, text_message) or "")
    next_round(session, first.official)
    over(session, first)
    assert [m.kind for m in told(session)] == [OutboxKind.NOT_REACHED, OutboxKind.CARRIED]
    assert [bool(said(session, m)) for m in told(session)] == [False, True]


def test_cancelled_round_tells_the_next_day_once_known(
    session: Session,
) -> None:
    first = a_round(session, Phase.OPEN)
    a_registration(session, first)
    planning.cancel(session, first, who="test", reason="باران")
    carry_over.carry_over(session)
    carry_over.tell_left(session)
    (text_message,) = told(session)
    assert text_message.kind is OutboxKind.ROUND_CANCELLED
    assert "زمان دور بعد را پیامک می‌کنیم" in (said(session, text_message) or "")
    next_round(session, first.official)
    carry_over.carry_over(session)
    assert [m.kind for m in told(session)] == [OutboxKind.ROUND_CANCELLED, OutboxKind.CARRIED]
    assert "۱۲ اسفند" in (said(session, told(session)[1]) or "")


def test_cancelled_round_with_a_next_sends_one_message(session: Session) -> None:
    first, next_ = two_rounds(session)
    a_registration(session, first)
    planning.cancel(session, first, who="test", reason="باران")
    carry_over.carry_over(session)
    carry_over.tell_left(session)
    (text_message,) = told(session)
    text = said(session, text_message)
    assert text is not None and "لغو شد" in text and "۱۲ اسفند" in text
    planning.cancel(session, next_, who="test", reason="برف")  # before it is sent
    session.flush()
    assert "۱۲ اسفند" not in (said(session, text_message) or "")


def test_closed_place_after_two_missed_rounds_is_told(
    session: Session,
) -> None:
    first, _ = two_rounds(session)
    a_registration(session, first, state=RegistrationState.UNREACHED, rounds_unanswered=1)
    over(session, first)
    (text_message,) = told(session)
    assert text_message.kind is OutboxKind.CLOSED
    assert "بسته شد" in (said(session, text_message) or "")
