"""A trunk that falls silent while a phone rings: nobody knows whether it was picked up, and nobody pays."""

from collections.abc import Iterator

import pytest

from db.engine import reading
from db.states import Outcome, RegistrationState
from hotline.trunk import circuit_breaker
from tests.kit.crowd import Behaviour
from tests.kit.official import Script
from tests.kit.process import until
from tests.kit.simulated_round import Person, SimulatedRound, fast_system, played
from tests.kit.system import System

RINGS_S = 20
"""Longer than it takes to know of the silence: asked every second, three seconds' patience."""


@pytest.fixture(scope="module")
def system() -> Iterator[System]:
    with fast_system(200, trunk={"qualify_seconds": 1}, HOTLINE_RING_SECONDS=str(RINGS_S)) as system:
        yield system


def test_unanswered_ring_of_a_silent_trunk_is_free(
    system: System,
) -> None:
    citizen = Person([Behaviour(rings=None), Behaviour(rings=0.5)], Script(1.5))
    with played(system, [citizen]) as game:
        crowd = game.crowd
        crowd.answers_options = True
        until(lambda: _answers(system), "the trunk is known to answer")
        until(crowd.live, "the phone rings", 30)
        crowd.trunk_says = ""
        until(lambda: _answers(system) is False, "the silence is known")
        assert crowd.live(), "it rings on, as far as anybody knows"
        until(lambda: not crowd.live(), "its ringing time is over", RINGS_S + 5)
        until(lambda: _rung(game), "it is known for what it was")
        crowd.trunk_says = None
        until(lambda: game.official.talks, "the same phone rings again, and is answered")
        assert _rung(game)[0] is Outcome.FAILED
        (place,) = system.registrations(game.round_id)
        once_more = (1, RegistrationState.REACHED)
        assert (place.attempts, place.state) in [(0, RegistrationState.CALLING), once_more]


def _rung(game: SimulatedRound) -> list[Outcome]:
    """How the calls have ended; a trunk that was not there yet was told of, and nobody called."""
    ended = [attempt.callback.outcome for attempt in game.facts().attempts]
    return [outcome for outcome in ended if outcome and outcome is not Outcome.RETURNED]


def _answers(system: System) -> bool | None:
    with reading(system.engine) as session:
        return circuit_breaker.is_answering_options(session)
