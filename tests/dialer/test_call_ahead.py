"""Calls made ahead, between a real database and a manager interface that does what a test says."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine

from db.states import CallbackState, Outcome, RegistrationState
from dialer import call_ahead
from hotline.callbacks import conversations
from settings import Settings
from tests.dialer.hall import Hall
from tests.dialer.office import on_sqlite
from tests.kit.fake_manager import FakeManager
from tests.kit.shifted_clock import ShiftedClock, clock

__all__ = ["clock"]

C, O, R = CallbackState, Outcome, RegistrationState  # noqa: E741
THE_RULE = call_ahead.round_statistics.count_calls_wanted


# --- from the line to the desk ---


def test_served_round_is_called_ahead_in_line_order(hall: Hall, manager: FakeManager) -> None:
    tokens = [hall.dials() for _ in range(3)]
    assert [hall.callback(t).registration_id for t in tokens] == hall.line[:3]
    assert [hall.callback(t).desk_id for t in tokens] == [None] * 3
    numbers = [hall.callback(t).registration.number for t in tokens]
    assert [o["Channel"] for o in manager.named("Originate")] == [f"Local/{n}@dial/n" for n in numbers]


def test_waiting_citizen_meets_the_desk_that_asks(
    hall: Hall,
) -> None:
    token = hall.brings()
    hall.until_at_rest()
    assert hall.moved() == [], "nobody is moved to a desk that did not ask"
    given = hall.asks_next()
    assert given is not None and given.token == token
    assert hall.wants(), "until the conversation begins"
    hall.enters(token)
    assert not hall.wants()
    assert hall.moved() == [(token, "room", "1")]


def test_citizen_who_presses_1_meets_the_waiting_desk(hall: Hall) -> None:
    assert hall.asks_next() is None
    token = hall.brings()
    hall.enters(token)
    assert hall.callback(token).desk_id == 1


def test_next_pressed_twice_ends_one_conversation_first(hall: Hall, manager: FakeManager) -> None:
    talking, ready, third = hall.brings(C.TALKING), hall.brings(), hall.brings()
    first = hall.asks_next(after=talking)
    second = hall.asks_next(after=talking)
    assert first is not None and second is not None and first.token == second.token == ready
    hall.until(lambda: (talking, "parting", "s") in hall.moved())
    for _ in range(5):
        hall.step()
    assert (ready, "room", "1") not in hall.moved(), "the room is not empty yet"
    hall.parts(talking)
    hall.enters(ready)
    assert hall.ended_with(talking) == (None, R.CALLING, 0), "still on the line"
    hall.later(talking, parting_at=conversations.UNDO)
    hall.until(lambda: [h["Channel"] for h in manager.named("Hangup")] == [talking])
    manager.hangs_up(talking)
    hall.until(lambda: hall.state(talking) is C.CLOSED)
    assert hall.ended_with(talking) == (O.REACHED, R.REACHED, 1)
    assert hall.callback(talking).ended_at is not None
    assert hall.state(third) is C.WAITING


def test_later_answer_first_still_meets_in_line_order(hall: Hall, manager: FakeManager) -> None:
    talking, first, second = hall.brings(C.TALKING), hall.dials(), hall.dials()
    hall.brings(token=second)
    hall.brings(token=first)
    given = hall.asks_next(after=talking)
    assert given is not None and given.token == first
    hall.parts(talking)
    hall.enters(first)
    assert hall.state(second) is C.WAITING, "the next one ready"
    given = hall.asks_next(after=first)
    assert given is not None and given.token == second
    hall.parts(first)
    hall.enters(second)
    assert len(manager.named("Originate")) == 3, "nobody was hung up on or called once more"
    assert second not in {h["Channel"] for h in manager.named("Hangup")}


def test_second_ringing_phone_rings_on_and_is_ready_next(hall: Hall, manager: FakeManager) -> None:
    hall.asks_next()
    first, second = hall.brings(C.RINGING), hall.brings(C.RINGING)
    hall.brings(token=second)
    hall.enters(second)
    hall.until_at_rest()
    assert (hall.state(first), manager.named("Hangup")) == (C.RINGING, [])
    hall.brings(token=first)
    given = hall.asks_next(after=second)
    assert given is not None and given.token == first
    hall.parts(second)
    hall.enters(first)


@pytest.fixture
def paced(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> Hall:
    """The hall whose calls are placed by hotline.callbacks.pacing itself; its first desk is free."""
    monkeypatch.setattr(call_ahead.round_statistics, "count_calls_wanted", THE_RULE)
    hall.asks_next()
    return hall


# --- by the rule that runs live ---


def test_silent_calls_of_an_idle_official_are_joined_by_others(paced: Hall, manager: FakeManager) -> None:
    paced.until(lambda: len(paced.called()) == 2)
    silent, unanswered = paced.called()
    paced.brings(C.ANSWERED, token=silent)
    paced.brings(C.RINGING, token=unanswered)
    paced.thinks()
    assert paced.called() == [silent, unanswered], "one of the two may well come"
    paced.later(silent, placed_at=timedelta(seconds=60), answered_at=timedelta(seconds=50))
    paced.later(unanswered, placed_at=timedelta(seconds=29))
    paced.until(lambda: len(paced.called()) == 4)
    paced.thinks()
    assert [paced.callback(t).registration_id for t in paced.called()] == paced.line[:4]
    assert paced.state(silent) is C.ANSWERED and paced.state(unanswered) is C.RINGING
    assert manager.named("Hangup") == [], "nobody's phone rings in vain"


def test_two_who_press_1_meet_an_idle_official_in_order(
    paced: Hall,
) -> None:
    paced.until(lambda: len(paced.called()) == 2)
    first, second = paced.called()
    paced.brings(token=second)
    paced.enters(second)
    paced.brings(token=first)
    paced.thinks()
    assert paced.state(first) is C.WAITING, "with music, until the official asks"
    paced.asks_next(after=second)
    paced.parts(second)
    paced.enters(first)
    paced.thinks()
    assert paced.called() == [first, second]


@pytest.mark.parametrize("leap", [timedelta(minutes=10), timedelta(minutes=-10)], ids=["ahead", "back"])
def test_leap_of_the_clock_calls_nobody_ahead(paced: Hall, clock: ShiftedClock, leap: timedelta) -> None:
    paced.until(lambda: len(paced.called()) == 2)
    talks, rings = paced.called()
    paced.brings(token=talks)
    paced.enters(talks)
    paced.brings(C.RINGING, token=rings)
    for shift in (leap, timedelta()):
        clock.shift = shift
        paced.thinks()
        assert paced.called() == [talks, rings], "the conversation is as young as before"


@on_sqlite
def test_late_key_1_makes_the_citizen_the_next_one(paced: Hall, manager: FakeManager) -> None:
    paced.until(lambda: len(paced.called()) == 2)
    late, _ = paced.called()
    paced.brings(C.ANSWERED, token=late)
    paced.later(late, placed_at=timedelta(seconds=60), answered_at=timedelta(seconds=50))
    paced.until(lambda: len(paced.called()) == 3)
    third = paced.called()[-1]
    paced.brings(token=third)
    paced.enters(third)
    manager.stage(late, "confirmed", "BridgeWait")
    paced.until(lambda: paced.state(late) is C.WAITING)
    given = paced.asks_next(after=third)
    assert given is not None and given.token == late


@on_sqlite
def test_caps_limit_the_calls_that_pacing_wants(
    settings: Settings, engine: Engine, manager: FakeManager
) -> None:
    hall = Hall(settings.model_copy(update={"calls_at_once": 1}), engine, manager)
    try:
        hall.asks_next()
        hall.until(lambda: len(hall.called()) == 1)
        hall.thinks()
        assert len(hall.called()) == len(hall.live()) == 1, "nobody else is taken out of the line"
    finally:
        hall.close()
