"""The citizen's sound stays away, and no goodbye comes: the network between the carrier and us has failed."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from db.engine import reading, writing
from db.models import Callback, Desk
from db.states import CallbackState, Outcome, RegistrationState
from hotline.callbacks import transitions
from tests.kit.caller import Caller
from tests.kit.operator import Operator
from tests.kit.process import until
from tests.kit.system import System
from tests.system.test_waiting import a_waiting_citizen

_USUAL = "rtp_timeout = 180"
"""How long the trunk may be silent; the desks' phones have other times."""
_SHORT_S = 5
"""Longer than a machine that is busy stands still."""


@pytest.fixture
def impatient(system: System) -> Iterator[System]:
    """Asterisk ends a call of the trunk after a few seconds without sound."""
    with _sound_may_stay_away(system):
        yield system


@contextmanager
def _sound_may_stay_away(system: System) -> Iterator[None]:
    path = system.settings.state_dir / "asterisk" / "etc" / "pjsip.conf"
    usual = path.read_text()
    assert usual.count(_USUAL) == 1
    try:
        path.write_text(usual.replace(_USUAL, f"rtp_timeout = {_SHORT_S}"))
        system.asterisk_says("module reload res_pjsip.so")
        assert re.search(rf"rtp_timeout\s*: {_SHORT_S}\b", system.asterisk_says("pjsip show endpoint trunk"))
        yield
    finally:
        path.write_text(usual)
        system.asterisk_says("module reload res_pjsip.so")


def _talks(system: System, desk: Operator, round_id: int, citizen: Caller) -> int:
    system.register(round_id, citizen.number)
    callback = desk.claim(round_id)
    desk.call(callback)
    citizen.wait_for_call(30)
    citizen.answer()
    citizen.at("callback-press-one", "1")
    desk.wait_for(callback, "talking")
    return callback


def test_lost_citizen_sound_leads_to_a_second_call(impatient: System, desk: Operator) -> None:
    system = impatient
    with (
        system.only_round() as round_id,
        Caller(system, system.number(), port=system.trunk_port) as citizen,
    ):
        callback = _talks(system, desk, round_id, citizen)
        system.talks_for(callback, 40)
        citizen.freeze()
        desk.wait_for(callback, "ended", timeout=30)

        has = desk.http.get("/me").json()
        assert has["callback"]["default_outcome"] == "call_again"
        assert has["cut_off"]["id"] == callback
        (place,) = system.registrations(round_id)
        assert (place.state, place.attempts) == (RegistrationState.CALLING, 0)


def test_lost_sound_at_an_operator_leads_to_a_second_call(impatient: System, desk: Operator) -> None:
    system = impatient
    with _takes_live(system, desk), Caller(system, system.number()) as citizen:
        citizen.call()
        citizen.at("greeting", "0")
        until(lambda: _of_desk(system, desk) is not None, "the desk has the caller")
        callback = _of_desk(system, desk)
        assert callback
        desk.wait_for(callback.id, "talking")
        assert system.callback(callback.id).on_the_line
        system.talks_for(callback.id, 40)
        citizen.freeze()
        desk.wait_for(callback.id, "ended", timeout=30)

        assert desk.http.get("/me").json()["callback"]["default_outcome"] == "call_again"
        said = desk.http.put(f"/callbacks/{callback.id}/outcome", json={"outcome": "refused", "note": ""})
        assert said.status_code == 200, said.text


@contextmanager
def _takes_live(system: System, desk: Operator) -> Iterator[None]:
    """The desk takes callers who press 0."""

    def takes(yes: bool) -> None:
        with writing(system.engine) as session:
            session.get_one(Desk, desk.desk).takes_live = yes

    takes(True)
    try:
        yield
    finally:
        takes(False)


def _of_desk(system: System, desk: Operator) -> Callback | None:
    with reading(system.engine) as session:
        return transitions.find_live_at_desk(session, desk.desk)


def test_lost_sound_while_waiting_costs_no_attempt(impatient: System, desk: Operator) -> None:
    system = impatient
    with (
        system.only_round() as round_id,
        Caller(system, system.number(), port=system.trunk_port) as citizen,
    ):
        system.register(round_id, citizen.number)
        callback = desk.claim(round_id)
        desk.call(callback)
        citizen.wait_for_call(30)
        desk.phone.hangup()
        citizen.answer()
        citizen.at("callback-press-one", "1")
        desk.wait_for(callback, "waiting")
        citizen.freeze()

        assert desk.wait_for(callback, "closed", timeout=30) == Outcome.FAILED
        (place,) = system.registrations(round_id)
        assert (place.state, place.attempts) == (RegistrationState.WAITING, 0)


def test_waiting_citizens_dead_line_costs_nothing(system: System, desk: Operator) -> None:
    with (
        system.only_round() as round_id,
        a_waiting_citizen(system, desk, round_id) as (citizen, callback),
    ):
        citizen.freeze()

        assert desk.wait_for(callback, "closed", timeout=40) == Outcome.FAILED
        (place,) = system.registrations(round_id)
        assert (place.state, place.attempts) == (RegistrationState.WAITING, 0)
        assert place.not_before is None, "nobody passes them"


def test_waiting_citizen_on_hold_keeps_waiting(system: System, desk: Operator) -> None:
    with (
        system.only_round() as round_id,
        a_waiting_citizen(system, desk, round_id) as (citizen, callback),
    ):
        token = system.callback(callback).token
        citizen.hold()
        asked = f"{token}: no sound"
        until(lambda: system.log().count(asked) == 2, "asked twice", 60)  # a dead line ends between
        citizen.resume()

        assert desk.http.post("/desk/next", json={"after": None, "confirmed": True}).status_code == 200
        desk.wait_for(callback, "talking")


def test_dead_line_in_a_conversation_ends_for_its_desk(system: System, desk: Operator) -> None:
    with (
        system.only_round() as round_id,
        Caller(system, system.number(), port=system.trunk_port) as citizen,
    ):
        callback = _talks(system, desk, round_id, citizen)
        citizen.freeze()
        desk.wait_for(callback, "ended", timeout=40)
        assert desk.http.get("/me").json()["callback"]["default_outcome"] == Outcome.CALL_AGAIN


@pytest.mark.parametrize("dialer_restarts", [False, True])
def test_dead_line_of_a_caller_whom_an_operator_has_is_told(
    system: System, desk: Operator, dialer_restarts: bool
) -> None:
    with _takes_live(system, desk), Caller(system, system.number()) as citizen:
        citizen.call()
        citizen.at("greeting", "0")
        until(lambda: _of_desk(system, desk) is not None, "the desk has the caller")
        callback = _of_desk(system, desk)
        assert callback
        desk.wait_for(callback.id, "talking")
        if dialer_restarts:
            system.kill("dialer")
            system.wait_healthy()
        citizen.freeze()
        desk.wait_for(callback.id, "ended", timeout=40)

        assert desk.http.get("/me").json()["callback"]["default_outcome"] == Outcome.CALL_AGAIN
        desk.http.put(f"/callbacks/{callback.id}/outcome", json={"outcome": "refused", "note": ""})


def test_citizen_who_puts_a_conversation_on_hold_stays(system: System, desk: Operator) -> None:
    with (
        system.only_round() as round_id,
        Caller(system, system.number(), port=system.trunk_port) as citizen,
    ):
        callback = _talks(system, desk, round_id, citizen)
        asked = f"{system.callback(callback).token}: no sound"
        citizen.hold()
        until(lambda: system.log().count(asked) == 2, "asked twice", 60)  # a dead line ends between
        citizen.resume()
        assert system.callback(callback).state is CallbackState.TALKING


def test_hang_up_by_the_citizen_counts_as_reached(system: System, desk: Operator) -> None:
    with (
        system.only_round() as round_id,
        Caller(system, system.number(), port=system.trunk_port) as citizen,
    ):
        callback = _talks(system, desk, round_id, citizen)
        system.talks_for(callback, 40)
        citizen.hangup()
        desk.wait_for(callback, "ended")
        assert desk.http.get("/me").json()["callback"]["default_outcome"] == "reached"
