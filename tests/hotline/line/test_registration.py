"""Registering: one place per number and round, durable and whole."""

from inspect import signature

import pytest
from sqlalchemy import Engine, func, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from clerk import wording
from db import events
from db.engine import connect, now, reading, writing
from db.models import AuditEntry, BlockReason, Event, Message, MessageKind, Registration, Round, User
from db.states import Fact, Outcome, Phase, RegistrationState
from hotline import tickets
from hotline.callbacks import claims
from hotline.errors import Refused
from hotline.ledger import ledger
from hotline.line import blocked, registration, registration_limits
from hotline.line.registration import Registered, register
from hotline.rounds import rounds
from tests.factories import (
    HOUR,
    NUMBER,
    SECOND,
    a_desk,
    a_number,
    a_registration,
    a_round,
    a_ticket,
    a_user,
    at_once,
    some_registrations,
    told,
)
from tests.kit.refusal import refusal


class HungUp(Exception):
    """The caller is gone in the middle of the transaction."""


def test_given_an_open_round_when_a_number_registers_then_it_has_a_whole_place_and_a_ticket(
    engine: Engine,
) -> None:
    with writing(engine) as session:
        round_ = a_round(session, Phase.OPEN)
        before = now(session)
    with writing(engine) as session:
        told = register(session, round_id=round_.id, number=NUMBER)
    with reading(engine) as session:
        kept = registration.find(session, told.ticket)
        assert before <= kept.registered_at <= now(session)
        assert tickets.parse(told.ticket) == told.ticket
        assert (told.before_me, told.already) == (0, False)
        assert (kept.round_id, kept.number, kept.language) == (round_.id, NUMBER, "fa")
        assert (kept.state, kept.rounds_missed, kept.attempts) == (RegistrationState.WAITING, 0, 0)
        assert (kept.not_before, kept.last_outcome) == (None, None)


def test_given_a_registered_number_when_it_registers_again_then_it_hears_the_ticket_and_place_it_has(
    engine: Engine,
) -> None:
    with writing(engine) as session:
        round_ = a_round(session)
        some_registrations(session, round_, 2)
        first = register(session, round_id=round_.id, number=NUMBER)
        some_registrations(session, round_, 1, registered_at=now(session) + SECOND)
    with writing(engine) as session:
        again = register(session, round_id=round_.id, number=NUMBER)
    assert again == Registered(first.registration_id, first.ticket, before_me=2, already=True)


def test_given_one_number_when_it_registers_from_20_lines_at_once_then_there_is_exactly_one_place(
    engine: Engine,
) -> None:
    with writing(engine) as session:
        round_ = a_round(session, Phase.OPEN)

    def call(_: int) -> Registered:
        with writing(engine) as session:
            return register(session, round_id=round_.id, number=NUMBER)

    told = at_once(20, call)
    assert len({answer.ticket for answer in told}) == 1
    assert sorted(answer.already for answer in told) == [False] + [True] * 19
    with reading(engine) as session:
        assert session.scalars(select(Registration.ticket)).all() == [told[0].ticket]
        assert session.scalar(select(func.count()).where(Event.kind == "registration")) == 1


def test_given_many_numbers_when_all_register_at_once_then_each_has_its_own_place(engine: Engine) -> None:
    with writing(engine) as session:
        round_ = a_round(session, Phase.OPEN)

    def call(which: int) -> str:
        with writing(engine) as session:
            return register(session, round_id=round_.id, number=f"+98913{which:07}").ticket

    told = at_once(30, call)
    with reading(engine) as session:
        kept = {place.number: place.ticket for place in session.scalars(select(Registration))}
        assert kept == {f"+98913{which:07}": ticket for which, ticket in enumerate(told)}


def test_given_two_rounds_when_one_number_registers_for_both_then_the_places_are_separate(
    session: Session,
) -> None:
    first, second = a_round(session, Phase.OPEN), a_round(session, Phase.OPEN)
    some_registrations(session, second, 3)
    told = [register(session, round_id=round_.id, number=NUMBER) for round_ in (first, second)]
    assert [answer.already for answer in told] == [False, False]
    assert [answer.before_me for answer in told] == [0, 3]
    assert told[0].ticket != told[1].ticket


@pytest.mark.parametrize("phase", [Phase.PLANNED, Phase.CLOSED, Phase.OVER])
def test_given_a_round_that_takes_none_when_a_number_registers_then_it_is_refused_and_nothing_is_kept(
    session: Session, phase: Phase
) -> None:
    round_ = a_round(session, phase)
    with pytest.raises(Refused) as refused:
        register(session, round_id=round_.id, number=NUMBER)
    assert refused.value.code == "registration-closed"
    assert session.scalar(select(func.count(Registration.id))) == 0


def test_given_an_ended_round_when_a_number_registers_then_it_is_refused(session: Session) -> None:
    round_ = a_round(session, Phase.LIVE)
    rounds.end_round(session, round_)
    with pytest.raises(Refused) as refused:
        register(session, round_id=round_.id, number=NUMBER)
    assert refused.value.code == "registration-closed"


def test_given_a_live_round_that_still_takes_registrations_when_a_number_registers_then_it_is_taken(
    session: Session,
) -> None:
    assert not register(session, round_id=a_round(session, Phase.LIVE).id, number=NUMBER).already


def test_given_a_registered_number_when_registration_has_closed_then_it_still_hears_its_ticket(
    session: Session,
) -> None:
    round_ = a_round(session, Phase.CLOSED)
    kept = a_registration(session, round_, number=NUMBER)
    again = register(session, round_id=round_.id, number=NUMBER)
    assert again == Registered(kept.id, kept.ticket, before_me=0, already=True)


def test_given_no_such_round_when_a_number_registers_then_it_is_not_found(session: Session) -> None:
    with pytest.raises(Refused) as refused:
        register(session, round_id=137, number=NUMBER)
    assert refused.value.code == "not-found"


def test_given_a_place_in_each_state_when_the_number_registers_again_then_only_a_given_up_one_is_replaced(
    session: Session,
) -> None:
    round_ = a_round(session)
    replaced = {RegistrationState.REACHED, RegistrationState.CLOSED, RegistrationState.CANCELLED}
    for state in RegistrationState:
        old = a_registration(session, round_, state=state)
        told = register(session, round_id=round_.id, number=old.number)
        new = state in replaced
        assert told.already is (not new and state is not RegistrationState.UNCONFIRMED)
        assert (told.ticket == old.ticket) is not new
        kept = session.scalars(select(Registration.state).filter_by(number=old.number)).all()
        now_ = RegistrationState.WAITING if state is RegistrationState.UNCONFIRMED else state
        assert sorted(kept) == sorted([state, "waiting"] if state in replaced else [now_])


def test_given_a_line_when_a_number_registers_then_those_who_wait_and_come_first_are_ahead(
    session: Session,
) -> None:
    round_, other = a_round(session), a_round(session)
    at = now(session)
    before_me = [
        *some_registrations(session, round_, 2),
        *some_registrations(session, round_, 2, rounds_missed=1, registered_at=at + HOUR),
        a_registration(session, round_, not_before=at + HOUR),  # waits for its retry, keeps its place
    ]
    a_registration(session, other)
    a_registration(session, round_, registered_at=at + HOUR)
    for state in set(RegistrationState) - {RegistrationState.WAITING}:
        a_registration(session, round_, state=state)
    assert register(session, round_id=round_.id, number=NUMBER).before_me == len(before_me)


def test_given_a_registration_when_it_is_made_then_one_event_tells_it_in_the_same_transaction(
    engine: Engine,
) -> None:
    with writing(engine) as session:
        round_ = a_round(session)
    with reading(engine) as session:
        newest = events.last_id(session)
    with pytest.raises(HungUp), writing(engine) as session:
        register(session, round_id=round_.id, number=NUMBER)
        raise HungUp
    with reading(engine) as session:
        assert events.last_id(session) == newest
        assert session.scalar(select(func.count(Registration.id))) == 0
    with writing(engine) as session:
        kept = registration.find(session, register(session, round_id=round_.id, number=NUMBER).ticket)
        register(session, round_id=round_.id, number=NUMBER)
    with reading(engine) as session:
        (event,) = events.since(session, newest)
        assert (event.kind, event.what) == ("registration", "waiting")
        assert (event.round_id, event.registration_id) == (round_.id, kept.id)


def test_given_a_ticket_of_another_round_when_it_is_drawn_again_then_another_is_given(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = a_registration(session, a_round(session)).ticket
    free = a_ticket()
    drawn = iter([taken, taken, free])
    monkeypatch.setattr(tickets, "draw", lambda _kind: next(drawn))
    round_ = a_round(session)
    told = register(session, round_id=round_.id, number=NUMBER)
    assert (told.ticket, told.already) == (free, False)
    assert registration.find(session, taken).number != NUMBER


def test_given_a_taken_ticket_when_the_code_is_bypassed_then_the_database_refuses_it_in_any_round(
    session: Session,
) -> None:
    taken = a_registration(session, a_round(session), state=RegistrationState.REACHED).ticket
    with pytest.raises(IntegrityError), session.begin_nested():
        session.execute(
            insert(Registration).values(
                round_id=a_round(session).id, number=a_number(), ticket=taken, registered_at=now(session)
            )
        )


def test_given_a_ticket_nobody_has_when_it_is_looked_up_then_it_is_not_found(session: Session) -> None:
    a_registration(session, a_round(session), last_outcome=Outcome.BUSY)
    with pytest.raises(Refused) as refused:
        registration.find(session, a_ticket())
    assert refused.value.code == "not-found"


def test_given_what_the_caller_said_when_it_is_registered_then_it_is_kept_with_the_place(
    session: Session,
) -> None:
    round_ = a_round(session)
    told = register(session, round_id=round_.id, number=NUMBER, language="en", subject=9)
    registration.describe(session, told.registration_id, voice_message="m.wav")
    session.expire_all()
    kept = registration.find(session, told.ticket)
    assert (kept.language, kept.subject, kept.voice_message) == ("en", 9, "m.wav")


@pytest.mark.parametrize("subject", [0, 10, -1])
def test_given_a_subject_that_the_city_has_not_when_it_is_registered_then_the_database_refuses_it(
    session: Session, subject: int
) -> None:
    round_ = a_round(session)
    with pytest.raises(IntegrityError), session.begin_nested():
        register(session, round_id=round_.id, number=NUMBER, subject=subject)
    assert session.scalar(select(func.count(Registration.id))) == 0


def test_given_no_operators_line_when_it_is_asked_for_at_once_then_there_is_one(engine: Engine) -> None:
    def ask(_: int) -> int:
        with writing(engine) as session:
            return rounds.operators_line(session).id

    assert len(set(at_once(10, ask))) == 1
    with writing(engine) as session:
        line = rounds.operators_line(session)
        assert rounds.phase(line, now(session)) is Phase.LIVE
        assert rounds.registrable(session) == []
        assert rounds.upcoming(session) is None
        assert not register(session, round_id=line.id, number=NUMBER).already


def test_given_processes_of_their_own_when_all_register_at_once_then_none_is_turned_away(
    engine: Engine, database: str
) -> None:
    with writing(engine) as session:
        round_ = a_round(session, Phase.OPEN)
    numbers = [a_number() for _ in range(30)]

    def process(which: int) -> None:
        own = connect(database)
        for number in numbers[which::3]:
            with writing(own) as session:
                register(session, round_id=round_.id, number=number)
        own.dispose()

    at_once(3, process)
    with reading(engine) as session:
        assert sorted(session.scalars(select(Registration.number))) == sorted(numbers)


def test_given_a_place_when_it_is_reserved_then_all_that_was_said_of_it_is_in_its_row(
    session: Session,
) -> None:
    round_ = a_round(session, Phase.OPEN)
    found = registration_limits.find_round(session, round_.id, NUMBER, caller=NUMBER)
    said = {"language": "en", "subject": 4, "call_id": "a-call"}
    assert said.keys() == {
        name
        for name, one in signature(registration.reserve).parameters.items()
        if one.kind is one.KEYWORD_ONLY
    }
    place = registration.reserve(session, found, RegistrationState.UNCONFIRMED, NUMBER, **said)
    assert place is not None
    set_ = {name: value for name, value in place.__dict__.items() if not name.startswith("_")}
    assert set_.keys() > {*said, "round_id", "number", "state", "ticket", "registered_at"}
    row = session.get_one(Registration, place.id)
    assert {name: getattr(row, name) for name in set_} == set_


# --- changing it ---


GIVEN_UP = {RegistrationState.WAITING, RegistrationState.UNCONFIRMED, RegistrationState.UNREACHED}


@pytest.mark.parametrize("state", RegistrationState)
def test_given_a_place_in_each_state_when_it_is_cancelled_then_only_one_that_is_still_owed_a_call_is(
    session: Session, state: RegistrationState
) -> None:
    place = a_registration(session, a_round(session), state=state)
    if state in GIVEN_UP:
        registration.cancel(session, place.id)
        assert registration.find(session, place.ticket).state is RegistrationState.CANCELLED
        assert told(session)[-1].what == "cancelled"
    else:
        assert refusal(lambda: registration.cancel(session, place.id)) == "wrong-state"
        assert registration.find(session, place.ticket).state is state


def test_given_one_place_when_it_is_cancelled_from_ten_lines_at_once_then_it_is_cancelled_once(
    engine: Engine,
) -> None:
    with writing(engine) as session:
        place = a_registration(session, a_round(session))

    def cancel(_: int) -> bool:
        try:
            with writing(engine) as session:
                registration.cancel(session, place.id)
        except Refused:
            return False
        return True

    assert sorted(at_once(10, cancel)) == [False] * 9 + [True]
    with reading(engine) as session:
        assert session.scalar(select(func.count()).where(Event.what == "cancelled")) == 1


def test_given_a_waiting_citizen_when_claim_and_cancel_meet_then_one_of_them_wins(engine: Engine) -> None:
    for _ in range(10):
        with writing(engine) as session:
            round_ = a_round(session)
            place, user = a_registration(session, round_), a_user(session, a_desk(session))

        def act(which: int, place: Registration = place, round_: Round = round_, user: User = user) -> str:
            with writing(engine) as session:
                if which == 0:
                    try:
                        registration.cancel(session, place.id)
                    except Refused:
                        return ""
                    return "cancelled"
                claimed = claims.claim(
                    session, round_id=round_.id, desk_id=user.desk_id or 0, user_id=user.id
                )
                return "calling" if claimed else ""

        results = [won for won in at_once(2, act) if won]
        with reading(engine) as session:
            assert results == [registration.find(session, place.ticket).state]


@pytest.mark.parametrize("state", RegistrationState)
def test_given_a_place_in_each_state_when_the_number_is_changed_then_only_one_that_is_still_owed_a_call_is(
    session: Session, state: RegistrationState
) -> None:
    place = a_registration(session, a_round(session), state=state)
    before = place.number
    changes = state in (RegistrationState.WAITING, RegistrationState.UNREACHED)
    if changes:
        registration.change_number(session, place.id, NUMBER)
    else:
        assert refusal(lambda: registration.change_number(session, place.id, NUMBER)) == "wrong-state"
    kept = registration.find(session, place.ticket).number
    assert kept == (NUMBER if changes else before)


def test_given_a_number_with_a_place_when_another_changes_to_it_then_it_is_refused_and_nothing_breaks(
    session: Session,
) -> None:
    round_ = a_round(session)
    first, second = some_registrations(session, round_, 2)
    elsewhere = a_registration(session, a_round(session))
    taken = refusal(lambda: registration.change_number(session, second.id, first.number))
    assert taken == "number-taken"
    registration.change_number(session, elsewhere.id, first.number)  # another round
    registration.change_number(session, second.id, second.number)  # the same number again
    session.commit()
    assert registration.find(session, second.ticket).number == second.number


def test_given_a_changed_number_when_it_is_written_down_then_the_old_number_hears_and_no_log_names_either(
    engine: Engine,
) -> None:
    with writing(engine) as session:
        place, new = a_registration(session, a_round(session), number=NUMBER), a_number()
    for number in (new, NUMBER, new, new):
        with writing(engine) as session:
            registration.change_number(session, place.id, number)
    with reading(engine) as session:
        of_change = select(Message).where(Message.kind == MessageKind.NUMBER_CHANGED).order_by(Message.id)
        messages = session.scalars(of_change).all()
        assert [text_message.to for text_message in messages] == [NUMBER, new, NUMBER], (
            "each time it is told anew"
        )
        words = wording.words(session, messages[0])
        assert words is not None and words.to == NUMBER
        changes = session.scalars(select(AuditEntry).filter_by(action="number-changed")).all()
        assert {(e.who, e.subject) for e in changes} == {("citizen", f"registration {place.id}")}
        facts = ledger.of_registration(session, place.id)
        assert [entry.fact for entry in facts] == [Fact.NUMBER_CHANGED] * 3
        public = "".join([*(e.details for e in facts), *(e.reason for e in changes)])
        assert NUMBER[-7:] not in public
        assert new[-7:] not in public


def test_given_ten_places_when_all_change_to_one_number_at_once_then_one_has_it(engine: Engine) -> None:
    with writing(engine) as session:
        places = some_registrations(session, a_round(session), 10)

    def change(which: int) -> str:
        try:
            with writing(engine) as session:
                registration.change_number(session, places[which].id, NUMBER)
        except Refused as refused:
            return refused.code
        return "done"

    assert sorted(at_once(10, change)) == ["done"] + ["number-taken"] * 9


def test_given_a_blocked_number_when_a_place_changes_to_it_then_it_is_refused(session: Session) -> None:
    place = a_registration(session, a_round(session))
    blocked.block(session, NUMBER, BlockReason.OWNER)
    assert refusal(lambda: registration.change_number(session, place.id, NUMBER)) == "number-blocked"
