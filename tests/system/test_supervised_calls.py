"""A supervisor's phone on the real Asterisk: who hears whom while it listens, whispers and joins."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from db.models import Role
from tests.kit.process import until
from tests.kit.system import System
from tests.system.three_phones import CITIZEN_HZ, DESK_HZ, THIRD_HZ, Three


@pytest.fixture
def three(system: System, tmp_path: Path) -> Iterator[Three]:
    with system.only_round() as round_id, ExitStack() as stack:
        yield Three(system, round_id, tmp_path, stack, Role.SUPERVISOR)


def test_given_a_conversation_when_a_supervisor_listens_whispers_and_joins_then_each_hears_who_is_meant(
    three: Three,
) -> None:
    three.until_heard(three.desk_phone, CITIZEN_HZ)
    three.until_heard(three.citizen, DESK_HZ)

    three.hears("listen")
    three.until_heard(three.third_phone, CITIZEN_HZ, DESK_HZ)
    three.until_heard(three.desk_phone, CITIZEN_HZ)
    three.until_heard(three.citizen, DESK_HZ)

    three.hears("whisper")
    three.until_heard(three.desk_phone, CITIZEN_HZ, THIRD_HZ)
    three.until_heard(three.third_phone, CITIZEN_HZ, DESK_HZ)
    three.until_heard(three.citizen, DESK_HZ)

    three.hears("join")
    three.until_heard(three.citizen, DESK_HZ, THIRD_HZ)
    three.until_heard(three.desk_phone, CITIZEN_HZ, THIRD_HZ)
    three.until_heard(three.third_phone, CITIZEN_HZ, DESK_HZ)

    three.third.http.put("/desk/hears", json={"desk_id": None}).raise_for_status()
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
    three.until_heard(three.third_phone, CITIZEN_HZ, DESK_HZ)
    three.desk.hangup(three.callback)
    three.desk.wait_for(three.callback, "ended")
    until(three.back, "nobody is heard any more")
    assert three.audited()[-1] == ("supervision-ended", "the conversation is over")
    room = f"desk-{three.third.desk} "
    until(lambda: room in three.system.asterisk_says("confbridge list"), "the phone is in its own room")
    assert not three.third_phone.calls[-1].closed


def test_given_a_listening_supervisor_when_the_dialer_is_killed_then_it_goes_on_and_can_be_ended(
    three: Three,
) -> None:
    three.hears("listen")
    three.until_heard(three.third_phone, CITIZEN_HZ, DESK_HZ)
    dead = three.system.kill("dialer")
    until(lambda: three.another_dialer_than(dead), "a new dialer")
    three.system.wait_healthy()
    assert not three.back()
    three.until_heard(three.third_phone, CITIZEN_HZ, DESK_HZ)
    three.until_heard(three.citizen, DESK_HZ)
    three.until_heard(three.desk_phone, CITIZEN_HZ)
    three.third.http.put("/desk/hears", json={"desk_id": None}).raise_for_status()
    room = f"desk-{three.third.desk} "
    until(lambda: room in three.system.asterisk_says("confbridge list"), "the phone is in its own room")


@pytest.mark.parametrize("how", ["listen", "whisper", "join"])
def test_given_a_supervisor_in_a_conversation_when_their_phone_dies_then_the_two_speak_on_alone(
    three: Three, how: str
) -> None:
    three.hears(how)
    three.until_heard(three.third_phone, CITIZEN_HZ, DESK_HZ)
    assert [heard["how"] for heard in three.desk.http.get("/me").json()["heard_by"]] == [how]
    three.third_phone.die()
    until(three.gone, "nobody is heard any more", 60)
    three.until_heard(three.citizen, DESK_HZ)
    three.until_heard(three.desk_phone, CITIZEN_HZ)
    assert three.desk.http.get("/me").json()["heard_by"] == []
    assert three.audited()[-1] == ("supervision-ended", "the phone left")


def test_given_a_conversation_that_hangs_when_the_citizen_is_freed_then_they_are_told_and_first_again(
    three: Three,
) -> None:
    three.until_heard(three.citizen, DESK_HZ)
    path = f"/callbacks/{three.callback}/free"
    three.third.http.post(path, json={"reason": "میز برنمی‌گردد"}).raise_for_status()
    three.citizen.at("callback-held-over")
    three.desk.wait_for(three.callback, "closed")
    callback = three.desk.http.get(f"/callbacks/{three.callback}").json()
    assert (callback["outcome"], callback["registration"]["attempts"]) == ("call_again", 0)
    assert callback["registration"]["place"] == 1
