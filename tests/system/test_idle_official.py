"""Eight in line of whom few can be reached, on the real Asterisk: how long the official is idle."""

from collections.abc import Iterator
from itertools import pairwise

import pytest

from db.states import Outcome
from tests.kit.crowd import Behaviour
from tests.kit.official import Script
from tests.kit.simulated_round import Person, SimulatedRound, fast_system, played, wait_until_done
from tests.kit.system import System

SPEED = 10
"""The dialer takes a second for so many; all seconds below are the dialer's."""
RING_S, PRESS_S, SILENT_S, TALK_S = 12, 8, 53, 60
UNANSWERED_S = 30
SHARE = 0.7
"""The limit as a share of the same calls one after another, some 130 s each time."""

ANSWERS = Behaviour(rings=RING_S / SPEED, presses_after=PRESS_S / SPEED)
SILENT = Behaviour(rings=RING_S / SPEED, presses_after=None, leaves_after=(SILENT_S - RING_S) / SPEED)
MACHINE = Behaviour(rings=RING_S / SPEED, presses_after=None, leaves_after=15 / SPEED)
RINGS_OUT = Behaviour(rings=UNANSWERED_S / SPEED, status="480 Temporarily Unavailable")

LINE = [SILENT, RINGS_OUT, MACHINE, ANSWERS, RINGS_OUT, SILENT, RINGS_OUT, ANSWERS]


@pytest.fixture(scope="module")
def fast() -> Iterator[System]:
    """A system of its own whose dialer thinks that a second is SPEED seconds; a script has patience."""
    with fast_system(
        SPEED, HOTLINE_MAX_ATTEMPTS="1", HOTLINE_RING_SECONDS="5", HOTLINE_ANSWER_SECONDS=str(50 / SPEED)
    ) as system:
        yield system


def test_round_of_eight_leaves_the_official_idle_briefly(
    fast: System,
) -> None:
    with played(fast, [_person(behaviour) for behaviour in LINE]) as game:
        wait_until_done(game, timeout=100)

        assert game.wrongs() == []
        idle, one_by_one = _idle(game), _one_by_one(game)
        assert len(idle) == len(one_by_one) == 2
        for seconds, at_most in zip(idle, one_by_one, strict=True):
            assert seconds <= SHARE * at_most, (idle, one_by_one)


def _person(behaviour: Behaviour) -> Person:
    outcome = {ANSWERS: Outcome.REACHED, RINGS_OUT: Outcome.NO_ANSWER}.get(behaviour, Outcome.HUNG_UP)
    return Person([behaviour], Script(TALK_S / SPEED), [outcome])


def _idle(game: SimulatedRound) -> list[int]:
    """Until each conversation since the one before, or since the first call; in the dialer's seconds."""
    talks = game.official.talks
    began = min(call.invited_at for call in game.crowd.calls())
    gaps = [talks[0].since - began, *(after.since - before.until for before, after in pairwise(talks))]
    return [round(SPEED * gap) for gap in gaps]


def _one_by_one(game: SimulatedRound) -> list[int]:
    """Return the time of the calls, added up to each one that brought somebody."""
    sums, so_far = [], 0.0
    for call in sorted(game.crowd.calls(), key=lambda call: call.invited_at):
        so_far += (call.pressed_at or call.ended_at or call.invited_at) - call.invited_at
        if call.pressed_at:
            sums, so_far = [*sums, round(SPEED * so_far)], 0.0
    return sums
