"""When the next citizen is called: the rule's properties, and a short simulation with the very same code."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.pacing import Round, World, fixed, one_at_a_time, ours, percentile
from hotline.callbacks.pacing import RoundStatistics, Situation, Speaker, count_calls_wanted, estimate_wait

NOTHING = RoundStatistics()
seconds = st.floats(0, 1e5)
speakers = st.lists(
    st.builds(Speaker, st.none() | seconds, st.none() | st.floats(0, 600)), min_size=0, max_size=5
)
situations = st.builds(
    Situation,
    speakers,
    st.lists(st.floats(0, 300), max_size=4),
    st.integers(0, 4),
    st.lists(st.floats(0, 300), max_size=3),
)
odd = st.lists(st.sampled_from([0.0, 1e-9, 20.0, 300.0, 1e9]), max_size=5)
some_statistics = st.builds(RoundStatistics, odd, odd, odd, odd, odd, odd)
HARD = {"silent": 0.1, "unanswered_s": 30.0, "press_shape": 4.0}
"""A tenth pick up and press nothing; the others whom nobody reaches ring out."""


def one(talking_for: float | None, *, finishing_for: float | None = None, ready: int = 0) -> Situation:
    return Situation([Speaker(talking_for, finishing_for)], [], ready)


def wanted(situation: Situation, statistics: RoundStatistics = NOTHING, most: int = 2) -> int:
    return count_calls_wanted(situation, statistics, minutes=6, most=most)


@settings(max_examples=200)
@given(situations, some_statistics, st.integers(0, 3), st.integers(0, 60))
def test_calls_wanted_stay_within_the_maximum(
    situation: Situation, statistics: RoundStatistics, most: int, minutes: int
) -> None:
    calls = count_calls_wanted(situation, statistics, minutes=minutes, most=most)

    under_way = len(situation.ringing_for) + situation.ready + len(situation.answered_for)
    assert 0 <= calls <= max(0, 2 * most * len(situation.speakers) - under_way)
    assert calls <= max(0, most * len(situation.speakers) - situation.ready)


@pytest.mark.long
@settings(max_examples=200)
@given(speakers, st.integers(0, 3), st.integers(0, 3), some_statistics, st.integers(1, 4), st.integers(0, 2))
def test_improbable_calls_count_as_none(
    speakers: list[Speaker], ringing: int, silent: int, statistics: RoundStatistics, most: int, ready: int
) -> None:
    old = Situation(speakers, [1e6] * ringing, ready, [1e6] * silent)
    limit = 2 * most * len(speakers) - ready - ringing - silent

    expected = min(wanted(Situation(speakers, [], ready), statistics, most), max(0, limit))
    assert wanted(old, statistics, most) == expected


@settings(max_examples=200)
@given(situations, some_statistics, st.integers(1, 4), st.floats(0, 300))
def test_ageing_silent_call_never_lowers_the_calls_wanted(
    situation: Situation, statistics: RoundStatistics, most: int, since: float
) -> None:
    def beside(since: float) -> int:
        one = Situation(situation.speakers, [], situation.ready, [since])
        return wanted(one, statistics, most)

    assert beside(1e6) >= beside(since)


@settings(max_examples=200)
@given(situations, some_statistics, st.integers(1, 8))
def test_expected_wait_is_finite_and_grows_with_the_place(
    situation: Situation, statistics: RoundStatistics, place: int
) -> None:
    nearer, farther = (estimate_wait(situation, statistics, minutes=6, place=p) for p in (place, place + 1))

    assert 0 <= nearer <= farther + 1 and math.isfinite(farther)


@settings(max_examples=100)
@given(some_statistics, st.integers(1, 3))
def test_free_speaker_without_calls_wants_one(statistics: RoundStatistics, most: int) -> None:
    assert wanted(one(None), statistics, most) >= 1


@settings(max_examples=100)
@given(st.floats(0, 3000), st.floats(0, 300), some_statistics)
def test_finishing_key_never_lowers_the_calls_wanted(
    talking_for: float, finishing_for: float, statistics: RoundStatistics
) -> None:
    pressed = wanted(one(talking_for, finishing_for=finishing_for), statistics)

    assert pressed >= wanted(one(talking_for), statistics)


@pytest.mark.parametrize("talking_for", [0.0, 150.0, 300.0, 900.0])
def test_one_ready_citizen_per_speaker_wants_no_call(talking_for: float) -> None:
    assert wanted(one(talking_for, ready=1)) == 0
    assert wanted(Situation([Speaker(talking_for)] * 3, [], 3)) == 0


def test_new_conversation_wants_no_call_yet() -> None:
    assert wanted(one(0.0)) == 0
    assert wanted(one(300.0)) == 1
    assert wanted(one(60.0, finishing_for=0.0)) == 1


def seen(reach: float, calls: int = 60) -> RoundStatistics:
    """Make the statistics of many calls, a share of which brought somebody."""
    come = round(reach * calls)
    return RoundStatistics(
        ready_after=[20.0] * come,
        failed_after=[30.0] * (calls - come),
        answered_after=[9.0, 12.0, 15.0] * (come // 3),
        pressed_after=[5.0, 8.0, 11.0] * (come // 3),
    )


def test_idle_official_with_rare_answers_wants_several_calls() -> None:
    idle, reached = one(None), (0.15, 0.35, 0.5, 0.65, 0.8, 0.95)
    at_once = [wanted(idle, seen(reach), most=4) for reach in reached]

    assert at_once == sorted(at_once, reverse=True)
    assert at_once[0] >= 3 and at_once[1] == 2 and at_once[-1] == 1
    assert wanted(idle, seen(0.02), most=4) <= 4


@pytest.mark.parametrize("reach", [0.35, 0.5, 0.8])
def test_rare_answers_in_a_conversation_call_sooner_not_more(
    reach: float,
) -> None:
    def first_call(ringing: list[float], reach: float = reach) -> float:
        at = (t for t in range(0, 600, 5) if wanted(Situation([Speaker(t)], ringing, 0), seen(reach), most=4))
        return next(at, math.inf)

    assert first_call([]) < first_call([], reach + 0.15)
    assert first_call([0.0]) == math.inf
    assert first_call([40.0]) == first_call([]), "it is improbable that this one comes"


def test_fruitless_call_is_joined_by_another() -> None:
    free, reached = [Speaker(None)], seen(0.65)

    assert wanted(Situation(free, [0.0], 0), reached) == 0
    assert wanted(Situation(free, [24.0], 0), reached) == 1
    assert wanted(Situation(free, [], 0, [2.0]), reached) == 0
    assert wanted(Situation(free, [], 0, [30.0]), reached) == 1, "picked up, and nobody presses 1"


@pytest.mark.parametrize("talking_for", [None, 0.0, 150.0, 300.0])
def test_third_call_is_never_placed_beside_a_probable_one(
    talking_for: float | None,
) -> None:
    speaker = [Speaker(talking_for)]

    assert wanted(Situation(speaker, [24.0], 0, [2.0]), most=3) == 0
    assert wanted(Situation(speaker, [24.0], 1), most=3) == 0
    assert wanted(Situation(speaker, [2.0, 2.0], 0), most=3) == 0
    assert wanted(Situation(speaker, [24.0] * 4, 0), most=2) == 0


def test_nearer_end_places_the_second_call_sooner() -> None:
    def second_call_after(talking_for: float | None, finishing_for: float | None) -> float:
        for rung in range(60):
            speaker = Speaker(talking_for, finishing_for)
            if wanted(Situation([speaker], [rung / 2], 0), seen(0.65)):
                return rung / 2
        return math.inf

    idle, finishing, early = (second_call_after(*at) for at in ((None, None), (300.0, 30.0), (120.0, None)))

    assert 10 < idle < 20
    assert idle <= finishing < 25 < early


def test_expected_wait_follows_talk_and_finishing_key() -> None:
    def wait(situation: Situation, place: int = 1) -> float:
        return estimate_wait(situation, NOTHING, minutes=6, place=place)

    assert 200 < wait(one(0.0)) < 320
    assert wait(one(200.0)) < wait(one(0.0))
    assert wait(one(200.0, finishing_for=10.0)) < 60
    assert wait(one(0.0), place=2) > 450
    assert wait(Situation([Speaker(100.0)] * 4, [], 1)) < wait(one(100.0)) / 2
    assert wait(one(None)) < 1


@pytest.mark.long
def test_simulated_rounds_keep_idle_time_and_waits_low() -> None:
    def run(rule, **world):  # type: ignore[no-untyped-def]
        rounds = [Round(World(**world), rule, seed).run() for seed in range(6)]
        idle = [x for r in rounds for x in r.idle]
        waits = [x for r in rounds for x in r.waits]
        return sum(idle) / len(idle), sum(waits) / len(waits)

    idle, wait = run(ours)
    key_idle, key_wait = run(ours, key_used=0.8)

    assert run(one_at_a_time)[0] > 25
    assert idle < 10 and key_idle < 10
    assert wait < run(fixed)[1] + 30
    assert key_wait < wait


def test_simulated_desks_share_one_line() -> None:
    figures = Round(World(speakers=4), ours, 1).run()

    assert sum(figures.idle) / len(figures.idle) < 10
    assert sum(figures.waits) / len(figures.waits) < 80


@pytest.mark.long
def test_simulated_rare_answers_keep_idle_spells_short() -> None:
    def run(rule, **world):  # type: ignore[no-untyped-def]
        rounds = [Round(World(**HARD, **world), rule, seed).run() for seed in range(20)]
        idle = [x for r in rounds for x in r.idle]
        return percentile(idle, 0.9), percentile(idle, 0.99), sum(r.first for r in rounds) / len(rounds)

    idle, longest, first = run(ours, answers=0.35)

    assert idle <= 30 and longest <= 90 and first <= 45
    assert run(one_at_a_time, answers=0.35)[0] > 150
    assert run(ours, answers=0.5)[0] <= 30
