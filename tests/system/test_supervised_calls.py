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


def test_supervisor_who_listens_whispers_or_joins_is_heard_so(
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
def test_ended_supervision_returns_the_phone_to_its_room(three: Three, how: str) -> None:
    three.hears(how)
    three.until_heard(three.third_phone, CITIZEN_HZ, DESK_HZ)
    three.desk.hangup(three.callback)
    three.desk.wait_for(three.callback, "ended")
    until(three.back, "nobody is heard any more")
    assert three.audited()[-1] == ("supervision-ended", "the conversation is over")
    room = f"desk-{three.third.desk} "
    until(lambda: room in three.system.asterisk_says("confbridge list"), "the phone is in its own room")
    assert not three.third_phone.calls[-1].closed


def test_supervision_survives_a_killed_dialer(
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
def test_dead_supervisor_phone_leaves_the_two_talking(three: Three, how: str) -> None:
    three.hears(how)
    three.until_heard(three.third_phone, CITIZEN_HZ, DESK_HZ)
    assert [heard["how"] for heard in three.desk.http.get("/me").json()["heard_by"]] == [how]
    three.third_phone.die()
    until(three.gone, "nobody is heard any more", 60)
    three.until_heard(three.citizen, DESK_HZ)
    three.until_heard(three.desk_phone, CITIZEN_HZ)
    assert three.desk.http.get("/me").json()["heard_by"] == []
    assert three.audited()[-1] == ("supervision-ended", "the phone left")


def test_citizen_freed_from_a_hung_talk_is_first_again(
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
