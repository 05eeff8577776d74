"""Confirming keyed-in numbers: called once a time, three times in all, and decided by one answer."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from types import SimpleNamespace

import pytest
from sqlalchemy import Engine, func, select, update
from sqlalchemy.orm import Session

from db.engine import now, reading, writing
from db.models import BlockReason, Confirmation, ConfirmationKind, Event, Message, Registration, Round
from db.states import Fact, Phase, RegistrationState
from dialer.caps import Caps
from dialer.confirmations import Confirmations
from hotline.clock import CITY, is_quiet
from hotline.errors import Blocked, Refused
from hotline.ledger import ledger, verify
from hotline.line import blocked, confirmation_calls, confirmations, registration
from hotline.line.registration import Registered
from settings import QuietHours, Settings
from tests import factories as make

R = RegistrationState
MINUTE = timedelta(minutes=1)


def keyed_in(session: Session, count: int = 1) -> list[int]:
    """So many numbers that await the call to their owner, in the order of calling."""
    round_ = make.a_round(session)
    return [make.keyed_in(session, round_).id for _ in range(count)]


def placed(session: Session, id_: int) -> str:
    """The token of a call on its way."""
    taken = confirmation_calls.take_up(session, id_)
    assert taken and taken.token
    return taken.token


def kept(session: Session, id_: int) -> Confirmation:
    session.flush()
    session.expire_all()
    return session.get_one(Confirmation, id_)


def place_of(session: Session, id_: int) -> Registration:
    place = kept(session, id_).registration
    assert place
    return place


def state(session: Session, id_: int) -> RegistrationState:
    return place_of(session, id_).state


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
        assert later.ahead == 0
    with writing(engine) as session:
        told = confirmation_calls.answer(session, placed(session, id_), yes=True)
        assert isinstance(told, Registered) and told.ahead == 0
    with writing(engine) as session:
        number = registration.find(session, later.ticket).number
        assert registration.register(session, round_id=round_id, number=number).ahead == 1
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


# Whoever asks learns nothing, and cannot ask for ever


CALLER, NUMBER = "+989131110000", "+989131112222"


def asks(session: Session, round_: Round, number: str, asked_by: str | None = CALLER) -> Confirmation:
    id_ = confirmations.ask_place(
        session, round_id=round_.id, number=number, asked_by=asked_by, language="fa", per_day=3
    )
    return session.get_one(Confirmation, id_)


def code(act: Callable[[], object]) -> str:
    """The rule that says no, if one does."""
    try:
        act()
    except Refused as refused:
        return refused.code
    return ""


def make_blocked(session: Session, round_: Round) -> None:
    blocked.block(session, NUMBER, BlockReason.OWNER)


def make_refused(session: Session, round_: Round) -> None:
    id_ = make.keyed_in(session, round_, NUMBER).id
    confirmation_calls.answer(session, placed(session, id_), yes=False)


def make_asked_for(session: Session, round_: Round) -> None:
    make.keyed_in(session, round_, NUMBER)


@pytest.mark.parametrize(
    "given",
    [
        *(
            lambda session, round_, state=state: make.a_registration(
                session, round_, number=NUMBER, state=state
            )
            for state in (R.WAITING, R.CALLING, R.UNREACHED)
        ),
        *(make_blocked, make_refused, make_asked_for),
    ],
)
def test_given_anything_that_is_true_of_a_number_when_a_stranger_asks_then_it_counts_and_nobody_is_called(
    session: Session, given: Callable[[Session, Round], object]
) -> None:
    rounds_ = [make.a_round(session) for _ in range(4)]
    given(session, rounds_[0])
    session.execute(update(Confirmation).values(not_before=now(session) + make.HOUR))
    places = session.scalar(select(func.count(Registration.id)))
    assert code(lambda: asks(session, rounds_[0], NUMBER)) == ""
    session.execute(
        update(Confirmation).where(Confirmation.asked_by == CALLER).values(not_before=now(session))
    )
    assert confirmation_calls.due(session, 10) == []
    assert session.scalar(select(func.count(Registration.id))) == places
    others = [code(lambda r=round_: asks(session, r, make.a_number())) for round_ in rounds_[1:]]
    assert others == ["", "", "too-many-today"]


def refused_long_ago(session: Session, round_: Round) -> None:
    make_refused(session, round_)
    session.execute(update(Confirmation).values(decided_at=now(session) - timedelta(days=31)))


def keeps_another_place(session: Session, round_: Round) -> None:
    place = make.a_registration(session, make.a_round(session), number=NUMBER)
    confirmation_calls.answer(session, placed(session, wants_out(session, place)), yes=False)


@pytest.mark.parametrize("given", [refused_long_ago, keeps_another_place])
def test_given_a_no_that_says_nothing_of_today_when_a_stranger_asks_then_the_owner_is_called(
    session: Session, given: Callable[[Session, Round], None]
) -> None:
    round_ = make.a_round(session)
    given(session, round_)
    assert asks(session, round_, NUMBER).decided_at is None


def test_given_one_telephone_when_it_keys_in_twelve_numbers_then_three_are_asked(session: Session) -> None:
    round_ = make.a_round(session)
    codes = [code(lambda: asks(session, round_, make.a_number())) for _ in range(12)]
    assert codes == [""] * 3 + ["too-many-today"] * 9
    assert code(lambda: asks(session, round_, make.a_number(), make.a_number())) == "", "another caller"
    own = {"round_id": round_.id, "number": CALLER, "per_day": 3}
    assert code(lambda: registration.register(session, **own)) == "too-many-today"
    session.execute(update(Confirmation).values(asked_at=now(session) - 25 * make.HOUR))
    assert code(lambda: registration.register(session, **own)) == ""


def test_given_ten_strangers_when_they_key_in_one_number_then_its_owner_is_called_once_and_loses_nothing(
    session: Session,
) -> None:
    round_ = make.a_round(session)
    for _ in range(10):
        make.keyed_in(session, round_, NUMBER)
    assert len(confirmation_calls.due(session, 10)) == 1
    for _ in range(3):
        own = {"round_id": make.a_round(session).id, "number": NUMBER, "per_day": 3}
        assert code(lambda own=own: registration.register(session, **own)) == "", "their limit is their own"


def test_given_callers_without_a_number_when_they_key_in_others_then_all_of_them_have_one_limit(
    session: Session,
) -> None:
    round_ = make.a_round(session)
    codes = [code(lambda: asks(session, round_, make.a_number(), None)) for _ in range(32)]
    assert codes == [""] * 30 + ["too-many-withheld"] * 2
    assert code(lambda: asks(session, round_, make.a_number())) == "", "who shows a number has their own"
    session.execute(update(Confirmation).values(asked_at=now(session) - make.HOUR))
    assert code(lambda: asks(session, round_, make.a_number(), None)) == ""


def test_given_one_caller_when_ten_lines_ask_at_once_then_the_limit_holds(engine: Engine) -> None:
    with writing(engine) as session:
        round_ = make.a_round(session)

    def ask(_: int) -> str:
        with writing(engine) as session:
            return code(lambda: asks(session, round_, make.a_number()))

    assert sorted(make.at_once(10, ask)) == [""] * 3 + ["too-many-today"] * 7


def test_given_two_who_key_in_each_other_when_at_once_then_neither_waits_for_ever(engine: Engine) -> None:
    with writing(engine) as session:
        rounds_ = [make.a_round(session) for _ in range(3)]

    def ask(which: int) -> None:
        pair = (CALLER, NUMBER) if which % 2 else (NUMBER, CALLER)
        with writing(engine) as session:
            asks(session, rounds_[which // 2], *pair)

    make.at_once(6, ask)
    with reading(engine) as session:
        assert session.scalar(select(func.count(Registration.id))) == 6


def test_given_a_blocked_caller_when_they_key_in_another_number_then_they_are_refused(
    session: Session,
) -> None:
    round_ = make.a_round(session)
    blocked.block(session, CALLER, BlockReason.NUISANCE)
    with pytest.raises(Blocked):
        asks(session, round_, NUMBER)


@pytest.mark.parametrize("phase", [Phase.PLANNED, Phase.CLOSED, Phase.OVER])
def test_given_a_round_that_takes_none_when_somebody_asks_then_they_are_told(
    session: Session, phase: Phase
) -> None:
    round_ = make.a_round(session, phase)
    make.a_registration(session, round_, number=NUMBER)
    assert code(lambda: asks(session, round_, NUMBER)) == "registration-closed"


# Room


def test_given_a_round_with_room_for_one_when_strangers_are_keyed_in_then_they_take_none_of_it(
    session: Session,
) -> None:
    round_ = make.a_round(session)
    round_.capacity = 1
    ids = [make.keyed_in(session, round_).id for _ in range(3)]
    assert registration.register(session, round_id=round_.id, number=NUMBER).ahead == 0
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


# The caller is still on the line


def test_given_somebody_who_asked_when_they_go_on_listening_then_nobody_is_called_until_they_leave(
    session: Session,
) -> None:
    asked = asks(session, make.a_round(session), NUMBER)
    wait = asked.not_before - now(session)
    assert timedelta(seconds=30) < wait <= timedelta(seconds=60)
    confirmations.caller_leaves(session, [asked.id])
    wait = kept(session, asked.id).not_before - now(session)
    assert timedelta(seconds=1) < wait < timedelta(seconds=10)
    confirmations.caller_leaves(session, [])


def test_given_a_number_that_was_called_when_who_asked_leaves_then_the_second_call_comes_no_sooner(
    session: Session,
) -> None:
    (id_,) = keyed_in(session)
    confirmation_calls.ended(session, placed(session, id_))
    second = kept(session, id_).not_before
    confirmations.caller_leaves(session, [id_])
    assert kept(session, id_).not_before == second


# Another number for a place, and giving one up


def a_place(session: Session, state: RegistrationState = R.WAITING) -> Registration:
    return make.a_registration(session, make.a_round(session), number=CALLER, state=state)


def wants_number(session: Session, place: Registration, number: str = NUMBER) -> int:
    return soon(session, confirmations.ask_number(session, place.id, number, per_day=3))


def wants_out(session: Session, place: Registration) -> int:
    return soon(session, confirmations.ask_cancellation(session, place.id))


def soon(session: Session, id_: int) -> int:
    kept(session, id_).not_before = now(session)
    session.flush()
    return id_


def test_given_another_number_when_its_owner_agrees_then_the_place_is_called_there_and_not_before(
    session: Session,
) -> None:
    place = a_place(session)
    token = placed(session, wants_number(session, place))
    assert place.number == CALLER
    told = confirmation_calls.answer(session, token, yes=True)
    assert isinstance(told, Registered) and told.ticket == place.ticket
    assert (place.number, place.state) == (NUMBER, R.WAITING)
    assert ledger.of_registration(session, place.id)[-1].fact is Fact.NUMBER_CHANGED
    assert session.scalars(select(Message.to)).all() == [CALLER]


@pytest.mark.parametrize("how", ["declines", "never picks up"])
def test_given_another_number_when_its_owner_does_not_agree_then_the_place_stays_as_it_is(
    session: Session, how: str
) -> None:
    place = a_place(session)
    id_ = wants_number(session, place)
    if how == "declines":
        confirmation_calls.answer(session, placed(session, id_), yes=False)
    else:
        for _ in range(3):
            confirmation_calls.ended(session, placed(session, soon(session, id_)))
    assert confirmation_calls.due(session, 10) == []
    assert (kept(session, id_).decided_at is not None, place.number, place.state) == (True, CALLER, R.WAITING)


def test_given_another_number_that_has_a_place_of_its_own_when_its_owner_agrees_then_nothing_changes(
    session: Session,
) -> None:
    place = a_place(session)
    make.a_registration(session, session.get_one(Round, place.round_id), number=NUMBER)
    told = confirmation_calls.answer(session, placed(session, wants_number(session, place)), yes=True)
    assert isinstance(told, Refused) and told.code == "number-taken"
    assert place.number == CALLER


def test_given_two_wishes_for_another_number_when_both_owners_agree_then_the_last_wish_counts(
    session: Session,
) -> None:
    place, last = a_place(session), make.a_number()
    first_token = placed(session, wants_number(session, place))
    last_token = placed(session, wants_number(session, place, last))
    assert isinstance(confirmation_calls.answer(session, first_token, yes=True), Refused)
    assert isinstance(confirmation_calls.answer(session, last_token, yes=True), Registered)
    assert place.number == last


def test_given_a_blocked_number_when_it_is_to_be_called_instead_then_it_is_not_and_nobody_hears_why(
    session: Session,
) -> None:
    place = a_place(session)
    blocked.block(session, NUMBER, BlockReason.OWNER)
    wants_number(session, place)
    assert confirmation_calls.due(session, 10) == []


def test_given_a_place_that_is_being_called_when_the_owner_agrees_then_nothing_changes(
    session: Session,
) -> None:
    place = a_place(session)
    token = placed(session, wants_number(session, place))
    place.state = R.CALLING
    session.flush()
    assert isinstance(confirmation_calls.answer(session, token, yes=True), Refused)
    assert place.number == CALLER


@pytest.mark.parametrize(("yes", "after"), [(True, R.CANCELLED), (False, R.WAITING)])
def test_given_a_wish_to_cancel_without_a_ticket_when_the_number_answers_then_that_decides(
    session: Session, yes: bool, after: RegistrationState
) -> None:
    place = a_place(session)
    confirmation_calls.answer(session, placed(session, wants_out(session, place)), yes=yes)
    assert place.state is after
    assert [m.kind for m in session.scalars(select(Message))] == ["cancelled"] * yes


def test_given_a_wish_to_cancel_when_nobody_picks_up_then_the_place_stays(session: Session) -> None:
    place = a_place(session)
    id_ = wants_out(session, place)
    for _ in range(3):
        confirmation_calls.ended(session, placed(session, soon(session, id_)))
    assert (place.state, confirmation_calls.due(session, 10)) == (R.WAITING, [])


def test_given_a_place_with_another_number_since_when_the_old_one_agrees_to_cancel_then_it_stays(
    session: Session,
) -> None:
    place = a_place(session)
    token = placed(session, wants_out(session, place))
    registration.change_number(session, place.id, NUMBER)
    assert isinstance(confirmation_calls.answer(session, token, yes=True), Refused)
    assert place.state is R.WAITING


def test_given_a_forged_caller_when_they_ask_again_and_again_then_the_number_is_left_in_peace(
    session: Session,
) -> None:
    place = a_place(session)
    assert [code(lambda: wants_out(session, place)) for _ in range(4)] == [""] * 3 + ["too-many-today"]
    assert len(confirmation_calls.due(session, 10)) == 1
    numbers_ = [code(lambda: wants_number(session, place, make.a_number())) for _ in range(4)]
    assert numbers_ == [""] * 3 + ["too-many-today"]


@pytest.mark.parametrize("state_", [R.CALLING, R.REACHED, R.CLOSED, R.CANCELLED])
def test_given_a_place_of_which_nothing_can_be_changed_when_somebody_asks_then_they_are_told(
    session: Session, state_: RegistrationState
) -> None:
    place = a_place(session, state_)
    assert code(lambda: wants_number(session, place)) == "wrong-state"
    assert code(lambda: wants_out(session, place)) == "wrong-state"


# Forgetting


def test_given_old_wishes_when_they_are_forgotten_then_only_what_still_waits_for_somebody_is_kept(
    session: Session,
) -> None:
    waits, decided = keyed_in(session, 2)
    confirmation_calls.answer(session, placed(session, decided), yes=True)
    confirmation_calls.ended(session, kept(session, decided).token or "")
    of_place = wants_number(session, a_place(session))
    session.execute(update(Confirmation).values(asked_at=now(session) - timedelta(days=31)))
    (new,) = keyed_in(session)
    confirmations.forget(session)
    assert set(session.scalars(select(Confirmation.id))) == {waits, new}
    assert of_place not in {waits, new}
    assert {c.kind for c in session.scalars(select(Confirmation))} == {ConfirmationKind.REGISTRATION}


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
