"""A third person comes into a conversation: each of three hears the two others, and nobody stays alone."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.faults.test_desk import CITIZEN_HZ, DESK_HZ, Conversation
from tests.kit import sound
from tests.kit.caller import Caller
from tests.kit.exchange import Exchange
from tests.kit.phone import Phone
from tests.kit.process import until
from tests.kit.sound import a_tone
from tests.kit.system import System

GUEST_HZ, OTHER_HZ = 1500, 660
ALL = {CITIZEN_HZ, DESK_HZ, OTHER_HZ, GUEST_HZ}
HEARD, NOT_HEARD = 0.2, 0.02
"""The share of half a second that is a tone of one of two speakers, and of nobody."""
_LATELY_S = 1.0


class Three(Conversation):
    """A conversation with a telephone network behind it that has another telephone."""

    def __init__(self, system: System, round_id: int, folder: Path, stack: ExitStack) -> None:
        self.exchange = stack.enter_context(Exchange(system.trunk_port))
        super().__init__(system, round_id, folder, stack)
        self.third_number = system.number()
        tone = a_tone(folder, GUEST_HZ)
        self.third = stack.enter_context(Caller(system, self.third_number, sound=tone))
        self.exchange.connect(self.third_number, self.third)

    def _rings_at(self, number: str) -> Caller:
        tone = a_tone(self._folder, CITIZEN_HZ)
        citizen = self._stack.enter_context(Caller(self.system, number, sound=tone))
        self.exchange.connect(number, citizen)
        self.system.register(self.round_id, number)
        return citizen

    @property
    def guests(self) -> str:
        return f"/callbacks/{self.callback}/guests"

    def asks(self) -> None:
        """The desk has the third person called, twice, who picks up once."""
        for _ in range(2):
            asked = self.desk.http.post(self.guests, json={"number": self.third_number})
            assert asked.status_code == 202, asked.text
        self.third.wait_for_call(30)
        self.third.answer()

    def comes(self) -> None:
        """The third person presses 1, and is in the room."""
        self.third.at("guest-press-one", "1")
        until(lambda: self.guest("state") == "talking", "the third person is in the room", 20)

    def guest(self, field: str) -> object:
        return self.desk.http.get(self.guests).json()[0][field]

    def hears(self, who: Phone, *tones: int) -> None:
        """Until these tones, and no others of ours, are what has come lately."""

        def so() -> bool:
            recording = who.recording()
            lately = recording.part(max(0.0, recording.seconds - _LATELY_S))
            levels = {hz: sound.tone_level(lately, hz) for hz in ALL}
            return all(levels[hz] > HEARD if hz in tones else levels[hz] < NOT_HEARD for hz in ALL)

        sound.until_heard(so, f"{who.number} hears {tones} Hz", 20)


@pytest.fixture
def talk(system: System, tmp_path: Path) -> Iterator[Three]:
    with system.only_round(recorded=True) as round_id, ExitStack() as stack:
        yield Three(system, round_id, tmp_path, stack)


def test_third_person_meets_the_desk_before_the_citizen(
    talk: Three,
) -> None:
    hold = f"/callbacks/{talk.callback}/hold"
    assert talk.desk.http.put(hold).status_code == 202
    talk.hears_music()
    talk.asks()
    talk.comes()
    talk.hears(talk.third, DESK_HZ)
    talk.hears(talk.phone, GUEST_HZ)
    talk.hears_music()

    assert talk.desk.http.delete(hold).status_code == 202
    talk.desk.wait_for(talk.callback, "talking")
    talk.hears(talk.citizen, DESK_HZ, GUEST_HZ)
    talk.hears(talk.phone, CITIZEN_HZ, GUEST_HZ)
    talk.hears(talk.third, CITIZEN_HZ, DESK_HZ)

    talk.system.kill("dialer")
    talk.system.wait_healthy()
    assert talk.desk.http.put(hold).status_code == 202
    talk.hears_music()  # another dialer works, and has seen who is there
    talk.hears(talk.third, DESK_HZ)
    assert talk.desk.http.delete(hold).status_code == 202
    talk.hears(talk.third, CITIZEN_HZ, DESK_HZ)
    assert talk.guest("state") == "talking"
    ended = talk.desk.http.delete(f"{talk.guests}/{talk.guest('id')}")
    assert ended.status_code == 202, ended.text
    talk.third.wait_for("closed")
    until(lambda: talk.guest("ended_by") == "by_desk", "the desk reads that it has ended", 20)
    talk.hears(talk.citizen, DESK_HZ)
    talk.hears(talk.phone, CITIZEN_HZ)
    assert talk.exchange.rang(talk.third_number) == 1
    talk.was_one_talk_that_cost_nothing()
    talk.ends_as_reached()


def test_dead_desk_phone_ends_the_third_and_holds_the_citizen(
    talk: Three,
) -> None:
    talk.asks()
    talk.hears(talk.phone, CITIZEN_HZ)  # who has not pressed 1 is not there
    talk.comes()
    talk.hears(talk.third, CITIZEN_HZ, DESK_HZ)
    talk.phone.hangup()
    talk.third.wait_for("closed")
    talk.desk.wait_for(talk.callback, "held", timeout=30)
    until(lambda: talk.guest("ended_by") == "conversation", "the desk reads why", 20)
    talk.hears_music()

    talk.phone = talk.desk_dials(OTHER_HZ)
    talk.desk.wait_for(talk.callback, "talking")
    talk.hears(talk.citizen, OTHER_HZ)
    talk.was_one_talk_that_cost_nothing()
    talk.ends_as_reached()
