"""Confirming keyed-in numbers: called once a time, three times in all, and decided by one answer."""

from datetime import UTC, date, datetime, time, timedelta
from types import SimpleNamespace

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from db.engine import now, reading, writing
from db.models import Confirmation, Event, Registration, Round
from db.states import RegistrationState
from dialer.caps import Caps
from dialer.confirmations import Confirmations
from hotline import confirmations, registration
from hotline.clock import CITY, is_quiet
from hotline.errors import Refused
from settings import QuietHours, Settings
from tests import factories as make

R = RegistrationState
MINUTE = timedelta(minutes=1)


def keyed_in(session: Session, count: int = 1) -> list[int]:
    """So many registrations that await the call to their number, in the order of calling."""
    round_ = make.a_round(session)
    return [
        registration.register(
            session, round_id=round_.id, number=make.a_number(), confirmed=False
        ).registration_id
        for _ in range(count)
    ]


def placed(session: Session, registration_id: int) -> str:
    """The token of a call on its way."""
    taken = confirmations.take_up(session, registration_id)
    assert taken and taken.token
    return taken.token


def kept(session: Session, registration_id: int) -> Confirmation:
    session.expire_all()
    return session.get_one(Confirmation, registration_id)


def state(session: Session, registration_id: int) -> RegistrationState:
    return kept(session, registration_id).registration.state


def test_given_keyed_in_numbers_when_calls_are_due_then_they_are_in_order_and_no_more_than_asked(
    session: Session,
) -> None:
    ids = keyed_in(session, 4)
    assert confirmations.due(session, 10) == ids
    assert confirmations.due(session, 2) == ids[:2]


def test_given_numbers_that_nobody_keyed_in_when_calls_are_due_then_there_are_none(session: Session) -> None:
    make.some_registrations(session, make.a_round(session), 3)
    assert confirmations.due(session, 10) == []


@pytest.mark.parametrize("state_", sorted(set(R) - {R.UNCONFIRMED}))
def test_given_a_place_that_needs_no_confirmation_any_more_when_calls_are_due_then_it_is_not(
    session: Session, state_: RegistrationState
) -> None:
    (id_,) = keyed_in(session)
    session.get_one(Registration, id_).state = state_
    assert confirmations.due(session, 10) == []


def test_given_a_due_call_when_it_is_taken_up_then_it_has_a_token_and_is_due_no_more(
    session: Session,
) -> None:
    (id_,) = keyed_in(session)
    token = placed(session, id_)
    assert confirmations.is_token(token)
    assert not confirmations.is_token("callback-1")
    assert confirmations.due(session, 10) == []
    assert confirmations.on_the_phone(session) == [token]
    assert confirmations.on_the_phone(session, for_s=60) == []
    assert confirmations.take_up(session, id_) is None
    found = confirmations.by_token(session, token)
    assert found and found.registration_id == id_
    assert kept(session, id_).attempts == 1


def test_given_one_due_call_when_ten_take_it_up_at_once_then_one_does(engine: Engine) -> None:
    with writing(engine) as session:
        (id_,) = keyed_in(session)

    def take(_: int) -> str | None:
        with writing(engine) as session:
            taken = confirmations.take_up(session, id_)
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
        assert confirmations.due(session, 10) == [id_]
        before = now(session)
        confirmations.ended(session, placed(session, id_))
        session.flush()
        assert (kept(session, id_).token, kept(session, id_).attempts) == (None, attempt)
        assert confirmations.due(session, 10) == []
        waits.append(kept(session, id_).not_before - before)
        kept(session, id_).not_before = now(session)
        session.flush()
    assert waits == sorted(waits)
    assert waits[0] > MINUTE
    assert state(session, id_) is R.CANCELLED
    assert confirmations.due(session, 10) == []
    assert make.told(session)[-1].what == "cancelled"


def test_given_a_call_when_its_end_is_told_twice_then_the_second_changes_nothing(session: Session) -> None:
    (id_,) = keyed_in(session)
    token = placed(session, id_)
    confirmations.ended(session, token)
    session.flush()
    first = kept(session, id_).not_before
    confirmations.ended(session, token)
    confirmations.ended(session, "confirm-unknown")
    session.flush()
    assert (kept(session, id_).not_before, kept(session, id_).attempts) == (first, 1)


@pytest.mark.parametrize(("yes", "after"), [(True, R.WAITING), (False, R.CANCELLED)])
def test_given_a_call_when_it_is_answered_then_that_decides_and_its_end_changes_nothing(
    session: Session, yes: bool, after: RegistrationState
) -> None:
    (id_,) = keyed_in(session)
    token = placed(session, id_)
    confirmations.answer(session, token, yes=yes)
    session.flush()
    newest = make.newest_event(session)
    confirmations.answer(session, token, yes=not yes)
    confirmations.ended(session, token)
    session.flush()
    assert state(session, id_) is after
    assert make.told(session, newest) == []
    assert confirmations.due(session, 10) == []


@pytest.mark.parametrize("yes", [True, False])
def test_given_the_third_call_when_it_is_answered_then_its_end_does_not_cancel_it(
    session: Session, yes: bool
) -> None:
    (id_,) = keyed_in(session)
    kept(session, id_).attempts = 2
    session.flush()
    token = placed(session, id_)
    confirmations.answer(session, token, yes=yes)
    confirmations.ended(session, token)
    session.flush()
    assert state(session, id_) is (R.WAITING if yes else R.CANCELLED)


def test_given_a_call_that_has_ended_when_a_late_answer_comes_then_it_changes_nothing(
    session: Session,
) -> None:
    (id_,) = keyed_in(session)
    token = placed(session, id_)
    confirmations.ended(session, token)
    session.flush()
    confirmations.answer(session, token, yes=True)
    assert state(session, id_) is R.UNCONFIRMED


@pytest.mark.parametrize("state_", sorted(set(R) - {R.UNCONFIRMED}))
@pytest.mark.parametrize("yes", [True, False])
def test_given_a_place_that_has_moved_on_when_a_late_answer_comes_then_it_stays(
    session: Session, state_: RegistrationState, yes: bool
) -> None:
    (id_,) = keyed_in(session)
    token = placed(session, id_)
    session.get_one(Registration, id_).state = state_
    session.flush()
    confirmations.answer(session, token, yes=yes)
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
                    confirmations.answer(session, token, yes=True)
                    return
                registration.cancel(session, id_)

        make.at_once(2, act)
        with reading(engine) as session:
            assert state(session, id_) is R.CANCELLED, "whoever cancels later cancels a waiting place"
            moves = session.scalars(
                select(Event.what).where(Event.registration_id == id_).order_by(Event.id)
            ).all()
            assert moves in (["unconfirmed", "waiting", "cancelled"], ["unconfirmed", "cancelled"])


def test_given_ten_answers_at_once_when_they_disagree_then_one_decides(engine: Engine) -> None:
    with writing(engine) as session:
        (id_,) = keyed_in(session)
        token = placed(session, id_)

    def answer(which: int) -> None:
        with writing(engine) as session:
            confirmations.answer(session, token, yes=bool(which % 2))

    make.at_once(10, answer)
    with reading(engine) as session:
        decided = select(func.count()).where(Event.registration_id == id_, Event.what != "unconfirmed")
        assert session.scalar(decided) == 1


def test_given_a_confirmed_number_when_it_calls_itself_then_the_call_is_not_placed_any_more(
    session: Session,
) -> None:
    (id_,) = keyed_in(session)
    place = session.get_one(Registration, id_)
    told = registration.register(session, round_id=place.round_id, number=place.number)
    assert (told.registration_id, told.already) == (id_, True)
    assert state(session, id_) is R.WAITING
    assert confirmations.due(session, 10) == []


def test_given_a_confirmed_place_when_it_is_in_the_line_then_it_stands_where_it_registered(
    session: Session,
) -> None:
    (id_,) = keyed_in(session)
    place = session.get_one(Registration, id_)
    later = registration.register(session, round_id=place.round_id, number=make.a_number())
    assert later.ahead == 0
    confirmations.answer(session, placed(session, id_), yes=True)
    session.flush()
    again = registration.register(
        session, round_id=place.round_id, number=registration.find(session, later.ticket).number
    )
    assert again.ahead == 1


def test_given_nobody_has_confirmed_when_the_place_is_cancelled_then_the_number_may_register_again(
    session: Session,
) -> None:
    (id_,) = keyed_in(session)
    place = session.get_one(Registration, id_)
    registration.cancel(session, id_)
    with pytest.raises(Refused):
        registration.cancel(session, id_)
    assert not registration.register(session, round_id=place.round_id, number=place.number).already


@pytest.mark.parametrize("state_", sorted(set(R) - {R.UNCONFIRMED}))
def test_given_a_place_that_moved_on_since_it_was_due_when_it_is_taken_up_then_nobody_is_called(
    session: Session, state_: RegistrationState
) -> None:
    (id_,) = keyed_in(session)
    session.get_one(Registration, id_).state = state_
    session.flush()
    assert confirmations.take_up(session, id_) is None


def test_given_a_call_that_must_wait_when_it_is_taken_up_then_nobody_is_called(session: Session) -> None:
    (id_,) = keyed_in(session)
    kept(session, id_).not_before = now(session) + MINUTE
    session.flush()
    assert confirmations.take_up(session, id_) is None


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
    round_ = session.get_one(Round, session.get_one(Registration, id_).round_id)
    at = now(session)
    round_.announce_at = round_.registration_from = at - 9 * make.HOUR
    round_.starts_at = at - 8 * make.HOUR
    round_.registration_until, round_.opened_at = at - 7 * make.HOUR, at - 8 * make.HOUR
    for name, since in values.items():
        setattr(round_, name, since if since is None else at + since)
    session.flush()
    assert confirmations.due(session, 10) == [id_] * called
    assert bool(confirmations.take_up(session, id_)) is called


# At night


QUIET = QuietHours(time(22), time(8))


@pytest.mark.parametrize(
    ("quiet", "local", "is_"),
    [
        *((QUIET, at, True) for at in ("22:00", "23:59", "00:00", "07:59")),
        *((QUIET, at, False) for at in ("08:00", "12:00", "21:59")),
        *((QuietHours(time(13), time(15, 30)), at, True) for at in ("13:00", "15:29")),
        *((QuietHours(time(13), time(15, 30)), at, False) for at in ("12:59", "15:30", "23:00")),
        *((QuietHours(time(0), time(0)), at, False) for at in ("00:00", "12:00")),
    ],
)
def test_given_quiet_hours_when_it_is_that_late_in_the_city_then_it_is_quiet_or_not(
    quiet: QuietHours, local: str, is_: bool
) -> None:
    at = datetime.combine(date(2026, 3, 21), time.fromisoformat(local), CITY)
    assert is_quiet(at.astimezone(UTC), quiet) is is_


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
