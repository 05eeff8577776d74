"""No script speaks with the citizen: that stops all calls, and one that speaks lets them flow."""

import pytest

from db.engine import reading
from db.states import CallbackState, Outcome, RegistrationState
from hotline.trunk import circuit_breaker
from tests.dialer.failing_trunk import down, hall_of_failures
from tests.dialer.hall import Hall
from tests.kit.fake_manager import FakeManager

__all__ = ["hall_of_failures"]

pytestmark = [pytest.mark.parametrize("backend", ["sqlite"]), pytest.mark.usefixtures("quick")]

C, O, R = CallbackState, Outcome, RegistrationState  # noqa: E741


def fails(hall: Hall, manager: FakeManager, token: str) -> None:
    """The citizen has picked up, and no script speaks with them."""
    manager.stage(token, "failed")
    hall.until(lambda: hall.state(token) is C.CLOSED)


def test_citizen_whose_script_fails_stops_nobody(hall: Hall, manager: FakeManager) -> None:
    first = hall.brings(C.ANSWERED)
    fails(hall, manager, first)
    assert down(hall) is None
    second = hall.dials()
    assert hall.callback(second).registration_id != hall.callback(first).registration_id


def test_two_silent_scripts_stop_all_calls(hall: Hall, manager: FakeManager) -> None:
    other, token = hall.brings(C.ANSWERED), hall.brings(C.ANSWERED)
    for each in (other, token):
        fails(hall, manager, each)
    hall.wanted = 1
    hall.until_at_rest()
    assert hall.ended_with(token) == (O.FAILED, R.WAITING, 0)
    with reading(hall.engine) as session:
        down = circuit_breaker.find_outage(session)
    assert down is not None
    assert (down.why, len(manager.named("Originate"))) == (circuit_breaker.SCRIPTS, 2)


def test_music_without_a_script_does_not_resume_calls(hall: Hall, manager: FakeManager) -> None:
    waits = hall.brings(C.WAITING)
    for _ in range(2):
        fails(hall, manager, hall.brings(C.ANSWERED))
    manager.stage(waits, "confirmed", "BridgeWait")
    hall.until_at_rest()
    assert down(hall) == circuit_breaker.SCRIPTS


def test_script_that_speaks_resumes_calls(hall: Hall, manager: FakeManager) -> None:
    answered = hall.brings(C.ANSWERED)
    for _ in range(2):
        fails(hall, manager, hall.brings(C.ANSWERED))
    hall.until(lambda: down(hall) == circuit_breaker.SCRIPTS)
    manager.stage(answered, "confirmed", "BridgeWait")
    hall.until(lambda: down(hall) is None)
