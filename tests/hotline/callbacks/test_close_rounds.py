"""An official's next round begins while their earlier one, past its end, still has people in its line."""

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from db.engine import now
from db.models import AuditEntry, Registration, Round, TrustedTime
from hotline.callbacks import claims
from hotline.line import carry_over
from hotline.rounds import planning
from tests.factories import HOUR, a_registration, an_official

MINUTE = timedelta(minutes=1)


@pytest.fixture
def earlier(session: Session) -> Round:
    """Opened, past its end for ten minutes, not ended by anybody."""
    at = now(session)
    return _add(session, starts_at=at - 3 * HOUR, ends_at=at - 10 * MINUTE, opened_at=at - 3 * HOUR)


@pytest.fixture
def left(session: Session, earlier: Round) -> Registration:
    return a_registration(session, earlier, registered_at=now(session) - 4 * HOUR)


@pytest.fixture
def following(session: Session, earlier: Round) -> Round:
    at = now(session)
    return _add(session, like=earlier, starts_at=at - MINUTE, ends_at=at + 3 * HOUR)


@pytest.fixture
def own(session: Session, following: Round) -> Registration:
    return a_registration(session, following, registered_at=now(session) - 5 * HOUR)


def _add(session: Session, like: Round | None = None, **values: object) -> Round:
    at = now(session)
    times = {"announce_at": at - 30 * HOUR, "registration_from": at - 24 * HOUR}
    official = like.official if like else an_official(session)
    round_ = Round(official=official, registration_until=values["ends_at"], **times, **values)
    session.add(round_)
    session.flush()
    return round_


def _called(session: Session, round_: Round) -> int | None:
    callback = claims.call_ahead(session, round_)
    return callback.registration_id if callback else None


def test_first_call_waits_for_who_was_left(
    session: Session, earlier: Round, following: Round, left: Registration, own: Registration
) -> None:
    assert _called(session, following) is None
    assert earlier.ended_at and following.opened_at is None
    ended = select(AuditEntry.subject).where(AuditEntry.action == "round-ended")
    assert session.scalars(ended).all() == [f"round {earlier.id}"]
    assert _called(session, following) is None, "the scheduler has not carried anybody yet"
    while carry_over.carry_over(session):
        pass
    assert [_called(session, following) for _ in range(3)] == [left.id, own.id, None]


def test_round_nobody_opened_is_waited_for(
    session: Session, earlier: Round, following: Round, left: Registration, own: Registration
) -> None:
    earlier.opened_at, earlier.ends_at = None, now(session) - timedelta(seconds=1)
    earlier.registration_until = earlier.ends_at
    session.flush()
    assert _called(session, following) is None
    while carry_over.carry_over(session):
        pass
    assert _called(session, following) == left.id


def test_official_does_not_wait_for_a_dead_scheduler(
    session: Session, earlier: Round, following: Round, left: Registration, own: Registration
) -> None:
    assert _called(session, following) is None
    earlier.ended_at = now(session) - MINUTE
    session.flush()
    assert _called(session, following) == own.id


def test_round_opened_by_hand_ends_the_earlier_one(
    session: Session, earlier: Round, following: Round
) -> None:
    planning.open_now(session, following, who="u")
    assert earlier.ended_at


def test_round_that_goes_on_is_not_ended(session: Session, earlier: Round, following: Round) -> None:
    earlier.ends_at = earlier.registration_until = now(session) + MINUTE
    a_registration(session, following)
    session.flush()
    assert _called(session, following)
    assert earlier.ended_at is None


def test_clock_that_leapt_ends_no_earlier_round(
    session: Session, earlier: Round, following: Round, left: Registration, own: Registration
) -> None:
    session.add(TrustedTime(id=1, at=earlier.ends_at - MINUTE, boot="", ticks=0))
    session.flush()
    _called(session, following)
    planning.open_now(session, following, who="mayor")
    assert earlier.ended_at is None
    assert carry_over.carry_over(session) == 0 and left.round_id == earlier.id
