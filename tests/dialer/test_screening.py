"""An operator speaks first with a citizen who was called ahead, and hands them over."""

from db.engine import writing
from db.models import Desk
from db.states import CallbackState, Outcome, RegistrationState
from hotline.callbacks import serving
from settings import Settings
from tests.dialer.hall import OPERATOR, Hall
from tests.dialer.office import on_sqlite
from tests.kit.fake_manager import FakeManager

C, O, R = CallbackState, Outcome, RegistrationState  # noqa: E741


def test_screening_and_hand_over_move_the_citizen_once(hall: Hall, manager: FakeManager) -> None:
    token = hall.brings(C.SCREENING)
    assert hall.state(token) is C.SCREENING
    hall.hands_over(token)
    hall.until(lambda: (token, "waiting", "s") in hall.moved())
    manager.stage(token, "confirmed", "BridgeWait")
    hall.until_at_rest()
    hall.asks_next()
    hall.enters(token)
    assert hall.moved() == [(token, "screening", "3"), (token, "waiting", "s"), (token, "room", "1")]


def test_hand_over_to_a_waiting_desk_goes_straight_there(
    hall: Hall,
) -> None:
    token = hall.brings(C.SCREENING)
    hall.asks_next()
    hall.hands_over(token)
    hall.enters(token)
    assert hall.moved() == [(token, "screening", "3"), (token, "room", "1")]


@on_sqlite
def test_serving_operator_screens_in_the_same_room(hall: Hall, settings: Settings) -> None:
    with writing(hall.engine) as session:
        serving.serve(session, session.get_one(Desk, OPERATOR), hall.round_id, settings)
    token = hall.brings(C.SCREENING)
    assert hall.asks_next(OPERATOR) is None, "who screens gets no second citizen"
    hall.hands_over(token)
    hall.enters(token, OPERATOR)


def test_operator_phone_lost_before_screening_leaves_the_wait(hall: Hall, manager: FakeManager) -> None:
    token = hall.brings()
    hall.screens(token)
    manager.hangs_up("desk.3")
    hall.until(lambda: hall.state(token) is C.WAITING)


@on_sqlite
def test_hang_up_during_screening_is_recorded(hall: Hall, manager: FakeManager) -> None:
    token = hall.brings(C.SCREENING)
    manager.hangs_up(token)
    hall.until(lambda: hall.state(token) is C.CLOSED)
    assert hall.ended_with(token) == (O.HUNG_UP, R.WAITING, 1)
