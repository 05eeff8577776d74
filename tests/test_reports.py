"""The report of a round against numbers computed by hand."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from db.models import Callback, Carry, Registration, Round, User
from db.states import CallbackState, Outcome, Phase, RegistrationState
from hotline import carry, reports
from hotline.errors import Refused
from tests.factories import HOUR, a_desk, a_number, a_registration, a_round, a_ticket, a_user

MINUTE = timedelta(minutes=1)
S, O = RegistrationState, Outcome  # noqa: E741


@pytest.fixture
def user(session: Session) -> User:
    return a_user(session, a_desk(session))


@pytest.fixture
def over(session: Session) -> Round:
    """Opened at its start; ended after two hours."""
    round_ = a_round(session, Phase.OVER)
    round_.opened_at = round_.starts_at
    round_.ended_at = round_.starts_at + 2 * HOUR
    session.flush()
    return round_


def place(session: Session, round_: Round, waited: timedelta, **values: object) -> Registration:
    """Registered so long before the round's start."""
    return a_registration(session, round_, registered_at=round_.starts_at - waited, **values)


def call(
    session: Session,
    round_: Round,
    registration: Registration,
    user: User,
    outcome: Outcome,
    minute: float,
    talked: float | None = None,
) -> None:
    """Called in this minute of the round; spoken with for so many minutes, from that minute on."""
    began = round_.starts_at + minute * MINUTE
    session.add(
        Callback(
            registration_id=registration.id,
            round_id=round_.id,
            desk_id=user.desk_id,
            user_id=user.id,
            token=f"callback-{a_ticket()}",
            state=CallbackState.CLOSED,
            outcome=outcome,
            claimed_at=began,
            called_at=None if outcome is O.RETURNED else began,
            talking_at=began if talked else None,
            ended_at=began + (talked or 0) * MINUTE,
        )
    )
    session.flush()


def test_given_a_round_with_every_end_when_reported_then_every_number_is_that_of_the_hand(
    session: Session, over: Round, user: User
) -> None:
    before, after = a_round(session, Phase.OVER), a_round(session, Phase.OPEN)
    for minute, waited in ((0, 10), (10, 20), (20, 30), (50, 100)):  # waits of 10, 30, 50, 150 minutes
        reached = place(session, over, waited * MINUTE, state=S.REACHED)
        call(session, over, reached, user, O.REACHED, minute, talked=10)
    call(session, over, place(session, over, HOUR, state=S.CLOSED), user, O.REFUSED, 65)
    wrong = place(session, over, HOUR, state=S.CLOSED)
    call(session, over, wrong, user, O.NO_ANSWER, 66)
    call(session, over, wrong, user, O.WRONG_NUMBER, 70)
    place(session, over, HOUR, state=S.CANCELLED)
    place(session, over, HOUR, state=S.CANCELLED, merged_into_id=wrong.id)
    place(session, over, HOUR, state=S.UNCONFIRMED)
    place(session, over, HOUR)
    handed_back = place(session, over, HOUR)
    call(session, over, handed_back, user, O.RETURNED, 75)

    came = place(session, over, HOUR, rounds_missed=1)
    session.add(
        Carry(registration_id=came.id, from_round_id=before.id, to_round_id=over.id, at=over.starts_at)
    )
    went = place(session, after, HOUR, rounds_missed=1, state=S.REACHED)
    session.add(Carry(registration_id=went.id, from_round_id=over.id, to_round_id=after.id, at=over.ends_at))
    call(session, over, went, user, O.BUSY, 80)
    call(session, after, went, user, O.REACHED, 0, talked=5)  # another round's: it counts there

    assert reports.round_report(session, over.id) == reports.RoundReport(
        round_id=over.id,
        registered=12,
        carried_in=1,
        reached=4,
        not_reached={
            "never_called": 3,
            "refused": 1,
            "wrong_number": 1,
            "busy": 1,
            "cancelled": 1,
            "merged": 1,
            "unconfirmed": 1,
        },
        carried_out=1,
        calls=8,
        conversations=4,
        median_seconds=40 * 60,
        p90_seconds=120 * 60,  # a tenth of three steps before the last: 50 + 0.7 * 100
        calls_per_hour=4.0,
        conversations_per_hour=2.0,
        idle_share=pytest.approx(20 / 60),
    )


def test_given_two_desks_at_once_when_reported_then_time_is_idle_only_where_nobody_is_spoken_with(
    session: Session, over: Round, user: User
) -> None:
    for minute, talked in ((0, 30), (10, 10), (20, 20), (50, 10)):
        call(session, over, place(session, over, HOUR, state=S.REACHED), user, O.REACHED, minute, talked)
    assert reports.round_report(session, over.id).idle_share == pytest.approx(10 / 60)


def test_given_a_round_over_when_the_carry_over_has_run_then_its_report_tells_the_same_but_for_it(
    session: Session, over: Round, user: User
) -> None:
    for outcome in (O.NO_ANSWER, O.CALL_AGAIN):
        call(session, over, place(session, over, HOUR), user, outcome, 5)
    place(session, over, HOUR, number=a_number())
    next_one = a_round(session, Phase.OPEN)
    before = reports.round_report(session, over.id)
    assert carry.run(session) == 0  # another official's round
    next_one.official = over.official
    session.flush()
    assert carry.run(session) == 3
    assert reports.round_report(session, over.id) == replace(before, carried_out=3)
    came = reports.round_report(session, next_one.id)
    assert (came.registered, came.carried_in, came.not_reached) == (0, 3, {"never_called": 3})


def test_given_a_round_that_nobody_opened_when_reported_then_what_cannot_be_told_is_none(
    session: Session,
) -> None:
    round_ = a_round(session, Phase.OPEN)
    place(session, round_, HOUR)
    report = reports.round_report(session, round_.id)
    assert (report.registered, report.not_reached) == (1, {"never_called": 1})
    assert (report.median_seconds, report.p90_seconds, report.calls_per_hour, report.idle_share) == (
        None,
    ) * 4


def test_given_a_conversation_that_goes_on_when_reported_then_it_counts_until_now(
    session: Session, user: User
) -> None:
    live = a_round(session)
    talking = place(session, live, HOUR, state=S.CALLING)
    call(session, live, talking, user, O.REACHED, 30, talked=5)
    callback = session.query(Callback).one()
    callback.state, callback.outcome, callback.ended_at = CallbackState.TALKING, None, None
    session.flush()
    report = reports.round_report(session, live.id)
    assert (report.not_reached, report.conversations, report.idle_share) == ({"calling": 1}, 1, 0)
    assert report.median_seconds is None


def test_given_no_such_round_when_reported_then_it_is_refused(session: Session) -> None:
    with pytest.raises(Refused, match="not-found"):
        reports.round_report(session, 404)
