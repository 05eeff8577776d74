"""Places asked for by text message count once their ticket is sent back."""

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from db.engine import now, writing
from db.models import BlockReason, OutboxMessage, Registration, Round
from db.states import RegistrationState
from hotline.ledger import verify
from hotline.line import blocked, carry_over, confirmation_calls, registration, texted_places
from tests import factories as make
from tests.hotline.line.texting import NUMBER, OTHER, Send, fa, places


def _asked(session: Session, round_: Round, number: str) -> Registration:
    return texted_places.ask(session, round_id=round_.id, number=number, language="fa", per_day=3)


def test_given_one_open_round_when_registering_then_the_place_is_there_and_its_ticket_is_answered(
    session: Session, send: Send
) -> None:
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


def test_given_the_ticket_number_behind_the_word_when_sent_back_then_the_place_is_confirmed_all_the_same(
    session: Session, send: Send
) -> None:
    make.a_round(session)
    send("ثبت")
    (place,) = places(session)
    assert "نفر ۱ صف" in send(f"ثبت {fa(place.ticket)}")
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


def test_given_a_place_that_was_never_confirmed_when_its_round_is_over_then_it_is_carried_nowhere(
    session: Session, send: Send
) -> None:
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
    assert carry_over.run(session) == 1
    assert (place.state, place.round_id) == (RegistrationState.CANCELLED, round_.id)
    assert len(session.scalars(select(OutboxMessage.id)).all()) == told, "nobody hears of it"


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
    (place,) = places(session)
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
    made = places(session)
    assert len(made) == 4
    answers = [send(place.ticket) for place in made]
    assert ["فردا" in answer for answer in answers] == [False] * 3 + [True]


def test_given_open_rounds_when_registering_for_one_that_is_not_among_them_then_the_open_ones_are_told(
    session: Session, send: Send
) -> None:
    rounds_ = [make.a_round(session) for _ in range(2)]
    assert send("ثبت ۹۹۹") == send("ثبت")
    assert places(session) == []
    send(f"ثبت {fa(rounds_[1].id)}")
    assert [place.round_id for place in places(session)] == [rounds_[1].id]


def test_given_two_open_rounds_when_registering_then_both_are_offered_and_one_can_be_chosen(
    session: Session, send: Send
) -> None:
    first, second = make.a_round(session), make.a_round(session)
    answer = send("ثبت")
    assert places(session) == []
    assert all(f"ثبت {fa(r.id)} :" in answer for r in (first, second))
    send(f"ثبت {fa(second.id)}")
    assert [p.round_id for p in places(session)] == [second.id]


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
    had = len(places(session))
    words = {"none": "باز نیست", "full": "پر شده", "too-many": "فردا", "blocked": ""}
    answer = send(f"ثبت {round_.id}" if case == "too-many" else "ثبت")
    assert words[case] in answer
    assert (answer == "") == (case == "blocked"), "who is blocked is written to by nobody"
    assert len(places(session)) == had
