"""Calls made ahead, between a real database and a manager interface that does what a test says."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import Engine

from db.engine import now, reading, writing
from db.models import Desk, Round
from db.states import CallbackState, Outcome, RegistrationState
from dialer import call_ahead, rooms
from hotline.callbacks import callbacks, conversations, serving
from hotline.rounds import planning
from settings import Settings
from tests.dialer.hall import OPERATOR, OURS, Hall
from tests.dialer.office import DESK_CHANNEL, on_sqlite
from tests.kit.fake_manager import FakeManager

C, O, R = CallbackState, Outcome, RegistrationState  # noqa: E741
THE_RULE = call_ahead.round_statistics.calls_wanted


# --- from the line to the desk ---


def test_given_a_served_round_when_calls_are_wanted_then_the_line_is_called_in_its_order_for_no_desk(
    hall: Hall, manager: FakeManager
) -> None:
    tokens = [hall.dials() for _ in range(3)]
    assert [hall.callback(t).registration_id for t in tokens] == hall.line[:3]
    assert [hall.callback(t).desk_id for t in tokens] == [None] * 3
    numbers = [hall.callback(t).registration.number for t in tokens]
    assert [o["Channel"] for o in manager.named("Originate")] == [f"Local/{n}@dial/n" for n in numbers]


def test_given_a_citizen_who_waits_when_a_desk_asks_then_they_meet_and_the_desk_has_what_it_asked_for(
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


def test_given_a_desk_that_asked_when_a_citizen_presses_one_then_they_meet(hall: Hall) -> None:
    assert hall.asks_next() is None
    token = hall.brings()
    hall.enters(token)
    assert hall.callback(token).desk_id == 1


def test_given_a_conversation_and_one_ready_when_next_is_pressed_twice_then_one_ends_and_leaves_first(
    hall: Hall, manager: FakeManager
) -> None:
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


def test_given_two_in_flight_when_the_later_one_answers_first_then_the_first_in_order_is_spoken_with_first(
    hall: Hall, manager: FakeManager
) -> None:
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


def test_given_a_free_desk_and_two_ringing_when_one_answers_then_the_other_rings_on_and_is_ready_next(
    hall: Hall, manager: FakeManager
) -> None:
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
    monkeypatch.setattr(call_ahead.round_statistics, "calls_wanted", THE_RULE)
    hall.asks_next()
    return hall


# --- by the rule that runs live ---


def test_given_an_idle_official_when_those_called_say_nothing_then_others_ring_beside_them_in_the_lines_order(
    paced: Hall, manager: FakeManager
) -> None:
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


def test_given_an_idle_official_when_two_press_1_then_they_meet_in_order_and_nobody_else_is_called(
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


@on_sqlite
def test_given_one_who_pressed_nothing_when_they_press_1_late_then_they_are_the_next_one_ready(
    paced: Hall, manager: FakeManager
) -> None:
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
def test_given_caps_when_the_rule_wants_more_calls_then_the_caps_decide(
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


# --- «next» ---


@on_sqlite
def test_given_a_redirect_that_asterisk_refuses_when_next_was_pressed_then_nobody_joins_the_old_one(
    hall: Hall, manager: FakeManager, impatient: None
) -> None:
    talking, ready = hall.brings(C.TALKING), hall.brings()
    manager.refused = {"Redirect": "not now"}
    hall.asks_next(after=talking)
    hall.until(lambda: hall.moved().count((talking, "parting", "s")) >= 3)
    assert (ready, "room", "1") not in hall.moved()
    manager.refused = {}
    count = hall.moved().count((talking, "parting", "s"))
    hall.until(lambda: hall.moved().count((talking, "parting", "s")) > count)
    hall.parts(talking)
    hall.enters(ready)


def test_given_a_citizen_who_hangs_up_on_the_way_when_another_waits_then_the_desk_has_that_one_unasked(
    hall: Hall, manager: FakeManager
) -> None:
    gone, ready = hall.brings(), hall.brings()
    hall.asks_next()
    manager.hangs_up(gone)
    hall.enters(ready)
    assert hall.ended_with(gone) == (O.HUNG_UP, R.WAITING, 1)


@on_sqlite
def test_given_a_citizen_who_presses_two_when_given_to_a_desk_then_they_keep_their_place_and_the_desk_asks_on(
    hall: Hall, manager: FakeManager
) -> None:
    token = hall.brings()
    hall.asks_next()
    manager.stage(token, "later")
    manager.hangs_up(token)
    hall.until(lambda: hall.state(token) is C.CLOSED)
    assert hall.ended_with(token) == (O.CALL_AGAIN, R.WAITING, 0)
    assert hall.wants()
    hall.enters(hall.brings())


def test_given_a_desk_whose_phone_goes_before_they_meet_when_it_is_back_then_they_meet(
    hall: Hall, manager: FakeManager
) -> None:
    token = hall.brings()
    manager.hangs_up("desk.1")
    hall.until(lambda: not hall.phone_connected())
    with writing(hall.engine) as session:  # a moment before, the desk was given the citizen
        callback, desk = callbacks.by_token(session, token), session.get_one(Desk, 1)
        assert callback is not None
        callback.desk_id, desk.next_asked_at = 1, now(session)
    hall.until(lambda: hall.callback(token).desk_id is None)
    manager.joins("desk.1", DESK_CHANNEL)
    hall.enters(token)


@on_sqlite
def test_given_one_taken_back_on_the_way_when_they_come_into_the_empty_room_then_they_hear_music_again(
    hall: Hall, manager: FakeManager
) -> None:
    token = hall.brings()
    manager.joins(token, OURS, "desk-1")
    hall.until(lambda: (token, "waiting", "s") in hall.moved())
    assert hall.state(token) is C.WAITING


@on_sqlite
def test_given_a_citizen_who_comes_just_after_the_desks_phone_went_then_nobody_spoke_and_they_wait(
    hall: Hall, manager: FakeManager
) -> None:
    token = hall.brings()
    hall.asks_next()
    hall.until(lambda: (token, "room", "1") in hall.moved())
    manager.hangs_up("desk.1")
    manager.joins(token, OURS, "desk-1")
    hall.until(lambda: (token, "waiting", "s") in hall.moved())
    assert (hall.state(token), hall.callback(token).talking_at) == (C.WAITING, None)


@on_sqlite
def test_given_what_happens_while_asterisk_is_asked_what_is_true_then_it_is_asked_again(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    hall.until_at_rest()
    asked: list[bool] = []

    def run(_catch_up: Callable[[], None], _no_channel_s: float) -> bool:
        asked.append(True)
        hall._dialer._asterisk.in_sync = len(asked) > 1  # a desk's phone leaves while the first one runs
        return True

    monkeypatch.setattr(hall._dialer._reconciler, "run", run)
    hall._dialer._asterisk.in_sync = False
    hall.until(lambda: len(asked) == 2)


# --- screening ---


def test_given_one_who_waits_when_an_operator_speaks_first_and_hands_over_then_each_move_is_made_once(
    hall: Hall, manager: FakeManager
) -> None:
    token = hall.brings(C.SCREENING)
    assert hall.state(token) is C.SCREENING
    hall.hands_over(token)
    hall.until(lambda: (token, "waiting", "s") in hall.moved())
    manager.stage(token, "confirmed", "BridgeWait")
    hall.until_at_rest()
    hall.asks_next()
    hall.enters(token)
    assert hall.moved() == [(token, "screening", "3"), (token, "waiting", "s"), (token, "room", "1")]


def test_given_a_desk_that_asked_when_the_operator_hands_over_then_the_citizen_goes_straight_to_it(
    hall: Hall,
) -> None:
    token = hall.brings(C.SCREENING)
    hall.asks_next()
    hall.hands_over(token)
    hall.enters(token)
    assert hall.moved() == [(token, "screening", "3"), (token, "room", "1")]


@on_sqlite
def test_given_an_operator_who_serves_the_round_too_when_screening_then_the_same_room_serves_both(
    hall: Hall, settings: Settings
) -> None:
    with writing(hall.engine) as session:
        serving.serve(session, session.get_one(Desk, OPERATOR), hall.round_id, settings)
    token = hall.brings(C.SCREENING)
    assert hall.asks_next(OPERATOR) is None, "who screens gets no second citizen"
    hall.hands_over(token)
    hall.enters(token, OPERATOR)


def test_given_an_operator_whose_phone_goes_before_the_citizen_comes_then_the_citizen_waits_again(
    hall: Hall, manager: FakeManager
) -> None:
    token = hall.brings()
    hall.screens(token)
    manager.hangs_up("desk.3")
    hall.until(lambda: hall.state(token) is C.WAITING)


@on_sqlite
def test_given_a_citizen_who_hangs_up_while_screened_then_it_is_so(hall: Hall, manager: FakeManager) -> None:
    token = hall.brings(C.SCREENING)
    manager.hangs_up(token)
    hall.until(lambda: hall.state(token) is C.CLOSED)
    assert hall.ended_with(token) == (O.HUNG_UP, R.WAITING, 1)


# --- the end of a round ---


def test_given_calls_made_ahead_when_the_round_ends_then_each_ends_kindly_once_and_keeps_its_place(
    hall: Hall, manager: FakeManager, impatient: None
) -> None:
    talking = hall.brings(C.TALKING)
    waiting, ringing, dialing = hall.brings(), hall.brings(C.RINGING), hall.dials()
    hall.ends_round()
    hall.until(lambda: (waiting, "let-go", "s") in hall.moved())
    hall.until(lambda: {h["Channel"] for h in manager.named("Hangup")} == {ringing, dialing})
    manager.channels[waiting] |= {"Context": "let-go", "Application": "Playback"}
    hall.until_at_rest()  # asks Asterisk anew, too
    hall.restart()
    hall.until_at_rest()
    assert hall.moved().count((waiting, "let-go", "s")) == 1, "the kind word is heard to its end"
    for token in (waiting, ringing, dialing):
        manager.hangs_up(token)
    hall.until(lambda: all(hall.state(t) is C.CLOSED for t in (waiting, ringing, dialing)))
    for token in (waiting, ringing, dialing):
        assert hall.ended_with(token) == (O.RETURNED, R.WAITING, 0)
    assert hall.state(talking) is C.TALKING


def test_given_calls_of_desks_and_of_nobody_when_the_round_is_cancelled_then_all_but_a_talk_end_kindly(
    hall: Hall, manager: FakeManager, impatient: None
) -> None:
    talking = hall.brings(C.TALKING)
    answered, by_hand = hall.brings(C.ANSWERED), hall.calls_by_hand()
    manager.ringing(by_hand)
    with writing(hall.engine) as session:
        planning.cancel(session, session.get_one(Round, hall.round_id), who="u", reason="بیماری")
    hall.until(lambda: (answered, "let-go", "s") in hall.moved())
    hall.until(lambda: [h["Channel"] for h in manager.named("Hangup")] == [by_hand])
    for token in (answered, by_hand):
        manager.hangs_up(token)
    hall.until(lambda: all(hall.state(t) is C.CLOSED for t in (answered, by_hand)))
    for token in (answered, by_hand):
        assert hall.ended_with(token) == (O.RETURNED, R.WAITING, 0)
    assert hall.state(talking) is C.TALKING
    with reading(hall.engine) as session:
        assert callbacks.live_at_desk(session, OPERATOR) is None


def test_given_one_on_the_way_to_a_desk_when_the_round_is_cancelled_then_they_do_not_meet(
    hall: Hall, manager: FakeManager
) -> None:
    token = hall.brings()
    hall.asks_next()
    hall.until(lambda: (token, "room", "1") in hall.moved())
    with writing(hall.engine) as session:
        planning.cancel(session, session.get_one(Round, hall.round_id), who="u", reason="بیماری")
    hall.until(lambda: (token, "let-go", "s") in hall.moved())
    manager.joins(token, OURS, "desk-1")
    hall.until_at_rest()
    assert hall.state(token) is C.WAITING
    manager.hangs_up(token)
    hall.until(lambda: hall.state(token) is C.CLOSED)
    assert hall.ended_with(token) == (O.RETURNED, R.WAITING, 0)


@on_sqlite
def test_given_a_kind_word_that_does_not_end_when_its_time_is_over_then_the_call_is_ended(
    hall: Hall, manager: FakeManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = hall.brings()
    hall.ends_round()
    hall.until(lambda: (token, "let-go", "s") in hall.moved())
    monkeypatch.setattr(rooms, "_GOODBYE_S", 0.0)
    hall.until(lambda: manager.named("Hangup"))


@on_sqlite
def test_given_a_desk_that_asked_when_the_round_is_over_then_nobody_is_given_to_it(
    hall: Hall, manager: FakeManager
) -> None:
    token = hall.brings()
    hall.ends_round()
    with writing(hall.engine) as session:
        session.get_one(Desk, 1).next_asked_at = now(session)
    hall.until(lambda: (token, "let-go", "s") in hall.moved())
    assert hall.callback(token).desk_id is None
