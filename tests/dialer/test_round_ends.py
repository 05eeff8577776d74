"""The end of a round for those who were called ahead: kindly, once, and they keep their place."""

import pytest

from db.engine import now, reading, writing
from db.models import Desk, Round
from db.states import CallbackState, Outcome, RegistrationState
from dialer import rooms
from hotline.callbacks import transitions
from hotline.rounds import planning
from tests.dialer.hall import OPERATOR, OURS, Hall
from tests.dialer.office import on_sqlite
from tests.kit.fake_manager import FakeManager

C, O, R = CallbackState, Outcome, RegistrationState  # noqa: E741


def test_round_end_releases_calls_ahead_kindly_once(
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


def test_cancelled_round_releases_all_but_the_conversation(
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
        assert transitions.find_live_at_desk(session, OPERATOR) is None


def test_cancelled_round_prevents_a_meeting(hall: Hall, manager: FakeManager) -> None:
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
def test_endless_goodbye_is_hung_up(
    hall: Hall, manager: FakeManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = hall.brings()
    hall.ends_round()
    hall.until(lambda: (token, "let-go", "s") in hall.moved())
    monkeypatch.setattr(rooms, "_GOODBYE_S", 0.0)
    hall.until(lambda: manager.named("Hangup"))


@on_sqlite
def test_refused_goodbye_is_repeated(
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
def test_desk_asking_at_the_round_end_gets_nobody(hall: Hall, manager: FakeManager) -> None:
    token = hall.brings()
    hall.ends_round()
    with writing(hall.engine) as session:
        session.get_one(Desk, 1).next_asked_at = now(session)
    hall.until(lambda: (token, "let-go", "s") in hall.moved())
    assert hall.callback(token).desk_id is None
