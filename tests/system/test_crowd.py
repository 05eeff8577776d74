"""A whole round of 40 citizens, faster than life, on the real Asterisk: nobody lost, doubled or passed."""

import os
import random
from collections.abc import Iterator

import pytest

from db.engine import writing
from db.states import FREE_OF_CHARGE, Outcome, RegistrationState
from hotline.rounds import phases
from tests.kit import round_checks
from tests.kit.crowd import Behaviour
from tests.kit.official import Script
from tests.kit.process import until
from tests.kit.round_checks import Attempt
from tests.kit.simulated_round import Person, SimulatedRound, fast_system, played, wait_until_done
from tests.kit.system import System

SPEED = float(os.environ.get("CROWD_SPEED", "200"))
"""The speed. At 200, 1.2 s of conversation is 240 s to the pacing; `make crowd` plays at 20."""
MEAN_S, SPREAD = 240 / SPEED, 0.5
"""Conversations; their logarithms' spread."""

ANSWERS = Behaviour(rings=max(0.3, 12 / SPEED), presses_after=max(0.3, 8 / SPEED))
BUSY = Behaviour(rings=0.3, status="486 Busy Here")
DECLINES = Behaviour(rings=0.5, status="603 Decline")
SWITCHED_OFF = Behaviour(rings=0.2, status="480 Temporarily Unavailable", hears="")
GIVEN_UP = Behaviour(rings=1.2, status="480 Temporarily Unavailable")
NO_SUCH = Behaviour(rings=0.1, status="404 Not Found", hears="")
RINGS_ON = Behaviour(rings=None)
VOICEMAIL = Behaviour(rings=0.3, presses_after=None)
HANGS_UP = Behaviour(presses_after=None, leaves_after=1.0)

CROWD = [
    *[([ANSWERS], [Outcome.REACHED])] * 20,
    *[([BUSY, ANSWERS], [Outcome.BUSY, Outcome.REACHED])] * 4,
    *[([BUSY], [Outcome.BUSY] * 2)] * 2,
    *[([DECLINES], [Outcome.REJECTED] * 2)] * 2,
    *[([GIVEN_UP, ANSWERS], [Outcome.NO_ANSWER, Outcome.REACHED])] * 3,
    ([RINGS_ON, ANSWERS], [Outcome.NO_ANSWER, Outcome.REACHED]),
    ([RINGS_ON], [Outcome.NO_ANSWER] * 2),
    *[([VOICEMAIL, ANSWERS], [Outcome.NOT_CONFIRMED, Outcome.REACHED])] * 2,
    *[([SWITCHED_OFF, ANSWERS], [Outcome.UNREACHABLE, Outcome.REACHED])] * 2,
    ([NO_SUCH], [Outcome.UNREACHABLE] * 2),
    *[([HANGS_UP, ANSWERS], [Outcome.HUNG_UP, Outcome.REACHED])] * 2,
]


def _people(chance: random.Random) -> list[Person]:
    people = []
    for calls, outcomes in CROWD:
        lasts = MEAN_S * chance.lognormvariate(-(SPREAD**2) / 2, SPREAD)
        script = Script(lasts, citizen_ends=chance.random() < 0.2)
        people.append(Person(calls, script, outcomes))
    chance.shuffle(people)
    return people


@pytest.fixture(scope="module")
def fast() -> Iterator[System]:
    """A system of its own whose dialer thinks that a second is SPEED seconds."""
    retry = str(round(800 / SPEED))
    with fast_system(SPEED, HOTLINE_MAX_ATTEMPTS="2", HOTLINE_RETRY_SECONDS=retry) as system:
        yield system


@pytest.mark.timeout(200 + 8000 / SPEED)
def test_simulated_round_of_40_keeps_outcomes_and_order(
    fast: System,
) -> None:
    people = _people(random.Random(137))
    assert len(people) == 40
    with played(fast, people) as game:
        wait_until_done(game, timeout=110 + 8000 / SPEED)

        assert game.wrongs() == []
        cut = any(call.ended_by == "cut" for call in game.crowd.calls())
        assert [one for one in game.official.troubles if not (cut and "desk-phone-away" in one)] == []
        _as_the_script_says(game)


def _as_the_script_says(game: SimulatedRound) -> None:
    facts = game.facts()
    again = [attempt for attempt in facts.attempts if _was_cut(attempt)]
    for registration in facts.registrations:
        person = game.people[round_checks.number_of(registration)]
        theirs = [a for a in facts.attempts if a.callback.registration_id == registration.id]
        own = [a.callback.outcome for a in theirs if a not in again]
        assert own == list(person.outcomes), registration.number
        reached = person.outcomes[-1] is Outcome.REACHED
        assert registration.state is (RegistrationState.REACHED if reached else RegistrationState.UNREACHED)
    placed = [attempt for attempt in facts.attempts if attempt.call or attempt not in again]
    assert len(game.crowd.calls()) == len(placed)


def _was_cut(attempt: Attempt) -> bool:
    """Asterisk died by itself (asterisk#1946): the call cost nothing, and was made again."""
    lost = attempt.call is None or attempt.call.ended_by == "cut"
    return lost and attempt.callback.outcome in FREE_OF_CHARGE


def test_hang_ups_while_waiting_are_not_reached(
    fast: System,
) -> None:
    impatient = Behaviour(leaves_after=1.5)
    people = [
        Person(script=Script(6.0)),
        *[Person([impatient, ANSWERS], Script(3.0), [Outcome.HUNG_UP, Outcome.REACHED])] * 3,
        Person(),
    ]
    with played(fast, people) as game:
        wait_until_done(game, timeout=80)
        assert game.wrongs() == []
        outcomes = [a.callback.outcome for a in game.facts().attempts]
        assert Outcome.HUNG_UP in outcomes
        assert outcomes.count(Outcome.REACHED) == len(people)


def test_ended_round_releases_only_the_waiting_citizen(
    fast: System,
) -> None:
    with played(fast, [Person(script=Script(30.0)), Person(), Person()]) as game:
        until(lambda: game.official.talks, "somebody talks", 30)
        until(lambda: [c for c in game.crowd.live() if c.pressed_at][1:], "somebody waits", 30)
        with writing(fast.engine) as session:
            phases.end_round(session, phases.get(session, game.round_id))
        until(lambda: len(game.crowd.live()) == 1, "one is on the line")

        (talks,) = game.crowd.live()
        assert talks.number == game.official.talks[0].number
        waited = [a for a in game.facts().attempts if a.number != talks.number]
        until(lambda: all(fast.callback(a.callback.id).outcome for a in waited), "they have an outcome")
        assert {fast.callback(a.callback.id).outcome for a in waited} == {Outcome.RETURNED}
