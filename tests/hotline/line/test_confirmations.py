"""A number that somebody else keyed in: its owner is called, and whoever asks learns nothing."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import Engine, func, select, update
from sqlalchemy.orm import Session

from db.engine import now, reading, writing
from db.models import BlockReason, Confirmation, Registration, Round
from db.states import Phase, RegistrationState
from hotline.errors import Blocked
from hotline.line import (
    blocked,
    confirmation_calls,
    confirmations,
    registration,
)
from tests import factories as make
from tests.hotline.line.confirming import CALLER, NUMBER, asks, code, kept, keyed_in, placed, wants_out

R = RegistrationState


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
def test_wish_that_cannot_be_met_counts_and_calls_nobody(
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
    assert confirmation_calls.list_due(session, 10) == []
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
def test_outdated_no_lets_the_owner_be_called(
    session: Session, given: Callable[[Session, Round], None]
) -> None:
    round_ = make.a_round(session)
    given(session, round_)
    assert asks(session, round_, NUMBER).decided_at is None


def test_telephone_keying_in_twelve_numbers_has_three_asked(session: Session) -> None:
    round_ = make.a_round(session)
    codes = [code(lambda: asks(session, round_, make.a_number())) for _ in range(12)]
    assert codes == [""] * 3 + ["too-many-today"] * 9
    assert code(lambda: asks(session, round_, make.a_number(), make.a_number())) == "", "another caller"
    session.execute(update(Confirmation).values(asked_at=now(session) - 25 * make.HOUR))
    assert code(lambda: asks(session, round_, make.a_number())) == ""


def test_numbers_keyed_in_by_a_stranger_leave_the_owner_a_place(session: Session) -> None:
    round_ = make.a_round(session)
    for _ in range(3):
        asks(session, round_, make.a_number())
    own = {"round_id": round_.id, "number": CALLER, "per_day": 3}
    assert code(lambda: registration.register(session, **own)) == "", (
        "whoever shows CALLER's number keyed them in"
    )
    assert code(lambda: asks(session, make.a_round(session), make.a_number())) == "too-many-today"


def test_number_keyed_in_by_ten_strangers_is_called_once(
    session: Session,
) -> None:
    round_ = make.a_round(session)
    for _ in range(10):
        make.keyed_in(session, round_, NUMBER)
    assert len(confirmation_calls.list_due(session, 10)) == 1
    for _ in range(3):
        own = {"round_id": make.a_round(session).id, "number": NUMBER, "per_day": 3}
        assert code(lambda own=own: registration.register(session, **own)) == "", "their limit is their own"


def test_withheld_callers_share_one_limit(
    session: Session,
) -> None:
    round_ = make.a_round(session)
    codes = [code(lambda: asks(session, round_, make.a_number(), None)) for _ in range(32)]
    assert codes == [""] * 30 + ["too-many-withheld"] * 2
    assert code(lambda: asks(session, round_, make.a_number())) == "", "who shows a number has their own"
    session.execute(update(Confirmation).values(asked_at=now(session) - make.HOUR))
    assert code(lambda: asks(session, round_, make.a_number(), None)) == ""


def test_limit_holds_for_ten_simultaneous_calls(engine: Engine) -> None:
    with writing(engine) as session:
        round_ = make.a_round(session)

    def ask(_: int) -> str:
        with writing(engine) as session:
            return code(lambda: asks(session, round_, make.a_number()))

    assert sorted(make.at_once(10, ask)) == [""] * 3 + ["too-many-today"] * 7


def test_two_keying_in_each_other_cause_no_deadlock(engine: Engine) -> None:
    with writing(engine) as session:
        rounds_ = [make.a_round(session) for _ in range(3)]

    def ask(which: int) -> None:
        pair = (CALLER, NUMBER) if which % 2 else (NUMBER, CALLER)
        with writing(engine) as session:
            asks(session, rounds_[which // 2], *pair)

    make.at_once(6, ask)
    with reading(engine) as session:
        assert session.scalar(select(func.count(Registration.id))) == 6


def test_blocked_caller_may_not_key_in_a_number(
    session: Session,
) -> None:
    round_ = make.a_round(session)
    blocked.block(session, CALLER, BlockReason.NUISANCE)
    with pytest.raises(Blocked):
        asks(session, round_, NUMBER)


@pytest.mark.parametrize("phase", [Phase.PLANNED, Phase.CLOSED, Phase.OVER])
def test_closed_round_refuses_a_keyed_in_number(session: Session, phase: Phase) -> None:
    round_ = make.a_round(session, phase)
    make.a_registration(session, round_, number=NUMBER)
    assert code(lambda: asks(session, round_, NUMBER)) == "registration-closed"


def test_owner_is_called_once_the_asking_caller_leaves(
    session: Session,
) -> None:
    asked = asks(session, make.a_round(session), NUMBER)
    wait = asked.not_before - now(session)
    assert timedelta(seconds=30) < wait <= timedelta(seconds=60)
    left_at = now(session)
    confirmations.start_calls_soon(session, [asked.id])
    assert timedelta(seconds=1) < kept(session, asked.id).not_before - left_at < timedelta(seconds=10)
    confirmations.start_calls_soon(session, [])


def test_leaving_caller_does_not_hasten_the_second_call(
    session: Session,
) -> None:
    (id_,) = keyed_in(session)
    confirmation_calls.record_end(session, placed(session, id_))
    second = kept(session, id_).not_before
    confirmations.start_calls_soon(session, [id_])
    assert kept(session, id_).not_before == second
