"""The rows behind the decision when to call: what a served round is like now, and what it has shown."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from db.engine import now
from db.models import Callback, Desk, Round
from db.states import CallbackState, Outcome, RegistrationState
from hotline import experience
from tests.factories import a_desk, a_registration, a_round


def a_call(
    session: Session, round_: Round, state: CallbackState, *, desk: Desk | None = None, **ago: float
) -> Callback:
    """A callback of the round; its times by how many seconds ago."""
    at = now(session)
    times: dict[str, Any] = {name: at - timedelta(seconds=seconds) for name, seconds in ago.items()}
    registration = a_registration(session, round_, state=RegistrationState.CALLING)
    callback = Callback(
        registration=registration,
        round_id=round_.id,
        desk_id=desk.id if desk else None,
        token=f"callback-{registration.id:032}",
        state=state,
        outcome=Outcome.REACHED if state is CallbackState.CLOSED else None,
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


def test_given_desks_and_calls_when_looked_at_then_each_counts_as_what_it_is(session: Session) -> None:
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

    seen = experience.situation(session, round_.id)

    free, speaks, about_to_ask = seen.speakers
    assert free.talking_for is None and about_to_ask.talking_for is None
    assert speaks.talking_for == pytest.approx(100, abs=2)
    assert speaks.finishing_for == pytest.approx(10, abs=2)
    assert sorted(seen.ringing_for) == pytest.approx([0, 9], abs=2)
    assert (seen.answered, seen.ready) == (1, 1)


def test_given_calls_of_two_rounds_when_learnt_from_then_only_the_rounds_own_count(session: Session) -> None:
    round_ = a_round(session)
    desk = serving(session, round_)
    closed = CallbackState.CLOSED
    spoke = {"placed_at": 400, "answered_at": 388, "confirmed_at": 380, "talking_at": 350}
    a_call(session, round_, closed, desk=desk, **spoke, finishing_at=90, ended_at=50)
    a_call(session, round_, closed, placed_at=45, ended_at=20)
    a_call(session, a_round(session), closed, placed_at=45, ended_at=20)

    seen = experience.experience(session, round_.id)

    assert seen.conversations == pytest.approx([300])
    assert seen.finishing == pytest.approx([40])
    assert seen.ready_after == pytest.approx([20])
    assert seen.answered_after == pytest.approx([12])
    assert seen.failed_after == pytest.approx([25])


def test_given_a_desk_that_asks_when_nobody_is_under_way_then_somebody_is_called(session: Session) -> None:
    round_ = a_round(session)
    desk = serving(session, round_)

    assert experience.calls_wanted(session, round_, 2) == 0
    desk.next_asked_at = now(session)
    assert experience.calls_wanted(session, round_, 2) >= 1
    a_call(session, round_, CallbackState.WAITING, placed_at=30, confirmed_at=1)
    assert experience.calls_wanted(session, round_, 2) == 0
