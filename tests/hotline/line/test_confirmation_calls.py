"""Calling the owners of keyed-in numbers: one call at a time, three in all, and decided by one answer."""

from datetime import timedelta
from types import SimpleNamespace

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from db.engine import now, reading, writing
from db.models import Event, Registration, Round
from db.states import RegistrationState
from dialer.caps import Caps
from dialer.confirmations import Confirmations
from hotline.clock import CITY
from hotline.errors import Refused
from hotline.ledger import verify
from hotline.line import confirmation_calls, registration
from hotline.line.registration import Registered
from settings import QuietHours, Settings
from tests import factories as make
from tests.hotline.line.confirming import NUMBER, asks, code, kept, keyed_in, place_of, placed, soon, state

R = RegistrationState
MINUTE = timedelta(minutes=1)


def test_given_keyed_in_numbers_when_calls_are_due_then_they_are_in_order_and_no_more_than_asked(
    session: Session,
) -> None:
    ids = keyed_in(session, 4)
    assert confirmation_calls.due(session, 10) == ids
    assert confirmation_calls.due(session, 2) == ids[:2]


def test_given_numbers_that_nobody_keyed_in_when_calls_are_due_then_there_are_none(session: Session) -> None:
    make.some_registrations(session, make.a_round(session), 3)
    assert confirmation_calls.due(session, 10) == []


@pytest.mark.parametrize("state_", sorted(set(R) - {R.UNCONFIRMED}))
def test_given_a_place_that_needs_no_confirmation_any_more_when_calls_are_due_then_it_is_not(
    session: Session, state_: RegistrationState
) -> None:
    (id_,) = keyed_in(session)
    place_of(session, id_).state = state_
    assert confirmation_calls.due(session, 10) == []


def test_given_a_due_call_when_it_is_taken_up_then_it_has_a_token_and_is_due_no_more(
    session: Session,
) -> None:
    (id_,) = keyed_in(session)
    token = placed(session, id_)
    assert confirmation_calls.is_token(token)
    assert not confirmation_calls.is_token("callback-1")
    assert confirmation_calls.due(session, 10) == []
    ((on_the_phone, placed_at),) = confirmation_calls.on_the_phone(session).items()
    assert on_the_phone == token
    assert abs(now(session) - placed_at) < timedelta(seconds=60)
    assert confirmation_calls.take_up(session, id_) is None
    found = confirmation_calls.by_token(session, token)
    assert found and found.id == id_
    assert kept(session, id_).attempts == 1


def test_given_one_due_call_when_ten_take_it_up_at_once_then_one_does(engine: Engine) -> None:
    with writing(engine) as session:
        (id_,) = keyed_in(session)

    def take(_: int) -> str | None:
        with writing(engine) as session:
            taken = confirmation_calls.take_up(session, id_)
            return taken.token if taken else None

    (token,) = [token for token in make.at_once(10, take) if token]
    with reading(engine) as session:
        assert (kept(session, id_).token, kept(session, id_).attempts) == (token, 1)


def test_given_a_call_when_it_ends_without_an_answer_then_the_waits_grow_and_the_third_is_the_last(
    session: Session,
) -> None:
    (id_,) = keyed_in(session)
    waits = []
    for attempt in (1, 2, 3):
        assert confirmation_calls.due(session, 10) == [id_]
        before = now(session)
        confirmation_calls.ended(session, placed(session, id_))
        session.flush()
        assert (kept(session, id_).token, kept(session, id_).attempts) == (None, attempt)
        assert confirmation_calls.due(session, 10) == []
        waits.append(kept(session, id_).not_before - before)
        kept(session, id_).not_before = now(session)
        session.flush()
    assert waits == sorted(waits)
    assert waits[0] > MINUTE
    assert state(session, id_) is R.CANCELLED
    assert confirmation_calls.due(session, 10) == []
    assert make.told(session)[-1].what == "cancelled"


def test_given_calls_that_failed_by_our_own_fault_when_they_end_then_they_are_none_of_the_three(
    session: Session,
) -> None:
    (id_,) = keyed_in(session)
    for _ in range(4):
        confirmation_calls.ended(session, placed(session, soon(session, id_)), ours=True)
        assert kept(session, id_).attempts == 0
        assert kept(session, id_).not_before <= now(session) + 2 * MINUTE, "nor does it cost a longer wait"
    assert state(session, id_) is R.UNCONFIRMED
    assert confirmation_calls.due(session, 10) == [], "not at once"
    soon(session, id_)
    assert confirmation_calls.due(session, 10) == [id_]


def test_given_a_call_when_its_end_is_told_twice_then_the_second_changes_nothing(session: Session) -> None:
    (id_,) = keyed_in(session)
    token = placed(session, id_)
    confirmation_calls.ended(session, token)
    session.flush()
    first = kept(session, id_).not_before
    confirmation_calls.ended(session, token)
    confirmation_calls.ended(session, "confirm-unknown")
    session.flush()
    assert (kept(session, id_).not_before, kept(session, id_).attempts) == (first, 1)


@pytest.mark.parametrize(("yes", "after"), [(True, R.WAITING), (False, R.CANCELLED)])
def test_given_a_call_when_it_is_answered_then_that_decides_and_its_end_changes_nothing(
    session: Session, yes: bool, after: RegistrationState
) -> None:
    (id_,) = keyed_in(session)
    token = placed(session, id_)
    confirmation_calls.answer(session, token, yes=yes)
    session.flush()
    newest = make.newest_event(session)
    confirmation_calls.answer(session, token, yes=not yes)
    confirmation_calls.ended(session, token)
    session.flush()
    assert state(session, id_) is after
    assert make.told(session, newest) == []
    assert confirmation_calls.due(session, 10) == []


@pytest.mark.parametrize("yes", [True, False])
def test_given_the_third_call_when_it_is_answered_then_its_end_does_not_cancel_it(
    session: Session, yes: bool
) -> None:
    (id_,) = keyed_in(session)
    kept(session, id_).attempts = 2
    session.flush()
    token = placed(session, id_)
    confirmation_calls.answer(session, token, yes=yes)
    confirmation_calls.ended(session, token)
    session.flush()
    assert state(session, id_) is (R.WAITING if yes else R.CANCELLED)


def test_given_a_call_that_has_ended_when_a_late_answer_comes_then_it_changes_nothing(
    session: Session,
) -> None:
    (id_,) = keyed_in(session)
    token = placed(session, id_)
    confirmation_calls.ended(session, token)
    session.flush()
    confirmation_calls.answer(session, token, yes=True)
    assert state(session, id_) is R.UNCONFIRMED


@pytest.mark.parametrize("state_", sorted(set(R) - {R.UNCONFIRMED}))
@pytest.mark.parametrize("yes", [True, False])
def test_given_a_place_that_has_moved_on_when_a_late_answer_comes_then_it_stays(
    session: Session, state_: RegistrationState, yes: bool
) -> None:
    (id_,) = keyed_in(session)
    token = placed(session, id_)
    place_of(session, id_).state = state_
    session.flush()
    confirmation_calls.answer(session, token, yes=yes)
    session.flush()
    assert state(session, id_) is state_


def test_given_an_answer_and_a_cancellation_at_once_when_both_are_done_then_no_move_is_forbidden(
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


def test_given_an_owner_who_registers_while_they_press_1_when_both_are_done_then_there_is_one_place(
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


def test_given_ten_answers_at_once_when_they_disagree_then_one_decides(engine: Engine) -> None:
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


def test_given_a_number_that_waits_for_its_call_when_its_owner_calls_then_it_is_theirs_and_not_called_again(
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
    assert confirmation_calls.due(session, 10) == []
    assert registration.register(session, round_id=place.round_id, number=place.number).already


def test_given_a_confirmed_place_when_it_is_in_the_line_then_it_stands_where_it_was_asked_for(
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
        number = registration.find(session, later.ticket).number
        assert registration.register(session, round_id=round_id, number=number).before_me == 1
    report = verify.verify(engine)
    assert report.problems == [], "and everybody can check that"


def test_given_nobody_has_confirmed_when_the_place_is_cancelled_then_the_number_may_register_again(
    session: Session,
) -> None:
    (id_,) = keyed_in(session)
    place = place_of(session, id_)
    registration.cancel(session, place.id)
    with pytest.raises(Refused):
        registration.cancel(session, place.id)
    assert not registration.register(session, round_id=place.round_id, number=place.number).already


@pytest.mark.parametrize("state_", sorted(set(R) - {R.UNCONFIRMED}))
def test_given_a_place_that_moved_on_since_it_was_due_when_it_is_taken_up_then_nobody_is_called(
    session: Session, state_: RegistrationState
) -> None:
    (id_,) = keyed_in(session)
    place_of(session, id_).state = state_
    session.flush()
    assert confirmation_calls.take_up(session, id_) is None


def test_given_a_call_that_must_wait_when_it_is_taken_up_then_nobody_is_called(session: Session) -> None:
    (id_,) = keyed_in(session)
    kept(session, id_).not_before = now(session) + MINUTE
    session.flush()
    assert confirmation_calls.take_up(session, id_) is None


@pytest.mark.parametrize(
    ("values", "called"),
    [
        ({"ended_at": timedelta()}, False),
        ({"ends_at": -MINUTE}, True),
        ({"ends_at": -MINUTE, "opened_at": None}, False),
        ({"ends_at": -3 * make.HOUR}, False),
    ],
)
def test_given_a_round_that_is_over_when_calls_are_due_then_its_numbers_are_left_in_peace(
    session: Session, values: dict[str, timedelta | None], called: bool
) -> None:
    (id_,) = keyed_in(session)
    round_ = session.get_one(Round, place_of(session, id_).round_id)
    at = now(session)
    round_.announce_at = round_.registration_from = at - 9 * make.HOUR
    round_.starts_at = at - 8 * make.HOUR
    round_.registration_until, round_.opened_at = at - 7 * make.HOUR, at - 8 * make.HOUR
    for name, since in values.items():
        setattr(round_, name, since if since is None else at + since)
    session.flush()
    assert confirmation_calls.due(session, 10) == [id_] * called
    assert bool(confirmation_calls.take_up(session, id_)) is called


# Room


def test_given_a_round_with_room_for_one_when_strangers_are_keyed_in_then_they_take_none_of_it(
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


def test_given_a_round_with_room_for_one_when_ten_agree_at_once_then_one_has_it(engine: Engine) -> None:
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


def test_given_a_carried_place_when_its_owner_agrees_then_it_needs_no_room(session: Session) -> None:
    (id_,) = keyed_in(session)
    place = place_of(session, id_)
    place.rounds_missed = 1
    session.get_one(Round, place.round_id).capacity = 1
    registration.register(session, round_id=place.round_id, number=NUMBER)
    assert isinstance(confirmation_calls.answer(session, placed(session, id_), yes=True), Registered)


# At night


@pytest.mark.parametrize("quiet", [True, False])
def test_given_a_number_to_confirm_when_it_is_night_in_the_city_then_nobody_is_called(
    settings: Settings, engine: Engine, quiet: bool
) -> None:
    with writing(engine) as session:
        (id_,) = keyed_in(session)
        local = now(session).astimezone(CITY)
    begin, end = ((local + hours * make.HOUR).time() for hours in ((-1, 1) if quiet else (1, 2)))
    settings = settings.model_copy(update={"quiet_hours": QuietHours(begin, end)})
    placed: list[object] = []
    ami = SimpleNamespace(request=lambda what, **_how: placed.append(what))
    Confirmations(settings, engine, ami, Caps(settings, engine)).place_due()
    assert bool(placed) is not quiet
    with reading(engine) as session:
        assert kept(session, id_).attempts == (0 if quiet else 1)
