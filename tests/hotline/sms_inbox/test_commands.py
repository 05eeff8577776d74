"""Wishes in a citizen's text message, and their answers."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import update
from sqlalchemy.orm import Session

from db.engine import now
from db.models import OutboxKind, OutboxMessage, Registration
from db.states import RegistrationState
from hotline import tickets
from hotline.errors import Refused
from hotline.line import registration
from hotline.messages import delivery
from hotline.sms_inbox.commands import ANSWERS_A_DAY, Want, parse_command
from settings import CITY, QuietHours
from tests import factories as make
from tests.hotline.sms_inbox.texting import NUMBER, OTHER, Send, fa, places
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
def test_text_as_people_write_it_is_understood(text: str, want: Want, digits: str) -> None:
    command = parse_command(text)
    assert (command.want, command.digits) == (want, digits)


@given(st.text(max_size=2000))
def test_any_text_gives_a_wish_and_ascii_digits(text: str) -> None:
    command = parse_command(text)
    assert command.want in Want
    assert command.digits == "" or (command.digits.isascii() and command.digits.isdecimal())


def test_forged_texts_do_not_block_the_owners_ticket(session: Session, send: Send) -> None:
    told = registration.register(session, round_id=make.a_round(session).id, number=NUMBER)
    strangers = registration.register(session, round_id=make.a_round(session).id, number=OTHER)
    for _ in range(ANSWERS_A_DAY):
        send("سلام")
    assert send("لغو") == send(strangers.ticket) == ""
    assert "نفر ۱" in send(told.ticket)
    (message,) = sent_to_cancel(send(f"لغو {told.ticket}"))
    assert "لغو شد" in send(message)
    answers = [send(told.ticket) for _ in range(ANSWERS_A_DAY)]
    assert [bool(answer) for answer in answers] == [True] * (ANSWERS_A_DAY - 3) + [False] * 3


def test_english_text_gets_english_answer_and_place(session: Session, send: Send) -> None:
    make.a_round(session)
    assert "One more step" in send("register")
    (place,) = places(session)
    assert place.language == "en"
    answer = send(place.ticket)
    assert f"Ticket: {place.ticket}" in answer
    assert f"Ticket {place.ticket}:" in send(place.ticket)


def test_ticket_by_text_is_answered_without_a_number(session: Session, send: Send) -> None:
    round_ = make.a_round(session)
    registration.register(session, round_id=round_.id, number=OTHER)
    told = registration.register(session, round_id=round_.id, number="+989121112233")
    answer = send(f"137 {told.ticket}")
    assert "نفر ۲ صف" in answer
    assert "۹۱۲" not in answer
    assert "نمی‌شناسیم" in send("12345678")
    assert "/public/number" in send(tickets.draw(tickets.TRACKING))


@pytest.mark.parametrize("state", list(RegistrationState))
def test_place_in_any_state_gets_a_true_answer(
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


def test_place_its_round_did_not_reach_is_kept(session: Session, send: Send) -> None:
    round_ = make.a_round(session)
    told = registration.register(session, round_id=round_.id, number=NUMBER)
    round_.ended_at = now(session)
    session.flush()
    assert "محفوظ" in send(told.ticket)


def sent_to_cancel(answer: str) -> list[str]:
    """The messages that the answer to «لغو» says to send."""
    return re.findall("^(لغو [۰-۹]+) :", answer, re.MULTILINE)


def test_cancelling_needs_the_code_of_our_answer(session: Session, send: Send) -> None:
    round_ = make.a_round(session)
    told = registration.register(session, round_id=round_.id, number=NUMBER)
    strangers = registration.register(session, round_id=round_.id, number=OTHER)

    (message,) = sent_to_cancel(send("لغو"))

    assert "نمی‌شناسیم" in send(f"لغو {strangers.ticket}")
    assert "نمی‌شناسیم" in send(message, number=OTHER), "it is of one number"
    assert {p.state for p in (*places(session), *places(session, OTHER))} == {RegistrationState.WAITING}
    answer = send(message)
    assert "لغو شد" in answer and fa(told.ticket) in answer
    assert [p.state for p in places(session)] == [RegistrationState.CANCELLED]
    assert "نیست" in send("لغو")


def test_ticket_heard_by_telephone_cancels_nothing(session: Session, send: Send) -> None:
    """A forged caller hears the ticket number, and forges a text message with it; only its owner reads on."""
    mine = [registration.register(session, round_id=make.a_round(session).id, number=NUMBER) for _ in "ab"]

    answer = send(f"لغو {fa(mine[1].ticket)}")

    assert {p.state for p in places(session)} == {RegistrationState.WAITING}
    (message,) = sent_to_cancel(answer)
    assert mine[1].ticket not in message
    send(message)
    states = [session.get_one(Registration, each.registration_id).state for each in mine]
    assert states == [RegistrationState.WAITING, RegistrationState.CANCELLED]


def test_newest_codes_alone_are_valid(session: Session, send: Send) -> None:
    registration.register(session, round_id=make.a_round(session).id, number=NUMBER)
    (old,) = sent_to_cancel(send("لغو"))
    (new,) = sent_to_cancel(send("لغو"))

    assert "نمی‌شناسیم" in send(old)
    assert "لغو شد" in send(new)


def test_code_behind_137_without_a_gap_is_the_code(session: Session, send: Send) -> None:
    registration.register(session, round_id=make.a_round(session).id, number=NUMBER)
    (message,) = sent_to_cancel(send("لغو"))

    assert "لغو شد" in send(message.replace("لغو ", "لغو ۱۳۷"))


def test_code_of_yesterday_is_void(session: Session, send: Send) -> None:
    registration.register(session, round_id=make.a_round(session).id, number=NUMBER)
    (message,) = sent_to_cancel(send("لغو"))
    session.execute(update(OutboxMessage).values(made_at=now(session) - 25 * make.HOUR))

    assert "نمی‌شناسیم" in send(message)


def test_ticket_merged_into_another_asks_about_that_place(session: Session, send: Send) -> None:
    kept, merged = (
        session.get_one(Registration, told.registration_id)
        for told in (
            registration.register(session, round_id=make.a_round(session).id, number=NUMBER) for _ in "ab"
        )
    )
    merged.state, merged.merged_into_id = RegistrationState.CANCELLED, kept.id
    session.flush()
    (message,) = sent_to_cancel(send(f"لغو {fa(merged.ticket)}"))
    assert "لغو شد" in send(message)
    assert kept.state is RegistrationState.CANCELLED


def test_place_that_is_being_called_is_told_and_stays(session: Session, send: Send) -> None:
    told = registration.register(session, round_id=make.a_round(session).id, number=NUMBER)
    (message,) = sent_to_cancel(send("لغو"))
    session.get_one(Registration, told.registration_id).state = RegistrationState.CALLING
    session.flush()
    assert "هم‌اکنون" in send(message)


@pytest.mark.parametrize("begin", ["137", "۱۳۷", "137 "])
def test_137_glued_to_a_number_is_left_out(session: Session, send: Send, begin: str) -> None:
    told = registration.register(session, round_id=make.a_round(session).id, number=NUMBER)
    tracking = tickets.draw(tickets.TRACKING)

    assert parse_command(begin + told.ticket) == (Want.PLACE, told.ticket, "fa")
    assert parse_command(begin + tracking).digits == tracking
    assert "نفر ۱" in send(begin + told.ticket)


def test_digits_that_are_a_number_of_ours_stay_whole() -> None:
    for kind in (tickets.TICKET, tickets.TRACKING):
        begins = next(n for n in (f"137{tickets.draw(kind)[3:]}" for _ in range(9999)) if _is_right(n, kind))
        assert parse_command(begins).digits == begins
    assert parse_command("1371234").digits == "1371234", "no number of ours stands behind it"


def _is_right(number: str, kind: tickets.Kind) -> bool:
    try:
        return bool(tickets.parse(number, kind))
    except Refused:
        return False


def test_endless_texts_get_one_last_answer(
    send: Send,
) -> None:
    answers = [send("سلام") for _ in range(ANSWERS_A_DAY + 2)]
    assert [bool(answer) for answer in answers] == [True] * ANSWERS_A_DAY + [False] * 2
    assert "فردا" in answers[ANSWERS_A_DAY - 1]


def test_strangers_leave_owners_a_share_of_all_answers(session: Session, send: Send) -> None:
    told = registration.register(session, round_id=make.a_round(session).id, number=NUMBER)
    answers = [send("سلام", number=make.a_number(), answers=10) for _ in range(10)]
    assert [bool(answer) for answer in answers] == [True] * 8 + [False] * 2
    asked = [send(told.ticket, answers=10) for _ in range(3)]
    assert [bool(answer) for answer in asked] == [True] * 2 + [False], "all ten of the day are out"
    session.execute(update(OutboxMessage).values(made_at=now(session) - 25 * make.HOUR))
    assert send("سلام", number=make.a_number(), answers=10)


def test_land_line_gets_no_answer(send: Send) -> None:
    assert send("ثبت", number="+983132212345") == ""


def test_answer_goes_out_in_quiet_hours(session: Session, send: Send) -> None:
    make.a_round(session)
    send("ثبت")
    at = now(session)
    local = at.astimezone(CITY)
    quiet = QuietHours((local - make.HOUR).time(), (local + make.HOUR).time())
    taken = delivery.take_up(session, quiet=quiet, texts=True, limit=10)
    assert [text_message.kind for text_message in taken] == [OutboxKind.ANSWER]
