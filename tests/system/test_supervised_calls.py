"""A supervisor's phone on the real Asterisk: who hears whom while it listens, whispers and joins."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import select

from db.engine import reading
from db.models import AuditEntry, Role
from tests.kit import sound
from tests.kit.caller import Caller
from tests.kit.phone import Account, Phone
from tests.kit.process import until
from tests.kit.sound import a_tone
from tests.kit.system import Operator, System

CITIZEN_HZ, DESK_HZ, SUPERVISOR_HZ = 440, 1000, 660
HEARD, SILENT = 0.1, 0.01
"""So much of the last sound is a tone that is heard, beside another one; and of one that is not."""
_LAST_S = 1.0


class Three:
    """A citizen and a desk that speak with each other, and a supervisor with a phone in their own room."""

    def __init__(self, system: System, round_id: int, folder: Path, stack: ExitStack) -> None:
        self.system, self.desk, self.supervisor = system, system.operator(), system.operator(Role.SUPERVISOR)
        self.desk_phone = self._sits_down(self.desk, a_tone(folder, DESK_HZ), stack)
        self.supervisor_phone = self._sits_down(self.supervisor, a_tone(folder, SUPERVISOR_HZ), stack)
        number = system.number()
        tone = a_tone(folder, CITIZEN_HZ)
        self.citizen = stack.enter_context(Caller(system, number, port=system.trunk_port, sound=tone))
        system.register(round_id, number)
        self.callback = self.desk.claim(round_id)
        self.desk.call(self.callback)
        self.citizen.wait_for_call()
        self.citizen.answer()
        self.citizen.at("callback-intro", "1")
        self.desk.wait_for(self.callback, "talking")

    def _sits_down(self, operator: Operator, tone: Path, stack: ExitStack) -> Phone:
        phone = stack.enter_context(Phone(account=Account(*operator.phone_account), sound=tone))
        phone.dial(f"sip:1@{self.system.settings.sip}")
        until(operator.phone_connected, "the phone is in its room")
        return phone

    def hears(self, how: str) -> None:
        """The supervisor wishes to take part."""
        body = {"desk_id": self.desk.desk, "how": how}
        answer = self.supervisor.http.put("/desk/hears", json=body)
        assert answer.status_code == 200, answer.text

    def until_heard(self, who: Phone, *tones: int) -> None:
        """Until exactly these tones are in the last second that `who` heard."""

        def so() -> bool:
            last = who.recording().part(-_LAST_S)
            levels = {hz: sound.tone_level(last, hz) for hz in (CITIZEN_HZ, DESK_HZ, SUPERVISOR_HZ)}
            return last.seconds > _LAST_S / 2 and all(
                level > HEARD if hz in tones else level < SILENT for hz, level in levels.items()
            )

        sound.until_heard(so, f"{who.number} hears {tones}", 20)

    def audited(self) -> list[tuple[str, str]]:
        """What the audit log says of this conversation."""
        subject = f"callback {self.callback}"
        with reading(self.system.engine) as session:
            found = session.scalars(select(AuditEntry).where(AuditEntry.subject == subject))
            return [(e.action, e.reason) for e in found if e.who == self.supervisor.username]

    def another_dialer_than(self, dead: int) -> bool:
        try:
            return self.system.pid("dialer") != dead
        except LookupError:
            return False

    def gone(self) -> bool:
        """Whether the supervisor's phone has left, and hears nobody."""
        desk = self.supervisor.http.get("/me").json()["desk"]
        return desk["hears_desk_id"] is None and not desk["phone_connected"]

    def back(self) -> bool:
        """Whether the supervisor hears nobody, the phone back at work."""
        desk = self.supervisor.http.get("/me").json()["desk"]
        return desk["hears_desk_id"] is None and desk["phone_connected"]


@pytest.fixture
def three(system: System, tmp_path: Path) -> Iterator[Three]:
    with system.only_round() as round_id, ExitStack() as stack:
        yield Three(system, round_id, tmp_path, stack)


def test_given_a_conversation_when_a_supervisor_listens_whispers_and_joins_then_each_hears_who_is_meant(
    three: Three,
) -> None:
    three.until_heard(three.desk_phone, CITIZEN_HZ)
    three.until_heard(three.citizen, DESK_HZ)

    three.hears("listen")
    three.until_heard(three.supervisor_phone, CITIZEN_HZ, DESK_HZ)
    three.until_heard(three.desk_phone, CITIZEN_HZ)
    three.until_heard(three.citizen, DESK_HZ)

    three.hears("whisper")
    three.until_heard(three.desk_phone, CITIZEN_HZ, SUPERVISOR_HZ)
    three.until_heard(three.supervisor_phone, CITIZEN_HZ, DESK_HZ)
    three.until_heard(three.citizen, DESK_HZ)

    three.hears("join")
    three.until_heard(three.citizen, DESK_HZ, SUPERVISOR_HZ)
    three.until_heard(three.desk_phone, CITIZEN_HZ, SUPERVISOR_HZ)
    three.until_heard(three.supervisor_phone, CITIZEN_HZ, DESK_HZ)

    three.supervisor.http.put("/desk/hears", json={"desk_id": None}).raise_for_status()
    three.until_heard(three.citizen, DESK_HZ)
    three.until_heard(three.desk_phone, CITIZEN_HZ)
    assert three.back()
    of = f"desk {three.desk.desk}"
    began, ended = "supervision-began", "supervision-ended"
    assert three.audited() == [
        *((began, f"listen, {of}"), (ended, "")),
        *((began, f"whisper, {of}"), (ended, "")),
        *((began, f"join, {of}"), (ended, "")),
    ]


@pytest.mark.parametrize("how", ["listen", "join"])
def test_given_a_supervisor_in_a_conversation_when_it_ends_then_the_phone_is_back_in_its_own_room(
    three: Three, how: str
) -> None:
    three.hears(how)
    three.until_heard(three.supervisor_phone, CITIZEN_HZ, DESK_HZ)
    three.desk.hangup(three.callback)
    three.desk.wait_for(three.callback, "ended")
    until(three.back, "nobody is heard any more")
    assert three.audited()[-1] == ("supervision-ended", "the conversation is over")
    room = f"desk-{three.supervisor.desk} "
    until(lambda: room in three.system.asterisk_says("confbridge list"), "the phone is in its own room")
    assert not three.supervisor_phone.calls[-1].closed


def test_given_a_listening_supervisor_when_the_dialer_is_killed_then_it_goes_on_and_can_be_ended(
    three: Three,
) -> None:
    three.hears("listen")
    three.until_heard(three.supervisor_phone, CITIZEN_HZ, DESK_HZ)
    dead = three.system.kill("dialer")
    until(lambda: three.another_dialer_than(dead), "a new dialer", 20)
    three.system.wait_healthy()
    assert not three.back()
    three.until_heard(three.supervisor_phone, CITIZEN_HZ, DESK_HZ)
    three.until_heard(three.citizen, DESK_HZ)
    three.until_heard(three.desk_phone, CITIZEN_HZ)
    three.supervisor.http.put("/desk/hears", json={"desk_id": None}).raise_for_status()
    room = f"desk-{three.supervisor.desk} "
    until(lambda: room in three.system.asterisk_says("confbridge list"), "the phone is in its own room")


@pytest.mark.parametrize("how", ["listen", "whisper", "join"])
def test_given_a_supervisor_in_a_conversation_when_their_phone_dies_then_the_two_speak_on_alone(
    three: Three, how: str
) -> None:
    three.hears(how)
    three.until_heard(three.supervisor_phone, CITIZEN_HZ, DESK_HZ)
    assert [heard["how"] for heard in three.desk.http.get("/me").json()["heard_by"]] == [how]
    three.supervisor_phone.die()
    until(three.gone, "nobody is heard any more", 30)
    three.until_heard(three.citizen, DESK_HZ)
    three.until_heard(three.desk_phone, CITIZEN_HZ)
    assert three.desk.http.get("/me").json()["heard_by"] == []
    assert three.audited()[-1] == ("supervision-ended", "the phone left")


def test_given_a_conversation_that_hangs_when_the_citizen_is_freed_then_they_are_told_and_first_again(
    three: Three,
) -> None:
    three.until_heard(three.citizen, DESK_HZ)
    path = f"/callbacks/{three.callback}/free"
    three.supervisor.http.post(path, json={"reason": "میز برنمی‌گردد"}).raise_for_status()
    three.citizen.at("callback-held-over")
    three.desk.wait_for(three.callback, "closed")
    callback = three.desk.http.get(f"/callbacks/{three.callback}").json()
    assert (callback["outcome"], callback["registration"]["attempts"]) == ("call_again", 0)
    assert callback["registration"]["place"] == 1
