"""The end of a round for those who were called ahead: kindly, once, and they keep their place."""

import pytest

from db.engine import now, reading, writing
from db.models import Desk, Round
from db.states import CallbackState, Outcome, RegistrationState
from dialer import rooms
from hotline.callbacks import callbacks
from hotline.rounds import planning
from tests.dialer.hall import OPERATOR, OURS, Hall
from tests.dialer.office import on_sqlite
from tests.kit.fake_manager import FakeManager

C, O, R = CallbackState, Outcome, RegistrationState  # noqa: E741


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
def test_given_a_kind_word_that_asterisk_refuses_when_the_round_ends_then_it_is_not_taken_for_said(
    hall: Hall, manager: FakeManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rooms, "_AGAIN_S", 0.5)
    token = hall.brings(C.ANSWERED)
    manager.refused = {"Redirect": "not now"}
    hall.ends_round()
    hall.until(hall.moved)
    for _ in range(3):  # within that time: it is not asked for again yet
        hall.step()
    manager.refused = {}
    hall.until(lambda: hall.moved().count((token, "let-go", "s")) >= 2)


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
