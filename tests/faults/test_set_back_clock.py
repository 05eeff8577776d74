"""Asterisk's clock is set back while a phone rings, or while a caller is asked for a key."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from db.states import Outcome
from tests.kit import accelerated
from tests.kit.caller import Caller
from tests.kit.clock import Clock
from tests.kit.operator import Operator
from tests.kit.process import until
from tests.kit.running import desk, tone
from tests.kit.sipp import SippPhone
from tests.kit.system import System

__all__ = ["desk", "tone"]

TEN_MINUTES = 600
RINGS_S = 5
MENU_S = 2.5
"""Seconds of the main menu's sound after its opening. Asterisk sends none while it waits for a key."""
ANSWER_S = 7

pytestmark = pytest.mark.timeout(180)


@pytest.fixture(scope="module")
def clock(tmp_path_factory: pytest.TempPathFactory) -> Clock:
    return Clock(tmp_path_factory.mktemp("clock"))


@pytest.fixture(scope="module")
def system(clock: Clock) -> Iterator[System]:
    """A system whose Asterisk has this clock."""
    shifted = {"ACCELERATED": "1", "ASTERISKS_CLOCK": str(clock.path)}
    seconds = {"HOTLINE_RING_SECONDS": str(RINGS_S), "HOTLINE_ANSWER_SECONDS": str(ANSWER_S)}
    with System(entry=accelerated.NAME, inherited=shifted, **seconds) as system:
        yield system


def test_phone_rings_no_longer_when_the_clock_is_set_back(
    system: System, desk: Operator, clock: Clock
) -> None:
    with system.only_round() as round_id, SippPhone.ringing(port=system.trunk_port) as citizen:
        system.register(round_id, system.number())
        callback = desk.claim(round_id)
        desk.call(callback)
        until(lambda: citizen.rang, "the phone rings", 30)
        desk.wait_for(callback, "ringing")
        clock.is_off(-TEN_MINUTES)
        try:
            assert desk.wait_for(callback, "closed", timeout=RINGS_S + 30) == Outcome.NO_ANSWER
        finally:
            clock.is_off(0)
        place = system.callback(callback).registration
        assert (place.attempts, place.last_outcome) == (1, Outcome.NO_ANSWER)
        assert citizen.rang == 1


def test_question_waits_no_longer_when_the_clock_is_set_back(
    system: System, clock: Clock, tmp_path: Path
) -> None:
    sound = tmp_path / "silence.wav"  # each packet wakes Asterisk, which then looks at the clock
    soundfile.write(sound, np.zeros(60 * 8000), 8000, subtype="PCM_16")
    with system.only_round(), Caller(system, system.number(), sound=sound) as caller:
        caller.call()
        caller.at("main-menu")
        caller.wait_for_sound(caller.listened + MENU_S)
        clock.is_off(-TEN_MINUTES)
        try:
            caller.at("no-key-again", timeout=ANSWER_S + 5)
            caller.at("main-menu-slow", "2")
            caller.at("follow-up-ask")
        finally:
            clock.is_off(0)
