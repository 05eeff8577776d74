"""The outcome of a callback, for every behaviour of a citizen's phone."""

from collections.abc import Callable, Iterator

import pytest

from db.models import Registration
from db.states import Outcome, RegistrationState
from tests.kit.caller import Caller
from tests.kit.operator import ROOM, Operator
from tests.kit.phone import Phone
from tests.kit.process import until
from tests.kit.sipp import SippPhone
from tests.kit.system import System

Behaviour = Callable[[int], SippPhone]

UNREACHED: dict[str, tuple[Behaviour, Outcome]] = {
    "busy": (lambda port: SippPhone.refusing("486 Busy Here", port=port), Outcome.BUSY),
    "declines": (lambda port: SippPhone.refusing("603 Decline", port=port), Outcome.REJECTED),
    "does not exist": (lambda port: SippPhone.refusing("404 Not Found", port=port), Outcome.UNREACHABLE),
    "rings out": (lambda port: SippPhone.ringing(port=port), Outcome.NO_ANSWER),
    "is voicemail": (lambda port: SippPhone.answering(port=port), Outcome.NOT_CONFIRMED),
    "hangs up at once": (
        lambda port: SippPhone.answering(port=port, hangup_after_ms=1500),
        Outcome.HUNG_UP,
    ),
}


@pytest.fixture
def round_id(system: System) -> Iterator[int]:
    """A round with nobody registered."""
    with system.only_round() as made:
        yield made


def _calling(system: System, desk: Operator, round_id: int) -> int:
    system.register(round_id, system.number())
    callback = desk.claim(round_id)
    desk.call(callback)
    return callback


def _answered(system: System, desk: Operator, round_id: int, citizen: Caller) -> int:
    """The citizen is called, and has picked up."""
    callback = _calling(system, desk, round_id)
    citizen.wait_for_call()
    citizen.answer()
    desk.wait_for(callback, "answered")
    return callback


def _leaves(desk: Operator) -> None:
    """The desk's phone hangs up."""
    desk.phone.hangup()
    until(lambda: not desk.phone_connected(), "the desk's phone is gone")


def _registration(system: System, callback: int) -> Registration:
    return system.callback(callback).registration


@pytest.mark.parametrize("behaviour", UNREACHED)
def test_unreached_phone_gets_its_true_outcome(
    system: System, desk: Operator, round_id: int, behaviour: str
) -> None:
    make, outcome = UNREACHED[behaviour]
    with make(system.trunk_port) as citizen:
        callback = _calling(system, desk, round_id)
        assert desk.wait_for(callback, "closed", timeout=60) == outcome
        assert citizen.rang == 1

    registration = _registration(system, callback)
    assert registration.state is RegistrationState.WAITING
    assert (registration.attempts, registration.last_outcome) == (1, outcome)
    assert desk.http.get("/me").json()["callback"] is None


def test_absent_trunk_costs_the_citizen_nothing(system: System, desk: Operator, round_id: int) -> None:
    callback = _calling(system, desk, round_id)

    assert desk.wait_for(callback, "closed", timeout=40) == Outcome.FAILED
    registration = _registration(system, callback)
    assert (registration.state, registration.attempts) == (RegistrationState.WAITING, 0)


def test_hang_up_by_the_desk_stops_the_ringing(system: System, desk: Operator, round_id: int) -> None:
    with Phone(port=system.trunk_port) as citizen:
        callback = _calling(system, desk, round_id)
        citizen.wait_for_call()
        desk.wait_for(callback, "ringing")
        desk.hangup(callback)

        assert desk.wait_for(callback, "closed") == Outcome.NO_ANSWER
        citizen.wait_for("closed")


def test_hang_up_by_the_citizen_leaves_the_outcome_to_the_desk(
    system: System, desk: Operator, round_id: int
) -> None:
    with Caller(system, system.number(), port=system.trunk_port) as citizen:
        callback = _answered(system, desk, round_id, citizen)
        citizen.at("callback-intro", "1")
        desk.wait_for(callback, "talking")
        citizen.hangup()
        desk.wait_for(callback, "ended")

    answer = desk.http.put(f"/callbacks/{callback}/outcome", json={"outcome": "reached", "note": "خوب"})
    assert answer.status_code == 200
    assert _registration(system, callback).state is RegistrationState.REACHED


def test_end_by_the_desk_ends_the_citizens_call(system: System, desk: Operator, round_id: int) -> None:
    with SippPhone.answering(port=system.trunk_port, keys="1") as citizen:
        callback = _calling(system, desk, round_id)
        desk.wait_for(callback, "talking")
        desk.hangup(callback)
        desk.wait_for(callback, "ended")
        citizen.wait_for("BYE")


def test_hang_up_of_the_desk_phone_holds_the_citizen(system: System, desk: Operator, round_id: int) -> None:
    with SippPhone.answering(port=system.trunk_port, keys="1"):
        callback = _calling(system, desk, round_id)
        desk.wait_for(callback, "talking")
        _leaves(desk)
        desk.wait_for(callback, "held")
        desk.phone.dial(f"sip:{ROOM}@{system.settings.sip}")
        desk.wait_for(callback, "talking")


def test_citizen_who_pressed_1_meets_the_returning_desk(
    system: System, desk: Operator, round_id: int
) -> None:
    with Caller(system, system.number(), port=system.trunk_port) as citizen:
        callback = _answered(system, desk, round_id, citizen)
        _leaves(desk)
        citizen.at("callback-intro", "1")
        desk.wait_for(callback, "waiting")
        desk.phone.dial(f"sip:{ROOM}@{system.settings.sip}")
        desk.wait_for(callback, "talking")


def test_hang_up_while_waiting_is_not_reached(system: System, desk: Operator, round_id: int) -> None:
    with Caller(system, system.number(), port=system.trunk_port) as citizen:
        callback = _answered(system, desk, round_id, citizen)
        _leaves(desk)
        citizen.at("callback-intro", "1")
        desk.wait_for(callback, "waiting")
        citizen.hangup()
        assert desk.wait_for(callback, "closed") == Outcome.HUNG_UP
