"""A desk presses «next»: who was called ahead meets it, or goes, or is refused by Asterisk on the way."""

from db.engine import now, writing
from db.models import Desk
from db.states import CallbackState, Outcome, RegistrationState
from hotline.callbacks import callbacks
from tests.dialer.hall import OURS, Hall
from tests.dialer.office import DESK_CHANNEL, on_sqlite
from tests.kit.fake_manager import FakeManager

C, O, R = CallbackState, Outcome, RegistrationState  # noqa: E741


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
