"""The rows behind the decision when to call: what a served round is like now, and what it has shown."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from db.engine import now
from db.models import Callback, Desk, Round
from db.states import CallbackState, Outcome, RegistrationState
from hotline.callbacks import round_statistics
from tests.factories import a_desk, a_registration, a_round
from tests.kit.shifted_clock import ShiftedClock, clock

__all__ = ["clock"]

LEAPS = [timedelta(minutes=10), timedelta(days=730), timedelta(minutes=-10), timedelta(days=-730)]


def a_call(
    session: Session,
    round_: Round,
    state: CallbackState,
    *,
    desk: Desk | None = None,
    outcome: Outcome = Outcome.REACHED,
    **ago: float,
) -> Callback:
    """A callback of the round; its times by how many seconds ago. `outcome`: once it is closed."""
    at = now(session)
    times: dict[str, Any] = {name: at - timedelta(seconds=seconds) for name, seconds in ago.items()}
    registration = a_registration(session, round_, state=RegistrationState.CALLING)
    callback = Callback(
        registration=registration,
        round_id=round_.id,
        desk_id=desk.id if desk else None,
        token=f"callback-{registration.id:032}",
        state=state,
        outcome=outcome if state is CallbackState.CLOSED else None,
        claimed_at=at,
        **times,
    )
    session.add(callback)
    session.flush()
    return callback


def serving(session: Session, round_: Round, *, asks: bool = False) -> Desk:
    desk = a_desk(session)
    desk.round_id = round_.id
    desk.next_asked_at = now(session) if asks else None
    session.flush()
    return desk


def test_situation_counts_desks_and_calls(session: Session) -> None:
    round_ = a_round(session)
    serving(session, round_, asks=True)
    serving(session, round_)  # wants nobody now
    talks, ends = serving(session, round_), serving(session, round_)
    talking = CallbackState.TALKING
    a_call(session, round_, talking, desk=talks, placed_at=140, talking_at=100, finishing_at=10)
    a_call(session, round_, CallbackState.ENDED, desk=ends, placed_at=340, talking_at=300, ended_at=1)
    a_call(session, round_, CallbackState.DIALING)
    a_call(session, round_, CallbackState.RINGING, placed_at=9)
    a_call(session, round_, CallbackState.ANSWERED, placed_at=15, answered_at=3)
    a_call(session, round_, CallbackState.WAITING, placed_at=50, confirmed_at=30)

    seen = round_statistics.find_situation(session, round_.id)

    free, speaks, about_to_ask = seen.speakers
    assert free.talking_for is None and about_to_ask.talking_for is None
    assert speaks.talking_for == pytest.approx(100, abs=2)
    assert speaks.finishing_for == pytest.approx(10, abs=2)
    assert sorted(seen.ringing_for) == pytest.approx([0, 9], abs=2)
    assert seen.answered_for == pytest.approx([3], abs=2)
    assert seen.ready == 1


@pytest.mark.parametrize("leap", LEAPS, ids=str)
def test_leap_of_the_clock_changes_no_age(session: Session, clock: ShiftedClock, leap: timedelta) -> None:
    round_, ages = a_round(session), round_statistics.Ages()
    one, other = serving(session, round_), serving(session, round_)
    talks = a_call(session, round_, CallbackState.TALKING, desk=one, placed_at=140, talking_at=100)
    talks.finishing_at = now(session) - timedelta(seconds=10)
    a_call(session, round_, CallbackState.HELD, desk=other, talking_at=50, held_at=20, held_until=-60)
    a_call(session, round_, CallbackState.RINGING, placed_at=9)
    a_call(session, round_, CallbackState.ANSWERED, placed_at=15, answered_at=3)

    for shift in (timedelta(), leap, timedelta(), -leap, timedelta()):
        clock.shift = shift
        ages.begin_look()
        seen = round_statistics.find_situation(session, round_.id, ages)

        assert [each.talking_for for each in seen.speakers] == pytest.approx([100, 30], abs=2)
        assert seen.speakers[0].finishing_for == pytest.approx(10, abs=2)
        assert seen.ringing_for == pytest.approx([9], abs=2)
        assert seen.answered_for == pytest.approx([3], abs=2)


def test_call_begun_in_a_leap_keeps_its_age(session: Session, clock: ShiftedClock) -> None:
    round_, ages = a_round(session), round_statistics.Ages()
    clock.shift = timedelta(minutes=10)
    a_call(session, round_, CallbackState.RINGING, placed_at=9)
    for shift in (clock.shift, timedelta()):
        clock.shift = shift
        ages.begin_look()
        seen = round_statistics.find_situation(session, round_.id, ages)
        assert seen.ringing_for == pytest.approx([9], abs=2)


def test_new_stamp_of_a_call_is_an_age_of_its_own(session: Session) -> None:
    round_, ages = a_round(session), round_statistics.Ages()
    held = {"talking_at": 100, "held_at": 80, "held_until": -60}
    callback = a_call(session, round_, CallbackState.HELD, desk=serving(session, round_), **held)
    for held_at, talked in ((80, 20), (10, 90)):
        callback.held_at = now(session) - timedelta(seconds=held_at)
        ages.begin_look()
        (seen,) = round_statistics.find_situation(session, round_.id, ages).speakers
        assert seen.talking_for == pytest.approx(talked, abs=2)


def test_statistics_use_the_rounds_own_calls(session: Session) -> None:
    round_ = a_round(session)
    desk = serving(session, round_)
    closed = CallbackState.CLOSED
    spoke = {"placed_at": 400, "answered_at": 388, "confirmed_at": 380, "talking_at": 350}
    a_call(session, round_, closed, desk=desk, **spoke, finishing_at=90, ended_at=50)
    a_call(session, round_, closed, outcome=Outcome.BUSY, placed_at=45, ended_at=20)
    a_call(session, a_round(session), closed, placed_at=45, ended_at=20)

    seen = round_statistics.list_observations(session, round_.id)

    assert seen.conversations == pytest.approx([300])
    assert seen.finishing == pytest.approx([40])
    assert seen.ready_after == pytest.approx([20])
    assert seen.answered_after == pytest.approx([12])
    assert seen.pressed_after == pytest.approx([8])
    assert seen.failed_after == pytest.approx([25])


@pytest.mark.parametrize("outcome", [Outcome.FAILED, Outcome.RETURNED])
def test_own_faults_do_not_enter_the_statistics(session: Session, outcome: Outcome) -> None:
    round_, closed = a_round(session), CallbackState.CLOSED
    desk = serving(session, round_, asks=True)
    spoke = {"placed_at": 400, "answered_at": 388, "confirmed_at": 380, "talking_at": 350, "ended_at": 50}
    a_call(session, round_, closed, desk=desk, **spoke)
    a_call(session, round_, closed, outcome=Outcome.NO_ANSWER, placed_at=300, ended_at=260)
    before = (
        round_statistics.list_observations(session, round_.id),
        round_statistics.count_calls_wanted(session, round_, 2),
    )
    for ago in range(240, 40, -4):
        a_call(session, round_, closed, outcome=outcome, placed_at=ago, ended_at=ago)  # refused at once
    a_call(session, round_, closed, outcome=outcome, placed_at=40, answered_at=35, ended_at=30)  # no script
    for ago in (27, 14):
        a_call(session, round_, closed, outcome=outcome, placed_at=ago, ended_at=ago - 6.4)  # silence

    assert round_statistics.list_observations(session, round_.id) == before[0]
    assert round_statistics.count_calls_wanted(session, round_, 2) == before[1] > 0


def test_many_own_faults_keep_older_calls_in_the_statistics(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    round_, closed = a_round(session), CallbackState.CLOSED
    a_call(session, round_, closed, outcome=Outcome.BUSY, placed_at=900, ended_at=880)
    monkeypatch.setattr(round_statistics, "_NEWEST_CALLS", round_statistics._NEWEST_CALLS.limit(2))
    for ago in (30, 20, 10):
        a_call(session, round_, closed, outcome=Outcome.FAILED, placed_at=ago, ended_at=ago)

    assert round_statistics.list_observations(session, round_.id).failed_after == pytest.approx([20])


def test_statistics_of_a_long_round_use_its_newest_calls(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    round_ = a_round(session)
    for ago in (900, 600, 300):
        a_call(session, round_, CallbackState.CLOSED, placed_at=ago, answered_at=ago * 0.9)
    monkeypatch.setattr(round_statistics, "_NEWEST_CALLS", round_statistics._NEWEST_CALLS.limit(2))

    assert round_statistics.list_observations(session, round_.id).answered_after == pytest.approx([60, 30])


def test_asking_desk_without_calls_wants_one(session: Session) -> None:
    round_ = a_round(session)
    desk = serving(session, round_)

    assert round_statistics.count_calls_wanted(session, round_, 2) == 0
    desk.next_asked_at = now(session)
    assert round_statistics.count_calls_wanted(session, round_, 2) >= 1
    a_call(session, round_, CallbackState.WAITING, placed_at=30, confirmed_at=1)
    assert round_statistics.count_calls_wanted(session, round_, 2) == 0
