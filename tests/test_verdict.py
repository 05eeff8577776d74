"""The judge of played rounds finds what is wrong: else the rounds that it finds right would show nothing."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

from db.models import Callback, Registration
from db.states import CallbackState, Outcome
from settings import Settings
from tests.kit import verdict
from tests.kit.crowd import Behaviour, Call
from tests.kit.official import Talk
from tests.kit.system import System
from tests.kit.verdict import Attempt, Facts

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
    return list(verdict.out_of_order(cast(System, SimpleNamespace(settings=settings)), facts))


def test_given_a_round_as_it_must_be_when_judged_then_nothing_is_wrong(settings: Settings) -> None:
    settings = settings.model_copy(update={"retry_seconds": 4})
    facts = _facts(
        _attempt(1, 0, 1, Outcome.BUSY, behaviour=BUSY, ended_by="citizen"),
        _attempt(2, 1.1, 3, Outcome.REACHED, talked=True),
        _attempt(1, 4, 6, Outcome.REACHED, talked=True),
    )
    assert _in_order(settings, facts) == []
    judges = (verdict.double_calls, verdict.redialled, verdict.untrue, verdict.without_outcome)
    assert [wrong for judge in judges for wrong in judge(facts)] == []


def test_given_a_phone_that_rang_while_connected_when_judged_then_it_was_called_twice() -> None:
    facts = _facts(_attempt(1, 0, 5, Outcome.FAILED), _attempt(1, 4, 6, Outcome.FAILED))
    assert len(list(verdict.double_calls(facts))) == 1


def test_given_one_who_was_spoken_with_and_called_again_when_judged_then_that_is_wrong() -> None:
    facts = _facts(
        _attempt(1, 0, 1, Outcome.FAILED, talked=True), _attempt(1, 4, 6, Outcome.REACHED, talked=True)
    )
    assert len(list(verdict.redialled(facts))) == 1


def test_given_outcomes_that_no_phone_saw_when_judged_then_they_are_untrue() -> None:
    facts = _facts(
        _attempt(1, 0, 1, Outcome.BUSY),
        _attempt(2, 0, 1, Outcome.REACHED),
        _attempt(3, 0, 1, Outcome.NO_ANSWER),
        _attempt(4, 0, 1, Outcome.HUNG_UP),
        _attempt(5, 0, 1, Outcome.FAILED, talked=True),
    )
    assert len(list(verdict.untrue(facts))) == 5


def test_given_one_who_was_due_and_passed_over_when_judged_then_the_order_was_broken(
    settings: Settings,
) -> None:
    settings = settings.model_copy(update={"retry_seconds": 4})
    busy = _attempt(1, 0, 1, Outcome.BUSY, behaviour=BUSY, ended_by="citizen")
    late = _facts(busy, _attempt(2, 9, 10, Outcome.FAILED), _attempt(1, 11, 12, Outcome.FAILED))
    never = _facts(_attempt(2, 0, 1, Outcome.FAILED), _attempt(1, 2, 3, Outcome.FAILED))
    assert len(_in_order(settings, late)) == 1
    assert len(_in_order(settings, never)) == 1
