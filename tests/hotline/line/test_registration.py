"""Registering: one place per number and round, durable and whole."""

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from db import events
from db.engine import connect, now, reading, writing
from db.models import Event, Registration
from db.states import Phase, RegistrationState
from hotline import tickets
from hotline.errors import Refused
from hotline.line import registration, registration_limits
from hotline.line.registration import Registered, register
from hotline.rounds import phases
from tests.factories import (
    HOUR,
    NUMBER,
    SECOND,
    a_number,
    a_registration,
    a_round,
    at_once,
    some_registrations,
)


class HungUp(Exception):
    """The caller is gone in the middle of the transaction."""


def test_registration_in_an_open_round_has_place_and_ticket(
    engine: Engine,
) -> None:
    with writing(engine) as session:
        round_ = a_round(session, Phase.OPEN)
        before = now(session)
    with writing(engine) as session:
        told = register(session, round_id=round_.id, number=NUMBER)
    with reading(engine) as session:
        kept = registration.get_by_ticket(session, told.ticket)
        assert before <= kept.registered_at <= now(session)
        assert tickets.parse(told.ticket) == told.ticket
        assert (told.before_me, told.already) == (0, False)
        assert (kept.round_id, kept.number, kept.language) == (round_.id, NUMBER, "fa")
        assert (kept.state, kept.rounds_missed, kept.attempts) == (RegistrationState.WAITING, 0, 0)
        assert (kept.not_before, kept.last_outcome) == (None, None)


def test_second_registration_tells_the_existing_place(
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


def test_twenty_simultaneous_registrations_make_one_place(
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


def test_simultaneous_numbers_get_a_place_each(engine: Engine) -> None:
    with writing(engine) as session:
        round_ = a_round(session, Phase.OPEN)

    def call(which: int) -> str:
        with writing(engine) as session:
            return register(session, round_id=round_.id, number=f"+98913{which:07}").ticket

    told = at_once(30, call)
    with reading(engine) as session:
        kept = {place.number: place.ticket for place in session.scalars(select(Registration))}
        assert kept == {f"+98913{which:07}": ticket for which, ticket in enumerate(told)}


def test_places_in_two_rounds_are_separate(
    session: Session,
) -> None:
    first, second = a_round(session, Phase.OPEN), a_round(session, Phase.OPEN)
    some_registrations(session, second, 3)
    told = [register(session, round_id=round_.id, number=NUMBER) for round_ in (first, second)]
    assert [answer.already for answer in told] == [False, False]
    assert [answer.before_me for answer in told] == [0, 3]
    assert told[0].ticket != told[1].ticket


@pytest.mark.parametrize("phase", [Phase.PLANNED, Phase.CLOSED, Phase.OVER])
def test_registration_in_a_closed_round_keeps_nothing(session: Session, phase: Phase) -> None:
    round_ = a_round(session, phase)
    with pytest.raises(Refused) as refused:
        register(session, round_id=round_.id, number=NUMBER)
    assert refused.value.code == "registration-closed"
    assert session.scalar(select(func.count(Registration.id))) == 0


def test_registration_in_an_ended_round_is_refused(session: Session) -> None:
    round_ = a_round(session, Phase.LIVE)
    phases.end_round(session, round_)
    with pytest.raises(Refused) as refused:
        register(session, round_id=round_.id, number=NUMBER)
    assert refused.value.code == "registration-closed"


def test_live_round_still_taking_registrations_accepts(
    session: Session,
) -> None:
    assert not register(session, round_id=a_round(session, Phase.LIVE).id, number=NUMBER).already


def test_registered_number_hears_its_ticket_after_the_deadline(
    session: Session,
) -> None:
    round_ = a_round(session, Phase.CLOSED)
    kept = a_registration(session, round_, number=NUMBER)
    again = register(session, round_id=round_.id, number=NUMBER)
    assert again == Registered(kept.id, kept.ticket, before_me=0, already=True)


def test_registration_in_an_unknown_round_is_not_found(session: Session) -> None:
    with pytest.raises(Refused) as refused:
        register(session, round_id=137, number=NUMBER)
    assert refused.value.code == "not-found"


def test_only_a_cancelled_place_is_replaced(
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


def test_waiting_and_earlier_places_are_ahead(
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


def test_registration_writes_one_event_in_its_transaction(
    engine: Engine,
) -> None:
    with writing(engine) as session:
        round_ = a_round(session)
    with reading(engine) as session:
        newest = events.find_last_id(session)
    with pytest.raises(HungUp), writing(engine) as session:
        register(session, round_id=round_.id, number=NUMBER)
        raise HungUp
    with reading(engine) as session:
        assert events.find_last_id(session) == newest
        assert session.scalar(select(func.count(Registration.id))) == 0
    with writing(engine) as session:
        kept = registration.get_by_ticket(
            session, register(session, round_id=round_.id, number=NUMBER).ticket
        )
        register(session, round_id=round_.id, number=NUMBER)
    with reading(engine) as session:
        (event,) = events.list_since(session, newest)
        assert (event.kind, event.what) == ("registration", "waiting")
        assert (event.round_id, event.registration_id) == (round_.id, kept.id)


def test_operators_line_requested_at_once_is_made_once(engine: Engine) -> None:
    def ask(_: int) -> int:
        with writing(engine) as session:
            return phases.get_operators_line(session).id

    assert len(set(at_once(10, ask))) == 1
    with writing(engine) as session:
        line = phases.get_operators_line(session)
        assert phases.find_phase(line, now(session)) is Phase.LIVE
        assert phases.list_registrable(session) == []
        assert phases.find_upcoming(session) is None
        assert not register(session, round_id=line.id, number=NUMBER).already


def test_processes_registering_at_once_all_succeed(engine: Engine, database: str) -> None:
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


def test_inserted_place_keeps_every_value(session: Session) -> None:
    round_ = a_round(session, Phase.OPEN)
    found = registration_limits.find_round(session, round_.id, NUMBER, caller=NUMBER)
    state = RegistrationState.WAITING
    facts = {"language": "en", "subject": 3, "call_id": "1795850522.37"}
    made = registration.reserve(session, found, state, NUMBER, **facts)
    assert made is not None
    said = {name: value for name, value in vars(made).items() if name in Registration.__table__.columns}
    assert said.keys() >= {*registration._COLUMNS, "id"}
    kept = session.get_one(Registration, made.id, populate_existing=True)
    assert {name: getattr(kept, name) for name in said} == said
