"""Places asked for by text message count once their ticket is sent back."""

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from db.engine import now, writing
from db.models import BlockReason, OutboxMessage, Registration, Round
from db.states import RegistrationState
from hotline.ledger import verify
from hotline.line import blocked, carry_over, confirmation_calls, registration
from hotline.sms_inbox import registrations
from tests import factories as make
from tests.hotline.sms_inbox.texting import NUMBER, OTHER, Send, fa, places


def _asked(session: Session, round_: Round, number: str) -> Registration:
    return registrations.ask(session, round_id=round_.id, number=number, language="fa", per_day=3)


def test_registration_by_text_is_answered_with_its_ticket(session: Session, send: Send) -> None:
    make.a_round(session)
    asked = send("137 ثبت")
    (place,) = places(session)
    assert place.state is RegistrationState.UNCONFIRMED, "the sender may be forged"
    assert "یک گام مانده" in asked and fa(place.ticket) in asked
    assert send("ثبت") == asked
    answer = send(f"137 {fa(place.ticket)}")
    assert place.state is RegistrationState.WAITING
    assert "ثبت‌نام شدید" in answer and "نفر ۱ صف" in answer and fa(place.ticket) in answer
    assert "از پیش" in send("ثبت")
    assert len(places(session)) == 1


def test_word_and_ticket_confirm_the_place(session: Session, send: Send) -> None:
    make.a_round(session)
    send("ثبت")
    (place,) = places(session)
    assert "نفر ۱ صف" in send(f"ثبت {fa(place.ticket)}")
    assert place.state is RegistrationState.WAITING


def test_forged_senders_take_no_capacity_and_confirm_nothing(session: Session, send: Send) -> None:
    round_ = make.a_round(session)
    round_.capacity = 2
    keyed = make.keyed_in(session, round_, OTHER)
    session.flush()
    for n in range(5):
        send("ثبت", number=f"+98913555{n:04}")
    assert send("ثبت", number=OTHER)
    strangers = places(session, OTHER)[0]
    assert strangers.id == keyed.registration_id and strangers.state is RegistrationState.UNCONFIRMED
    registration.register(session, round_id=round_.id, number=NUMBER, per_day=3)
    assert "از همان شماره" in send(strangers.ticket, number="+989135550000")
    assert strangers.state is RegistrationState.UNCONFIRMED, "only its own number confirms it"
    assert "نفر" in send(strangers.ticket, number=OTHER)
    assert strangers.state is RegistrationState.WAITING
    late = places(session, "+989135550000")[0]
    assert "پر شده" in send(late.ticket, number="+989135550000")
    assert late.state is RegistrationState.UNCONFIRMED


def test_unconfirmed_texted_place_is_not_carried(session: Session, send: Send) -> None:
    round_ = make.a_round(session)
    send("ثبت")
    (place,) = places(session)
    round_.ended_at = now(session)
    session.flush()
    assert "دیگر در صف نیست" in send(place.ticket)
    next_ = make.a_round(session)
    next_.official_id = round_.official_id
    session.flush()
    told = len(session.scalars(select(OutboxMessage.id)).all())
    assert carry_over.carry_over(session) == 1
    assert (place.state, place.round_id) == (RegistrationState.CANCELLED, round_.id)
    assert len(session.scalars(select(OutboxMessage.id)).all()) == told, "nobody hears of it"


def test_texted_places_keep_the_ledger_valid(
    engine: Engine,
) -> None:
    with writing(engine) as session:
        round_ = make.a_round(session)
        place = _asked(session, round_, NUMBER)
        registrations.confirm(session, place, per_day=3)
        never = _asked(session, round_, OTHER)
        round_.ended_at = now(session)
        make.a_round(session).official_id = round_.official_id
        session.flush()
        assert carry_over.carry_over(session) == 2
        assert (place.state, never.state) == (RegistrationState.WAITING, RegistrationState.CANCELLED)
    assert verify.verify(engine).problems == []


def test_texted_place_keyed_in_by_phone_is_called(session: Session, send: Send) -> None:
    round_ = make.a_round(session)
    send("ثبت")
    (place,) = places(session)
    assert confirmation_calls.list_due(session, 10) == [], "who writes is not called"
    keyed = make.keyed_in(session, round_, NUMBER)
    assert keyed.registration_id == place.id
    assert confirmation_calls.list_due(session, 10) == [keyed.id]
    assert make.keyed_in(session, round_, NUMBER).registration_id is None, "once"
    send(place.ticket)
    assert confirmation_calls.list_due(session, 10) == []


def test_daily_limit_holds_for_confirmed_texts(session: Session, send: Send) -> None:
    for _ in range(4):
        send(f"ثبت {make.a_round(session).id}")
    made = places(session)
    assert len(made) == 4
    answers = [send(place.ticket) for place in made]
    assert ["فردا" in answer for answer in answers] == [False] * 3 + [True]


def test_unknown_round_by_text_lists_the_open_ones(session: Session, send: Send) -> None:
    rounds_ = [make.a_round(session) for _ in range(2)]
    assert send("ثبت ۹۹۹") == send("ثبت")
    assert places(session) == []
    send(f"ثبت {fa(rounds_[1].id)}")
    assert [place.round_id for place in places(session)] == [rounds_[1].id]


def test_two_open_rounds_by_text_offer_a_choice(session: Session, send: Send) -> None:
    first, second = make.a_round(session), make.a_round(session)
    answer = send("ثبت")
    assert places(session) == []
    assert all(f"ثبت {fa(r.id)} :" in answer for r in (first, second))
    send(f"ثبت {fa(second.id)}")
    assert [p.round_id for p in places(session)] == [second.id]


@pytest.mark.parametrize("case", ["none", "full", "too-many", "blocked"])
def test_refusal_by_a_rule_is_answered_without_a_place(session: Session, send: Send, case: str) -> None:
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
    had = len(places(session))
    words = {"none": "باز نیست", "full": "پر شده", "too-many": "فردا", "blocked": ""}
    answer = send(f"ثبت {round_.id}" if case == "too-many" else "ثبت")
    assert words[case] in answer
    assert (answer == "") == (case == "blocked"), "who is blocked is written to by nobody"
    assert len(places(session)) == had
