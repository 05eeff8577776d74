"""A desk presses «next»: who was called ahead meets it, or goes, or is refused by Asterisk on the way."""

from db.engine import now, writing
from db.models import Desk
from db.states import CallbackState, Outcome, RegistrationState
from hotline.callbacks import transitions
from tests.dialer.hall import OURS, Hall
from tests.dialer.office import DESK_CHANNEL, on_sqlite
from tests.kit.fake_manager import FakeManager

C, O, R = CallbackState, Outcome, RegistrationState  # noqa: E741


@on_sqlite
def test_refused_redirect_after_next_keeps_both_apart(
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


def test_hang_up_on_the_way_gives_the_desk_the_next_citizen(hall: Hall, manager: FakeManager) -> None:
    gone, ready = hall.brings(), hall.brings()
    hall.asks_next()
    manager.hangs_up(gone)
    hall.enters(ready)
    assert hall.ended_with(gone) == (O.HUNG_UP, R.WAITING, 1)


@on_sqlite
def test_key_2_on_the_way_keeps_the_place_and_the_wish(hall: Hall, manager: FakeManager) -> None:
    token = hall.brings()
    hall.asks_next()
    manager.stage(token, "later")
    manager.hangs_up(token)
    hall.until(lambda: hall.state(token) is C.CLOSED)
    assert hall.ended_with(token) == (O.CALL_AGAIN, R.WAITING, 0)
    assert hall.wants()
    hall.enters(hall.brings())


def test_desk_phone_lost_before_meeting_meets_on_return(hall: Hall, manager: FakeManager) -> None:
    token = hall.brings()
    manager.hangs_up("desk.1")
    hall.until(lambda: not hall.phone_connected())
    with writing(hall.engine) as session:  # a moment before, the desk was given the citizen
        callback, desk = transitions.find_by_token(session, token), session.get_one(Desk, 1)
        assert callback is not None
        callback.desk_id, desk.next_asked_at = 1, now(session)
    hall.until(lambda: hall.callback(token).desk_id is None)
    manager.joins("desk.1", DESK_CHANNEL)
    hall.enters(token)


@on_sqlite
def test_citizen_withdrawn_into_an_empty_room_hears_music(hall: Hall, manager: FakeManager) -> None:
    token = hall.brings()
    manager.joins(token, OURS, "desk-1")
    hall.until(lambda: (token, "waiting", "s") in hall.moved())
    assert hall.state(token) is C.WAITING


@on_sqlite
def test_citizen_arriving_after_the_phone_left_waits(hall: Hall, manager: FakeManager) -> None:
    token = hall.brings()
    hall.asks_next()
    hall.until(lambda: (token, "room", "1") in hall.moved())
    manager.hangs_up("desk.1")
    manager.joins(token, OURS, "desk-1")
    hall.until(lambda: (token, "waiting", "s") in hall.moved())
    assert (hall.state(token), hall.callback(token).talking_at) == (C.WAITING, None)
