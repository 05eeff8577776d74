"""The judge of played rounds finds what is wrong: else the rounds that it finds right would show nothing."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from db.models import Callback, Registration
from db.states import CallbackState, Outcome, RegistrationState
from settings import Settings
from tests.kit import round_checks
from tests.kit.crowd import Behaviour, Call
from tests.kit.official import Talk
from tests.kit.round_checks import Attempt, Facts
from tests.kit.system import System

BEGAN = datetime(2026, 11, 24, 9, tzinfo=UTC)
BUSY = Behaviour(status="486 Busy Here")


def _at(seconds: float) -> datetime:
    return BEGAN + timedelta(seconds=seconds)


def _attempt(citizen: int, since: float, until: float, outcome: Outcome, **how: Any) -> Attempt:
    number = f"+98913555000{citizen}"
    callback = Callback(
        id=int(since * 10),
        registration_id=citizen,
        registration=Registration(id=citizen, number=number),
        state=CallbackState.CLOSED,
        outcome=outcome,
        claimed_at=_at(since),
        ended_at=_at(until),
    )
    call = Call("0" + number[3:], how.get("behaviour", Behaviour()), _at(since).timestamp())
    call.ended_at, call.ended_by = _at(until).timestamp(), how.get("ended_by", "hotline")
    call.answered_at = call.pressed_at = None if outcome is Outcome.BUSY else call.invited_at
    talk = Talk(callback.id, call.number, call.invited_at, call.ended_at) if how.get("talked") else None
    return Attempt(callback, call.number, call, talk)


def _facts(*attempts: Attempt) -> Facts:
    registrations = {a.callback.registration_id: a.callback.registration for a in attempts}
    calls: dict[str, list[Call]] = {}
    for attempt in attempts:
        if attempt.call:
            calls.setdefault(attempt.number, []).append(attempt.call)
    return Facts([registrations[key] for key in sorted(registrations)], attempts, [], calls)


def _in_order(settings: Settings, facts: Facts) -> list[str]:
    return list(round_checks.out_of_order(cast(System, SimpleNamespace(settings=settings)), facts))


def test_correct_round_passes_every_check(settings: Settings) -> None:
    settings = settings.model_copy(update={"retry_seconds": 4})
    facts = _facts(
        _attempt(1, 0, 1, Outcome.BUSY, behaviour=BUSY, ended_by="citizen"),
        _attempt(2, 1.1, 3, Outcome.REACHED, talked=True),
        _attempt(1, 4, 6, Outcome.REACHED, talked=True),
    )
    assert _in_order(settings, facts) == []
    judges = (
        round_checks.double_calls,
        round_checks.redialled,
        round_checks.untrue,
        round_checks.without_outcome,
    )
    assert [wrong for judge in judges for wrong in judge(facts)] == []


def test_call_to_a_connected_phone_is_a_double_call() -> None:
    facts = _facts(_attempt(1, 0, 5, Outcome.FAILED), _attempt(1, 4, 6, Outcome.FAILED))
    assert len(list(round_checks.double_calls(facts))) == 1


def test_call_after_a_conversation_is_a_redial() -> None:
    facts = _facts(
        _attempt(1, 0, 1, Outcome.FAILED, talked=True), _attempt(1, 4, 6, Outcome.REACHED, talked=True)
    )
    assert len(list(round_checks.redialled(facts))) == 1


def test_outcome_without_a_matching_ring_is_untrue() -> None:
    facts = _facts(
        _attempt(1, 0, 1, Outcome.BUSY),
        _attempt(2, 0, 1, Outcome.REACHED),
        _attempt(3, 0, 1, Outcome.NO_ANSWER),
        _attempt(4, 0, 1, Outcome.HUNG_UP),
        _attempt(5, 0, 1, Outcome.FAILED, talked=True),
    )
    assert len(list(round_checks.untrue(facts))) == 5


def test_passed_over_due_citizen_breaks_the_order(
    settings: Settings,
) -> None:
    settings = settings.model_copy(update={"retry_seconds": 4})
    busy = _attempt(1, 0, 1, Outcome.BUSY, behaviour=BUSY, ended_by="citizen")
    late = _facts(busy, _attempt(2, 9, 10, Outcome.FAILED), _attempt(1, 11, 12, Outcome.FAILED))
    never = _facts(_attempt(2, 0, 1, Outcome.FAILED), _attempt(1, 2, 3, Outcome.FAILED))
    assert len(_in_order(settings, late)) == 1
    assert len(_in_order(settings, never)) == 1


def _figure(judge: Any, *attempts: Attempt) -> list[str]:
    return list(judge(_facts(*attempts)))


def test_unheard_or_cut_attempt_is_burned() -> None:
    unheard = _attempt(1, 0, 1, Outcome.UNREACHABLE)
    unheard.call = None
    cut = _attempt(2, 0, 5, Outcome.HUNG_UP, ended_by="cut")
    short = _attempt(3, 0, 0.4, Outcome.NOT_CONFIRMED)
    for attempt in (unheard, cut, short):
        assert len(_figure(round_checks.burned, attempt)) == 1


def test_attempt_of_the_citizen_or_a_free_one_is_not_burned() -> None:
    free = _attempt(4, 0, 1, Outcome.FAILED, ended_by="cut")
    free.call = None
    attempts = [
        _attempt(1, 0, 1, Outcome.BUSY, behaviour=BUSY, ended_by="citizen"),
        _attempt(2, 0, 5, Outcome.NO_ANSWER),
        _attempt(3, 0, 3, Outcome.REACHED, talked=True),
        free,
    ]
    assert _figure(round_checks.burned, *attempts) == []


def _lost(*attempts: Attempt, numbers: tuple[str, ...] = ()) -> list[str]:
    facts = _facts(*attempts)
    return list(round_checks.lost(facts, [*numbers, *(a.number for a in attempts)]))


def test_place_gone_or_ended_without_talk_is_lost() -> None:
    ended = _attempt(1, 0, 1, Outcome.FAILED)
    ended.callback.registration.state = RegistrationState.REACHED
    assert len(_lost(ended)) == 1
    assert _lost(numbers=("09135550009",)) == ["09135550009 has no registration any more"]


def test_waiting_or_served_place_is_not_lost() -> None:
    waits = _attempt(1, 0, 1, Outcome.FAILED)
    waits.callback.registration.state = RegistrationState.WAITING
    reached = _attempt(2, 0, 3, Outcome.REACHED, talked=True)
    reached.callback.registration.state = RegistrationState.REACHED
    assert _lost(waits, reached) == []


@pytest.mark.parametrize(("blip", "by", "wrong"), [(2, "hotline", 1), (4, "hotline", 0), (2, "citizen", 0)])
def test_conversation_cut_within_a_desks_blip_is_our_fault(blip: float, by: str, wrong: int) -> None:
    attempt = _attempt(1, 0, 3, Outcome.REACHED, talked=True, ended_by=by)
    assert attempt.talk
    attempt.talk.broke_off = True
    blips = [_at(blip).timestamp()]
    assert len(list(round_checks.cut_by_blips(_facts(attempt), blips))) == wrong
    attempt.talk.broke_off = False
    assert list(round_checks.cut_by_blips(_facts(attempt), blips)) == []


def test_passing_a_busy_caller_keeps_the_order(
    settings: Settings,
) -> None:
    second, first = _attempt(2, 0, 2, Outcome.REACHED), _attempt(1, 3, 5, Outcome.REACHED)
    facts = _facts(second, first)
    assert len(_in_order(settings, facts)) == 1
    facts.engaged = {second.callback.id: [1]}
    assert _in_order(settings, facts) == []


@pytest.mark.parametrize(
    ("faults", "flows", "after", "wrongs"),
    [
        (1, False, 110, 0),  # nobody gets through: one after another is tried
        (1, False, 130, 1),
        (3, False, 230, 0),  # each time for longer
        (3, False, 250, 1),
        (1, True, 4, 0),  # somebody got through since: another's call shows whether it is this number alone
        (1, True, 7, 1),
        (3, True, 50, 0),
        (3, True, 70, 1),
    ],
)
def test_trunk_fault_allows_others_first_for_a_limited_time(
    settings: Settings, faults: int, flows: bool, after: float, wrongs: int
) -> None:
    attempts = [_attempt(1, at, at + 0.1, Outcome.FAILED) for at in range(faults)]
    since = faults - 0.9 + after
    other = _attempt(2, since, since + 1, Outcome.FAILED)
    for attempt in (*attempts, other):
        attempt.call = None
    through = [_attempt(0, faults - 0.8, faults - 0.7, Outcome.REACHED)] * flows
    again = _attempt(1, since + 2, since + 3, Outcome.REACHED)
    facts = _facts(*through, *attempts, other, again)
    facts.engaged = {attempt.callback.id: [0] for attempt in attempts}
    assert len(_in_order(settings, facts)) == wrongs


def test_uncallable_number_lets_others_pass_for_a_minute(
    settings: Settings,
) -> None:
    attempts = [_attempt(1, at, at + 0.1, Outcome.FAILED) for at in (0, 1, 9)]
    for attempt in attempts:
        attempt.call = None
    others = [_attempt(citizen, citizen, citizen + 1, Outcome.REACHED) for citizen in (2, 10, 60)]
    assert _in_order(settings, _facts(*attempts, *others)) == []
