"""The owner of a keyed-in number answers: one answer decides, and the place needs room in its round."""

from collections.abc import Callable

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from db.engine import now, reading, writing
from db.models import Event, Registration, Round
from db.states import RegistrationState
from hotline.errors import Refused
from hotline.ledger import verify
from hotline.line import confirmation_calls, registration
from hotline.line.registration import Registered
from tests import factories as make
from tests.hotline.line.confirming import NUMBER, asks, code, kept, keyed_in, place_of, placed, state

R = RegistrationState


@pytest.mark.parametrize(("yes", "after"), [(True, R.WAITING), (False, R.CANCELLED)])
def test_answered_call_decides_and_its_end_changes_nothing(
    session: Session, yes: bool, after: RegistrationState
) -> None:
    (id_,) = keyed_in(session)
    token = placed(session, id_)
    confirmation_calls.answer(session, token, yes=yes)
    session.flush()
    newest = make.newest_event(session)
    confirmation_calls.answer(session, token, yes=not yes)
    confirmation_calls.record_end(session, token)
    session.flush()
    assert state(session, id_) is after
    assert make.told(session, newest) == []
    assert confirmation_calls.list_due(session, 10) == []


@pytest.mark.parametrize("yes", [True, False])
def test_answered_third_call_does_not_cancel(session: Session, yes: bool) -> None:
    (id_,) = keyed_in(session)
    kept(session, id_).attempts = 2
    session.flush()
    token = placed(session, id_)
    confirmation_calls.answer(session, token, yes=yes)
    confirmation_calls.record_end(session, token)
    session.flush()
    assert state(session, id_) is (R.WAITING if yes else R.CANCELLED)


def test_answer_after_the_calls_end_changes_nothing(
    session: Session,
) -> None:
    (id_,) = keyed_in(session)
    token = placed(session, id_)
    confirmation_calls.record_end(session, token)
    session.flush()
    confirmation_calls.answer(session, token, yes=True)
    assert state(session, id_) is R.UNCONFIRMED


@pytest.mark.parametrize("state_", sorted(set(R) - {R.UNCONFIRMED}))
@pytest.mark.parametrize("yes", [True, False])
def test_late_answer_to_a_moved_place_changes_nothing(
    session: Session, state_: RegistrationState, yes: bool
) -> None:
    (id_,) = keyed_in(session)
    token = placed(session, id_)
    place_of(session, id_).state = state_
    session.flush()
    confirmation_calls.answer(session, token, yes=yes)
    session.flush()
    assert state(session, id_) is state_


def test_concurrent_answer_and_cancellation_stay_legal(
    engine: Engine,
) -> None:
    for _ in range(10):
        with writing(engine) as session:
            (id_,) = keyed_in(session)
            token = placed(session, id_)

        def act(which: int, id_: int = id_, token: str = token) -> None:
            with writing(engine) as session:
                if which == 0:
                    confirmation_calls.answer(session, token, yes=True)
                    return
                registration.cancel(session, place_of(session, id_).id)

        make.at_once(2, act)
        with reading(engine) as session:
            assert state(session, id_) is R.CANCELLED, "whoever cancels later cancels a waiting place"
            of_place = Event.registration_id == place_of(session, id_).id
            moves = session.scalars(select(Event.what).where(of_place).order_by(Event.id)).all()
            assert moves in (["unconfirmed", "waiting", "cancelled"], ["unconfirmed", "cancelled"])


def test_owner_registering_while_confirming_has_one_place(
    engine: Engine,
) -> None:
    for _ in range(10):
        with writing(engine) as session:
            round_ = make.a_round(session)
            round_.capacity = 1
            asked = make.keyed_in(session, round_)
            token, number = placed(session, asked.id), asked.number

        def act(which: int, token: str = token, round_: Round = round_, number: str = number) -> str:
            with writing(engine) as session:
                if which:
                    return registration.register(session, round_id=round_.id, number=number).ticket
                told = confirmation_calls.answer(session, token, yes=True)
                assert isinstance(told, Registered)
                return told.ticket

        assert len(set(make.at_once(2, act))) == 1
        with reading(engine) as session:
            states = session.scalars(select(Registration.state).filter_by(round_id=round_.id)).all()
            assert states == [R.WAITING]


def test_first_of_ten_answers_decides(engine: Engine) -> None:
    with writing(engine) as session:
        (id_,) = keyed_in(session)
        token = placed(session, id_)

    def answer(which: int) -> None:
        with writing(engine) as session:
            confirmation_calls.answer(session, token, yes=bool(which % 2))

    make.at_once(10, answer)
    with reading(engine) as session:
        of_place = Event.registration_id == place_of(session, id_).id
        decided = select(func.count()).where(of_place, Event.what != "unconfirmed")
        assert session.scalar(decided) == 1


def test_call_by_the_owner_confirms_the_number(
    session: Session,
) -> None:
    (id_,) = keyed_in(session)
    place = place_of(session, id_)
    asked_at = place.registered_at
    told = registration.register(
        session, round_id=place.round_id, number=place.number, language="en", subject=3, per_day=1
    )
    assert (told.registration_id, told.already) == (place.id, False)
    place = place_of(session, id_)
    assert (place.state, place.language, place.subject) == (R.WAITING, "en", 3), "nothing is the stranger's"
    assert place.registered_at == asked_at
    assert confirmation_calls.list_due(session, 10) == []
    assert registration.register(session, round_id=place.round_id, number=place.number).already


def test_confirmed_place_stands_where_it_was_asked_for(
    engine: Engine,
) -> None:
    with writing(engine) as session:
        (id_,) = keyed_in(session)
        round_id = place_of(session, id_).round_id
    with writing(engine) as session:
        later = registration.register(session, round_id=round_id, number=make.a_number())
        assert later.before_me == 0
    with writing(engine) as session:
        told = confirmation_calls.answer(session, placed(session, id_), yes=True)
        assert isinstance(told, Registered) and told.before_me == 0
    with writing(engine) as session:
        number = registration.get_by_ticket(session, later.ticket).number
        assert registration.register(session, round_id=round_id, number=number).before_me == 1
    report = verify.verify(engine)
    assert report.problems == [], "and everybody can check that"


def test_cancelled_unconfirmed_place_allows_registering(
    session: Session,
) -> None:
    (id_,) = keyed_in(session)
    place = place_of(session, id_)
    registration.cancel(session, place.id)
    with pytest.raises(Refused):
        registration.cancel(session, place.id)
    assert not registration.register(session, round_id=place.round_id, number=place.number).already


# Room


def test_unconfirmed_places_take_no_capacity(
    session: Session,
) -> None:
    round_ = make.a_round(session)
    round_.capacity = 1
    ids = [make.keyed_in(session, round_).id for _ in range(3)]
    assert registration.register(session, round_id=round_.id, number=NUMBER).before_me == 0
    assert code(lambda: asks(session, round_, make.a_number())) == "round-full"
    told = confirmation_calls.answer(session, placed(session, ids[0]), yes=True)
    assert isinstance(told, Refused) and told.code == "round-full"
    assert state(session, ids[0]) is R.CANCELLED
    own = {"round_id": round_.id, "number": place_of(session, ids[1]).number}
    assert code(lambda: registration.register(session, **own)) == "round-full"
    assert state(session, ids[1]) is R.UNCONFIRMED


def test_ten_simultaneous_agreements_fill_one_place(engine: Engine) -> None:
    with writing(engine) as session:
        round_ = make.a_round(session)
        round_.capacity = 1
        tokens = [placed(session, make.keyed_in(session, round_).id) for _ in range(10)]

    def agree(which: int) -> bool:
        with writing(engine) as session:
            return isinstance(confirmation_calls.answer(session, tokens[which], yes=True), Registered)

    assert sorted(make.at_once(10, agree)) == [False] * 9 + [True]
    with reading(engine) as session:
        held = session.scalars(select(Registration.state)).all()
        assert sorted(held) == [R.CANCELLED] * 9 + [R.WAITING]
    assert verify.verify(engine).problems == []


def test_carried_place_is_confirmed_without_capacity(session: Session) -> None:
    (id_,) = keyed_in(session)
    place = place_of(session, id_)
    place.rounds_missed = 1
    session.get_one(Round, place.round_id).capacity = 1
    registration.register(session, round_id=place.round_id, number=NUMBER)
    assert isinstance(confirmation_calls.answer(session, placed(session, id_), yes=True), Registered)


# Rounds that take nobody any more, and the limit of a day


def ends(session: Session, round_: Round) -> None:
    round_.ended_at = now(session)


def is_called_off(session: Session, round_: Round) -> None:
    round_.cancelled_at = now(session)


@pytest.mark.parametrize("what_happens", [ends, is_called_off])
def test_yes_after_the_round_confirms_nothing(
    session: Session, what_happens: Callable[[Session, Round], None]
) -> None:
    (id_,) = keyed_in(session)
    token = placed(session, id_)
    what_happens(session, session.get_one(Round, place_of(session, id_).round_id))
    session.flush()

    told = confirmation_calls.answer(session, token, yes=True)

    assert isinstance(told, Refused) and told.code == "wrong-state"
    assert state(session, id_) is R.UNCONFIRMED
    again = confirmation_calls.repeat_answer(session, kept(session, id_))
    assert isinstance(again, Refused) and again.code == "wrong-state", "nor does the next script say so"


def closes(session: Session, round_: Round) -> None:
    round_.registration_until = now(session)


@pytest.mark.parametrize("what_happens", [ends, is_called_off, closes])
def test_own_registration_in_a_shut_round_confirms_nothing(
    session: Session, what_happens: Callable[[Session, Round], None]
) -> None:
    (id_,) = keyed_in(session)
    place = place_of(session, id_)
    what_happens(session, session.get_one(Round, place.round_id))
    session.flush()
    own = {"round_id": place.round_id, "number": place.number, "per_day": 3}

    assert code(lambda: registration.register(session, **own)) == "registration-closed"
    assert state(session, id_) is R.UNCONFIRMED


def test_yes_after_registration_closed_is_in_time(session: Session) -> None:
    """The place counts from when it was asked for: a daughter who calls in time has her father in time."""
    (id_,) = keyed_in(session)
    closes(session, session.get_one(Round, place_of(session, id_).round_id))
    session.flush()

    assert isinstance(confirmation_calls.answer(session, placed(session, id_), yes=True), Registered)


@pytest.mark.parametrize("how", ["own call", "our call"])
def test_confirmed_place_counts_towards_the_day(session: Session, how: str) -> None:
    (id_,) = keyed_in(session)
    place = place_of(session, id_)
    for _ in range(3):
        registration.register(session, round_id=make.a_round(session).id, number=place.number, per_day=3)
    own = {"round_id": place.round_id, "number": place.number, "per_day": 3}

    if how == "own call":
        assert code(lambda: registration.register(session, **own)) == "too-many-today"
        assert state(session, id_) is R.UNCONFIRMED
    else:
        told = confirmation_calls.answer(session, placed(session, id_), yes=True, per_day=3)
        assert isinstance(told, Refused) and told.code == "too-many-today"
        assert state(session, id_) is R.CANCELLED
