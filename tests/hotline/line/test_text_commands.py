"""What a citizen's text message asks for, and what is answered."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from db.engine import now
from db.models import OutboxKind, Registration
from db.states import RegistrationState
from hotline import delivery, tickets
from hotline.line import registration
from hotline.line.text_commands import ANSWERS_A_DAY, Want, understood
from settings import CITY, QuietHours
from tests import factories as make
from tests.hotline.line.texting import NUMBER, OTHER, Send, fa, places
from tests.kit.databases import on_one  # noqa: F401  (fixture)


@pytest.mark.parametrize(
    ("text", "want", "digits"),
    [
        ("ثبت", Want.REGISTER, ""),
        ("137 ثبت", Want.REGISTER, ""),
        ("۱۳۷ ثبت", Want.REGISTER, ""),
        ("137ثبت", Want.REGISTER, ""),
        ("ثبت‌نام", Want.REGISTER, ""),
        ("ثبت نام", Want.REGISTER, ""),
        ("  ثبت. ", Want.REGISTER, ""),
        ("ثبت ۴۱", Want.REGISTER, "41"),
        ("لغو", Want.CANCEL, ""),
        ("لغو ۱۲۳۴ ۵۶۷۴", Want.CANCEL, "12345674"),
        ("Register", Want.REGISTER, ""),
        ("137 12345674", Want.PLACE, "12345674"),
        ("١٢٣٤٥٦٧٤", Want.PLACE, "12345674"),
        ("1234-5674", Want.PLACE, "12345674"),
        ("137", Want.PLACE, "137"),
        ("سلام", Want.HELP, ""),
        ("ثبت یا لغو", Want.HELP, ""),
        ("", Want.HELP, ""),
    ],
)
def test_given_a_text_as_people_write_it_then_it_is_understood(text: str, want: Want, digits: str) -> None:
    command = understood(text)
    assert (command.want, command.digits) == (want, digits)


@given(st.text(max_size=2000))
def test_given_any_text_then_it_asks_for_something_and_its_digits_are_digits(text: str) -> None:
    command = understood(text)
    assert command.want in Want
    assert command.digits == "" or (command.digits.isascii() and command.digits.isdecimal())


def test_given_forged_texts_that_used_the_answers_up_when_its_owner_sends_its_ticket_then_it_is_answered(
    session: Session, send: Send
) -> None:
    told = registration.register(session, round_id=make.a_round(session).id, number=NUMBER)
    strangers = registration.register(session, round_id=make.a_round(session).id, number=OTHER)
    for _ in range(ANSWERS_A_DAY):
        send("سلام")
    assert send("لغو") == send(strangers.ticket) == ""
    assert "نفر ۱" in send(told.ticket)
    assert "لغو شد" in send(f"لغو {told.ticket}")
    answers = [send(told.ticket) for _ in range(ANSWERS_A_DAY)]
    assert [bool(answer) for answer in answers] == [True] * (ANSWERS_A_DAY - 2) + [False] * 2


def test_given_an_english_text_then_the_answer_and_the_place_are_in_english(
    session: Session, send: Send
) -> None:
    make.a_round(session)
    assert "One more step" in send("register")
    (place,) = places(session)
    assert place.language == "en"
    answer = send(place.ticket)
    assert f"Ticket: {place.ticket}" in answer
    assert f"Ticket {place.ticket}:" in send(place.ticket)


def test_given_a_ticket_number_when_anybody_sends_it_then_the_place_is_answered_and_no_number(
    session: Session, send: Send
) -> None:
    round_ = make.a_round(session)
    registration.register(session, round_id=round_.id, number=OTHER)
    told = registration.register(session, round_id=round_.id, number="+989121112233")
    answer = send(f"137 {told.ticket}")
    assert "نفر ۲ صف" in answer
    assert "۹۱۲" not in answer
    assert "نمی‌شناسیم" in send("12345678")
    assert "/public/number" in send(tickets.draw(tickets.TRACKING))


@pytest.mark.parametrize("state", list(RegistrationState))
def test_given_a_place_in_any_state_when_asked_for_then_something_true_is_answered(
    session: Session, send: Send, state: RegistrationState
) -> None:
    told = registration.register(session, round_id=make.a_round(session).id, number=NUMBER)
    place = session.get_one(Registration, told.registration_id)
    place.state = state
    session.flush()
    answer = send(told.ticket)
    confirmed = {RegistrationState.UNCONFIRMED: "ثبت‌نام شدید"}
    words = confirmed | {RegistrationState.WAITING: "نفر ۱", RegistrationState.CALLING: "هم‌اکنون"}
    kept = {RegistrationState.UNREACHED: "محفوظ"}
    assert (words | kept).get(state, "دیگر در صف نیست") in answer


def test_given_a_place_that_its_round_did_not_reach_when_asked_for_then_it_is_kept(
    session: Session, send: Send
) -> None:
    round_ = make.a_round(session)
    told = registration.register(session, round_id=round_.id, number=NUMBER)
    round_.ended_at = now(session)
    session.flush()
    assert "محفوظ" in send(told.ticket)


def test_given_a_place_when_cancelling_then_the_ticket_is_asked_and_only_with_it_it_is_given_up(
    session: Session, send: Send
) -> None:
    round_ = make.a_round(session)
    told = registration.register(session, round_id=round_.id, number=NUMBER)
    strangers = registration.register(session, round_id=round_.id, number=OTHER)
    ticket = fa(told.ticket)
    assert f"لغو {ticket}" in send("لغو")
    assert "نمی‌شناسیم" in send(f"لغو {strangers.ticket}")
    assert {p.state for p in (*places(session), *places(session, OTHER))} == {RegistrationState.WAITING}
    assert "لغو شد" in send(f"لغو {ticket}")
    assert [p.state for p in places(session)] == [RegistrationState.CANCELLED]
    assert "نیست" in send("لغو")


def test_given_a_ticket_that_was_merged_into_an_older_one_when_cancelling_then_the_place_is_given_up(
    session: Session, send: Send
) -> None:
    kept, merged = (
        session.get_one(Registration, told.registration_id)
        for told in (
            registration.register(session, round_id=make.a_round(session).id, number=NUMBER) for _ in "ab"
        )
    )
    merged.state, merged.merged_into_id = RegistrationState.CANCELLED, kept.id
    session.flush()
    assert "لغو شد" in send(f"لغو {fa(merged.ticket)}")
    assert kept.state is RegistrationState.CANCELLED


def test_given_a_place_that_is_being_called_when_cancelling_then_it_is_told_so_and_stays(
    session: Session, send: Send
) -> None:
    told = registration.register(session, round_id=make.a_round(session).id, number=NUMBER)
    session.get_one(Registration, told.registration_id).state = RegistrationState.CALLING
    session.flush()
    assert "هم‌اکنون" in send(f"لغو {told.ticket}")


def test_given_a_number_that_writes_on_and_on_then_it_hears_that_it_is_enough_and_then_nothing(
    send: Send,
) -> None:
    answers = [send("سلام") for _ in range(ANSWERS_A_DAY + 2)]
    assert [bool(answer) for answer in answers] == [True] * ANSWERS_A_DAY + [False] * 2
    assert "فردا" in answers[ANSWERS_A_DAY - 1]


def test_given_a_land_line_then_nothing_is_answered(send: Send) -> None:
    assert send("ثبت", number="+983132212345") == ""


def test_given_quiet_hours_then_an_answer_goes_out_all_the_same(session: Session, send: Send) -> None:
    make.a_round(session)
    send("ثبت")
    at = now(session)
    local = at.astimezone(CITY)
    quiet = QuietHours((local - make.HOUR).time(), (local + make.HOUR).time())
    taken = delivery.take_up(session, quiet=quiet, texts=True, limit=10)
    assert [text_message.kind for text_message in taken] == [OutboxKind.ANSWER]
