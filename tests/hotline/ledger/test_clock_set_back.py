"""A clock that is set back neither reorders a line nor makes the ledger look forged."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine, select

from db.engine import reading, writing
from db.models import LedgerEntry, Registration
from db.states import Outcome
from hotline.ledger.verify import verify
from hotline.line import fairness, order
from hotline.rounds import phases
from settings import Settings
from tests.kit.shifted_clock import ShiftedClock, clock
from tests.kit.story import Story

__all__ = ["clock"]

HOUR = timedelta(hours=1)


@pytest.fixture
def story(engine: Engine, settings: Settings) -> Story:
    story = Story(engine, settings.model_copy(update={"max_attempts": 3, "retry_seconds": 1200}))
    with writing(engine) as session:
        round_ = phases.get(session, story.round)
        for name in ("announce_at", "registration_from", "starts_at"):
            setattr(round_, name, getattr(round_, name) - 24 * HOUR)
    return story


def in_line(story: Story) -> list[int]:
    with reading(story.engine) as session:
        return [r.id for r in order.list_page(session, story.round, 99, None)]


def proven(story: Story) -> None:
    assert verify(story.engine).problems == []


@pytest.mark.parametrize("hours", [1, 12])
def test_registrations_after_a_clock_set_back_keep_the_order(
    story: Story, clock: ShiftedClock, hours: int
) -> None:
    ids = [story.registers() for _ in range(3)]
    story.seals()
    clock.shift = -hours * HOUR
    ids += [story.registers() for _ in range(2)]
    proven(story)
    story.seals()
    proven(story)
    assert in_line(story) == ids
    with reading(story.engine) as session:
        rows = session.scalars(select(Registration).order_by(Registration.id)).all()
        assert [order.count_before(session, row) for row in rows] == [0, 1, 2, 3, 4]
        times = session.scalars(select(LedgerEntry.at).order_by(LedgerEntry.id)).all()
        assert list(times) == sorted(times)
    assert [story.called(Outcome.REACHED) for _ in range(5)] == ids
    proven(story)


def test_due_retry_after_a_clock_set_back_verifies(story: Story, clock: ShiftedClock) -> None:
    first, second, third = (story.registers() for _ in range(3))
    assert story.called(Outcome.NO_ANSWER) == first  # due again in 20 minutes
    clock.shift = HOUR / 2
    assert story.called(Outcome.RETURNED) == first, "it is due"
    assert story.called(Outcome.NO_ANSWER) == first  # in 40 minutes
    story.seals()
    clock.shift = timedelta()
    assert story.called(Outcome.REACHED) == second
    proven(story)
    with reading(story.engine) as session:
        standing = fairness.find_facts(session, session.get_one(Registration, first))
        assert {call.reason for call in standing.explained} == {fairness.Reason.NOT_DUE}
    clock.shift = 2 * HOUR
    assert story.called(Outcome.REACHED) == first
    assert story.called(Outcome.REACHED) == third
    proven(story)


def test_clock_set_back_does_not_hide_a_passed_citizen(story: Story, clock: ShiftedClock) -> None:
    first, second = story.registers(), story.registers()
    clock.shift = -HOUR
    with pytest.MonkeyPatch.context() as cheat:
        cheat.setattr(order, "take_next", lambda session, _, at: order.take(session, second, at))
        cheat.setattr(order, "list_passed", lambda *_: [])
        assert story.called(None) == second
    (problem,) = verify(story.engine).problems
    assert f"but {first} stood before it" in problem
