"""Text messages of citizens: what they ask for, what it does, what is answered, once."""

import base64
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from urllib.parse import urlencode

import httpx
import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session
from standardwebhooks import Webhook

from api.app import create
from clerk import wording
from db.engine import now, reading, writing
from db.models import BlockReason, Message, MessageKind, Registration, Round
from db.states import RegistrationState
from hotline import dates, delivery, tickets
from hotline.ledger import verify
from hotline.line import blocked, carry_over, confirmation_calls, registration, text_commands, texted_places
from hotline.line.text_commands import ANSWERS_A_DAY, Want, understood
from settings import CITY, QuietHours, Settings
from tests import factories as make

NUMBER, OTHER = "+989131234567", "+989137654321"
Send = Callable[..., str]


@pytest.fixture
def send(session: Session) -> Send:
    """Sends a text message and returns the answer as it goes out; empty if there is none."""
    names = iter(range(1000))

    def send(text: str, number: str = NUMBER, name: str = "") -> str:
        known = session.scalars(select(Message.id)).all()
        text_commands.received(
            session, number, text, name or str(next(names)), per_day=3, public_url="http://city.example"
        )
        new = session.scalars(select(Message).where(Message.id.not_in(known))).all()
        assert len(new) <= 1, "one answer, and nothing besides"
        words = wording.words(session, new[0]) if new else None
        assert words is None or words.to == number
        return words.text if words else ""

    return send


def _fa(value: object) -> str:
    return dates.digits(value, "fa")


def _asked(session: Session, round_: Round, number: str) -> Registration:
    return texted_places.ask(session, round_id=round_.id, number=number, language="fa", per_day=3)


def _places(session: Session, number: str = NUMBER) -> list[Registration]:
    return list(session.scalars(select(Registration).where(Registration.number == number)))


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


def test_given_one_open_round_when_registering_then_the_place_is_there_and_its_ticket_is_answered(
    session: Session, send: Send
) -> None:
    make.a_round(session)
    asked = send("137 ثبت")
    (place,) = _places(session)
    assert place.state is RegistrationState.UNCONFIRMED, "the sender may be forged"
    assert "یک گام مانده" in asked and _fa(place.ticket) in asked
    assert send("ثبت") == asked
    answer = send(f"137 {_fa(place.ticket)}")
    assert place.state is RegistrationState.WAITING
    assert "ثبت‌نام شدید" in answer and "نفر ۱ صف" in answer and _fa(place.ticket) in answer
    assert "از پیش" in send("ثبت")
    assert len(_places(session)) == 1


def test_given_the_ticket_number_behind_the_word_when_sent_back_then_the_place_is_confirmed_all_the_same(
    session: Session, send: Send
) -> None:
    make.a_round(session)
    send("ثبت")
    (place,) = _places(session)
    assert "نفر ۱ صف" in send(f"ثبت {_fa(place.ticket)}")
    assert place.state is RegistrationState.WAITING


def test_given_forged_senders_when_they_register_then_they_take_no_room_and_confirm_nobodys_place(
    session: Session, send: Send
) -> None:
    round_ = make.a_round(session)
    round_.capacity = 2
    keyed = make.keyed_in(session, round_, OTHER)
    session.flush()
    for n in range(5):
        send("ثبت", number=f"+98913555{n:04}")
    assert send("ثبت", number=OTHER)
    strangers = _places(session, OTHER)[0]
    assert strangers.id == keyed.registration_id and strangers.state is RegistrationState.UNCONFIRMED
    registration.register(session, round_id=round_.id, number=NUMBER, per_day=3)
    send(strangers.ticket, number="+989135550000")
    assert strangers.state is RegistrationState.UNCONFIRMED, "only its own number confirms it"
    assert "نفر" in send(strangers.ticket, number=OTHER)
    assert strangers.state is RegistrationState.WAITING
    late = _places(session, "+989135550000")[0]
    assert "پر شده" in send(late.ticket, number="+989135550000")
    assert late.state is RegistrationState.UNCONFIRMED


def test_given_a_place_that_was_never_confirmed_when_its_round_is_over_then_it_is_carried_nowhere(
    session: Session, send: Send
) -> None:
    round_ = make.a_round(session)
    send("ثبت")
    (place,) = _places(session)
    round_.ended_at = now(session)
    session.flush()
    assert "دیگر در صف نیست" in send(place.ticket)
    next_ = make.a_round(session)
    next_.official_id = round_.official_id
    session.flush()
    told = len(session.scalars(select(Message.id)).all())
    assert carry_over.run(session) == 1
    assert (place.state, place.round_id) == (RegistrationState.CANCELLED, round_.id)
    assert len(session.scalars(select(Message.id)).all()) == told, "nobody hears of it"


def test_given_places_asked_for_by_text_when_confirmed_or_over_with_their_round_then_the_ledger_is_right(
    engine: Engine,
) -> None:
    with writing(engine) as session:
        round_ = make.a_round(session)
        place = _asked(session, round_, NUMBER)
        texted_places.confirm(session, place, per_day=3)
        never = _asked(session, round_, OTHER)
        round_.ended_at = now(session)
        make.a_round(session).official_id = round_.official_id
        session.flush()
        assert carry_over.run(session) == 2
        assert (place.state, never.state) == (RegistrationState.WAITING, RegistrationState.CANCELLED)
    assert verify.verify(engine).problems == []


def test_given_a_place_asked_for_by_text_when_its_number_is_keyed_in_then_its_owner_is_called(
    session: Session, send: Send
) -> None:
    round_ = make.a_round(session)
    send("ثبت")
    (place,) = _places(session)
    assert confirmation_calls.due(session, 10) == [], "who writes is not called"
    keyed = make.keyed_in(session, round_, NUMBER)
    assert keyed.registration_id == place.id
    assert confirmation_calls.due(session, 10) == [keyed.id]
    assert make.keyed_in(session, round_, NUMBER).registration_id is None, "once"
    send(place.ticket)
    assert confirmation_calls.due(session, 10) == []


def test_given_a_limit_a_day_when_places_are_confirmed_then_it_holds(session: Session, send: Send) -> None:
    for _ in range(4):
        send(f"ثبت {make.a_round(session).id}")
    places = _places(session)
    assert len(places) == 4
    answers = [send(place.ticket) for place in places]
    assert ["فردا" in answer for answer in answers] == [False] * 3 + [True]


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


def test_given_open_rounds_when_registering_for_one_that_is_not_among_them_then_the_open_ones_are_told(
    session: Session, send: Send
) -> None:
    rounds_ = [make.a_round(session) for _ in range(2)]
    assert send("ثبت ۹۹۹") == send("ثبت")
    assert _places(session) == []
    send(f"ثبت {_fa(rounds_[1].id)}")
    assert [place.round_id for place in _places(session)] == [rounds_[1].id]


def test_given_the_same_message_twice_then_it_acts_and_is_answered_once(session: Session, send: Send) -> None:
    make.a_round(session)
    assert send("ثبت", name="same")
    (place,) = _places(session)
    registration.cancel(session, place.id)
    assert send("ثبت", name="same") == ""
    assert [p.state for p in _places(session)] == [RegistrationState.CANCELLED]


def test_given_two_open_rounds_when_registering_then_both_are_offered_and_one_can_be_chosen(
    session: Session, send: Send
) -> None:
    first, second = make.a_round(session), make.a_round(session)
    answer = send("ثبت")
    assert _places(session) == []
    assert all(f"ثبت {_fa(r.id)} :" in answer for r in (first, second))
    send(f"ثبت {_fa(second.id)}")
    assert [p.round_id for p in _places(session)] == [second.id]


def test_given_an_english_text_then_the_answer_and_the_place_are_in_english(
    session: Session, send: Send
) -> None:
    make.a_round(session)
    assert "One more step" in send("register")
    (place,) = _places(session)
    assert place.language == "en"
    answer = send(place.ticket)
    assert f"Ticket: {place.ticket}" in answer
    assert f"Ticket {place.ticket}:" in send(place.ticket)


@pytest.mark.parametrize("case", ["none", "full", "too-many", "blocked"])
def test_given_a_rule_that_refuses_when_registering_then_that_is_answered_and_there_is_no_place(
    session: Session, send: Send, case: str
) -> None:
    if case == "full":
        round_ = make.a_round(session)
        round_.capacity = 1
        session.flush()
        registration.register(session, round_id=round_.id, number=OTHER)
    elif case == "too-many":
        for _ in range(3):
            registration.register(session, round_id=make.a_round(session).id, number=NUMBER)
        round_ = make.a_round(session)
    elif case == "blocked":
        make.a_round(session)
        blocked.block(session, NUMBER, BlockReason.NUISANCE)
    had = len(_places(session))
    words = {"none": "باز نیست", "full": "پر شده", "too-many": "فردا", "blocked": ""}
    answer = send(f"ثبت {round_.id}" if case == "too-many" else "ثبت")
    assert words[case] in answer
    assert (answer == "") == (case == "blocked"), "who is blocked is written to by nobody"
    assert len(_places(session)) == had


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
    assert "/public/request" in send(tickets.draw(tickets.TRACKING))


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
    ticket = _fa(told.ticket)
    assert f"لغو {ticket}" in send("لغو")
    assert "نمی‌شناسیم" in send(f"لغو {strangers.ticket}")
    assert {p.state for p in (*_places(session), *_places(session, OTHER))} == {RegistrationState.WAITING}
    assert "لغو شد" in send(f"لغو {ticket}")
    assert [p.state for p in _places(session)] == [RegistrationState.CANCELLED]
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
    assert "لغو شد" in send(f"لغو {_fa(merged.ticket)}")
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
    assert [text_message.kind for text_message in taken] == [MessageKind.ANSWER]


SECRET = f"whsec_{base64.b64encode(b'of the text messages, 137').decode()}"


@pytest.fixture
def post(settings: Settings, engine: Engine) -> Callable[..., httpx.Response]:
    """Posts to the application as a provider does."""
    ready = settings.model_copy(update={"sms_inbound_secret": SECRET, "sms_provider": "console"})
    client = TestClient(create(ready))

    def post(way: str, content: bytes, **more: Mapping[str, str]) -> httpx.Response:
        return client.post(f"/api/v1/texts{way}", content=content, **more)  # type: ignore[arg-type]

    return post


def _form(text: str = "ثبت", **more: str) -> bytes:
    fields = {"messageid": "7", "from": "09131234567", "to": "10004346", "message": text}
    return urlencode(fields | more).encode()


def _signed(body: bytes, at: datetime | None = None, secret: str = SECRET) -> dict[str, str]:
    at = at or datetime.now(UTC)
    return {
        "webhook-id": "m7",
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret).sign("m7", at, body.decode()),
    }


def test_given_both_providers_when_they_post_then_each_number_is_registered_once(
    engine: Engine, post: Callable[..., httpx.Response]
) -> None:
    with writing(engine) as session:
        make.a_round(session)
    body = json.dumps({"id": "7", "from": OTHER, "text": "ثبت"}).encode()
    for _ in range(2):
        assert post("/kavenegar", _form(), params={"secret": SECRET}).status_code == 204
        assert post("", body, headers=_signed(body)).status_code == 204
    with reading(engine) as session:
        assert [len(_places(session, number)) for number in (NUMBER, OTHER)] == [1, 1]
        answered = session.scalars(select(Message.to).where(Message.kind == MessageKind.ANSWER)).all()
    assert sorted(answered) == sorted([NUMBER, OTHER])


@pytest.mark.parametrize("sender", ["10004346", "+14155550100", "not a number"])
def test_given_a_sender_whom_nobody_could_call_then_it_is_taken_and_nothing_happens(
    engine: Engine, post: Callable[..., httpx.Response], sender: str
) -> None:
    assert post("/kavenegar", _form(**{"from": sender}), params={"secret": SECRET}).status_code == 204
    with reading(engine) as session:
        assert session.scalars(select(Message.id)).all() == []


def test_given_who_does_not_know_the_secret_then_nothing_is_taken(
    engine: Engine, post: Callable[..., httpx.Response]
) -> None:
    with writing(engine) as session:
        make.a_round(session)
    body = json.dumps({"id": "7", "from": OTHER, "text": "ثبت"}).encode()
    old = datetime(2026, 1, 1, tzinfo=UTC)
    stranger = f"whsec_{base64.b64encode(b'x' * 24).decode()}"
    refused = [
        post("/kavenegar", _form()),
        post("/kavenegar", _form(), params={"secret": "wrong"}),
        post("", body),
        post("", body, headers=_signed(body, at=old)),
        post("", body, headers=_signed(body, secret=stranger)),
        post("", body + b" ", headers=_signed(body)),
        post("", b"\xff\xfe", headers=_signed(b"x")),
        post("", body, headers=_signed(body) | {"webhook-signature": "v1"}),
    ]
    assert {answer.status_code for answer in refused} == {403}
    with reading(engine) as session:
        assert _places(session) == _places(session, OTHER) == []


@pytest.mark.parametrize(
    "body", [b"[]", b"null", b"{", b'{"id":"1"}', b'{"id":1,"from":[],"text":{}}', b"[" * 5000]
)
def test_given_a_body_that_is_no_message_when_it_is_signed_then_that_is_said(
    post: Callable[..., httpx.Response], body: bytes
) -> None:
    assert post("", body, headers=_signed(body)).status_code == 422


def test_given_a_form_that_is_no_message_then_that_is_said(post: Callable[..., httpx.Response]) -> None:
    assert post("/kavenegar", b"\xff=\xfe&a", params={"secret": SECRET}).status_code == 422
    many = "&".join(f"a{each}=1" for each in range(25)).encode()
    assert post("/kavenegar", many, params={"secret": SECRET}).status_code == 422


def test_given_no_secret_is_set_then_no_text_messages_are_taken(settings: Settings) -> None:
    client = TestClient(create(settings))
    assert client.post("/api/v1/texts/kavenegar", content=_form()).status_code == 404
