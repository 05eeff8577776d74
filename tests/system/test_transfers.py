"""A conversation goes on at another desk, on the real Asterisk: who hears whom, and that nobody is lost."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from db.models import Role
from db.states import Outcome, RegistrationState
from tests.kit.process import until
from tests.kit.system import System
from tests.system.three_phones import CITIZEN_HZ, DESK_HZ, THIRD_HZ, Three


@pytest.fixture
def three(system: System, tmp_path: Path) -> Iterator[Three]:
    with system.only_round() as round_id, ExitStack() as stack:
        yield Three(system, round_id, tmp_path, stack, Role.OPERATOR)


def _asks(three: Three, what: str, **body: object) -> None:
    body = {"desk_id": three.third.desk, **body}
    answer = three.desk.http.post(f"/callbacks/{three.callback}/{what}", json=body)
    assert answer.status_code == 202, answer.text


def _two_speak(three: Three) -> None:
    """The citizen and the desk to which they were given, and nobody else."""
    three.until_heard(three.citizen, THIRD_HZ)
    three.until_heard(three.third_phone, CITIZEN_HZ)
    three.until_heard(three.desk_phone)
    assert three.citizen.rang == 1
    three.third.wait_for(three.callback, "talking")
    mine = three.third.http.get("/me").json()["callback"]
    assert (mine["id"], mine["state"], mine["given_by_desk_id"]) == (
        three.callback,
        "talking",
        three.desk.desk,
    )
    assert three.desk.http.get("/me").json()["callback"] is None


def test_consultation_before_a_transfer_connects_the_right_pairs(
    three: Three,
) -> None:
    three.until_heard(three.citizen, DESK_HZ)
    hold = f"/callbacks/{three.callback}/hold"
    _asks(three, "consult", waits=True)
    three.until_heard(three.third_phone, DESK_HZ)
    three.until_heard(three.desk_phone, THIRD_HZ)
    three.until_heard(three.citizen)  # music, and neither of them

    assert three.desk.http.delete(hold).status_code == 202
    three.until_heard(three.citizen, DESK_HZ, THIRD_HZ)
    three.until_heard(three.desk_phone, CITIZEN_HZ, THIRD_HZ)
    three.until_heard(three.third_phone, CITIZEN_HZ, DESK_HZ)

    three.desk.wait_for(three.callback, "talking")
    _asks(three, "give", note="نشانی را دارد")
    _two_speak(three)
    notes = three.third.http.get("/me").json()["callback"]["notes"]
    assert [note["written"] for note in notes] == ["نشانی را دارد"]
    three.third.hangup(three.callback)
    three.third.wait_for(three.callback, "ended")
    said = {"outcome": "reached", "note": ""}
    assert three.third.http.put(f"/callbacks/{three.callback}/outcome", json=said).status_code == 200
    callback = three.system.callback(three.callback)
    assert (callback.outcome, callback.registration.state) == (Outcome.REACHED, RegistrationState.REACHED)


@pytest.mark.parametrize("killed", [False, True], ids=["alone", "dialer killed"])
def test_blind_transfer_connects_citizen_and_other_desk(three: Three, killed: bool) -> None:
    three.until_heard(three.citizen, DESK_HZ)
    if killed:
        three.system.kill("dialer")
    _asks(three, "give")
    _two_speak(three)


def test_consulted_desk_that_leaves_restores_the_talk(three: Three) -> None:
    _asks(three, "consult")
    three.until_heard(three.citizen, DESK_HZ, THIRD_HZ)
    assert three.third.http.delete("/desk/hears").status_code == 204
    three.until_heard(three.citizen, DESK_HZ)
    three.until_heard(three.desk_phone, CITIZEN_HZ)
    until(three.back, "the phone is in its own room")


def test_transfer_to_a_dead_phone_waits_for_another_phone(
    three: Three,
) -> None:
    three.third_phone.die()
    _asks(three, "give")
    until(lambda: not three.third.phone_connected(), "the dead phone is noticed", 60)
    three.third.wait_for(three.callback, "held")
    three.third_phone = three.sits_down(three.third, THIRD_HZ)
    _two_speak(three)
