"""A recorded round on the real Asterisk: the citizen is told, both are on record, each hearing is, too."""

from pathlib import Path

from db.models import Role
from tests.kit import sound
from tests.kit.caller import Caller
from tests.kit.operator import ROOM, Operator
from tests.kit.phone import Account, Phone
from tests.kit.process import until
from tests.kit.sound import a_tone
from tests.kit.system import System

CITIZEN_HZ, DESK_HZ = 440, 1000
SOME_BYTES = 40_000
THERE = 0.2
"""The share of half a second of sound that is one tone, while both speak."""


def _recordings(hearer: Operator, round_id: int) -> list[dict[str, object]]:
    answer = hearer.http.get("/recordings", params={"round_id": round_id})
    assert answer.status_code == 200, answer.text
    found: list[dict[str, object]] = answer.json()
    return found


def _until_on_the_disk(path: Path) -> None:
    until(lambda: path.exists() and path.stat().st_size > SOME_BYTES, "some seconds are on the disk")


def test_recorded_round_keeps_both_voices_and_logs_each_hearing(system: System, tmp_path: Path) -> None:
    operator, supervisor = system.operator(), system.operator(Role.SUPERVISOR)
    auditor = system.operator(Role.AUDITOR)
    number = system.number()
    with (
        system.only_round(recorded=True) as round_id,
        Phone(account=Account(*operator.phone_account), sound=a_tone(tmp_path, DESK_HZ)) as desk,
        Caller(system, number, port=system.trunk_port, sound=a_tone(tmp_path, CITIZEN_HZ)) as citizen,
    ):
        desk.dial(f"sip:{ROOM}@{system.settings.sip}")
        until(operator.phone_connected, "the desk's phone is in its room")
        system.register(round_id, number)
        callback = operator.claim(round_id)
        operator.call(callback)
        citizen.wait_for_call()
        citizen.answer()
        citizen.at("callback-intro")
        citizen.at("callback-recorded")
        citizen.at("office-mayor", "1")
        operator.wait_for(callback, "talking")
        sound.until_heard(
            lambda: sound.tone_level(citizen.recording(), DESK_HZ) > 0.6, "the citizen hears the desk"
        )
        sound.until_heard(
            lambda: sound.tone_level(desk.recording(), CITIZEN_HZ) > 0.6, "the desk hears the citizen"
        )
        path = system.settings.recordings_dir / f"{system.callback(callback).token}.wav"
        _until_on_the_disk(path)
        assert _recordings(supervisor, round_id) == []
        operator.hangup(callback)
        operator.wait_for(callback, "ended")
        until(lambda: _recordings(supervisor, round_id), "the recording is in the books")

        [recording] = _recordings(supervisor, round_id)
        kept = sound.load(path)
        assert recording["callback_id"] == callback
        assert abs(kept.seconds - int(str(recording["seconds"]))) <= 1
        assert sound.tone_level(kept, CITIZEN_HZ) > THERE
        assert sound.tone_level(kept, DESK_HZ) > THERE
        assert sound.best_score(kept, system.clips["callback-recorded"]) < sound.THRESHOLD

        assert operator.http.get(f"/recordings/{callback}/audio").status_code == 403
        whole = supervisor.http.get(f"/recordings/{callback}/audio")
        assert (whole.status_code, whole.content) == (200, path.read_bytes())
        audit = auditor.http.get("/audit", params={"action": "recording-heard"}).json()["items"]
        assert [(e["who"], e["subject"]) for e in audit] == [(supervisor.username, f"callback {callback}")]


def test_recording_survives_a_killed_asterisk(system: System, tmp_path: Path) -> None:
    operator, supervisor = system.operator(), system.operator(Role.SUPERVISOR)
    number = system.number()
    with (
        system.only_round(recorded=True) as round_id,
        Phone(account=Account(*operator.phone_account), sound=a_tone(tmp_path, DESK_HZ)) as desk,
        Caller(system, number, port=system.trunk_port, sound=a_tone(tmp_path, CITIZEN_HZ)) as citizen,
    ):
        desk.dial(f"sip:{ROOM}@{system.settings.sip}")
        until(operator.phone_connected, "the desk's phone is in its room")
        system.register(round_id, number)
        callback = operator.claim(round_id)
        operator.call(callback)
        citizen.wait_for_call()
        citizen.answer()
        citizen.at("office-mayor", "1")
        operator.wait_for(callback, "talking")
        path = system.settings.recordings_dir / f"{system.callback(callback).token}.wav"
        _until_on_the_disk(path)
        system.kill("asterisk")
        operator.wait_for(callback, "ended")
        until(lambda: _recordings(supervisor, round_id), "the recording is in the books")
        assert int(str(_recordings(supervisor, round_id)[0]["seconds"])) >= 2
        heard = tmp_path / "heard.wav"
        heard.write_bytes(supervisor.http.get(f"/recordings/{callback}/audio").content)
        assert sound.tone_level(sound.load(heard), CITIZEN_HZ) > THERE
    system.wait_healthy()


def test_unrecorded_round_announces_and_keeps_nothing(system: System, tmp_path: Path) -> None:
    operator = system.operator()
    number = system.number()
    with (
        system.only_round() as round_id,
        Phone(account=Account(*operator.phone_account), sound=a_tone(tmp_path, DESK_HZ)) as desk,
        Caller(system, number, port=system.trunk_port) as citizen,
    ):
        desk.dial(f"sip:{ROOM}@{system.settings.sip}")
        until(operator.phone_connected, "the desk's phone is in its room")
        system.register(round_id, number)
        callback = operator.claim(round_id)
        operator.call(callback)
        citizen.wait_for_call()
        citizen.answer()
        citizen.at("callback-press-one", "1")
        operator.wait_for(callback, "talking")
        sound.until_heard(
            lambda: sound.tone_level(citizen.recording(), DESK_HZ) > 0.6, "the citizen hears the desk"
        )
        operator.hangup(callback)
        operator.wait_for(callback, "ended")
        assert "callback-recorded" not in citizen.said().prompts
        assert not (system.settings.recordings_dir / f"{system.callback(callback).token}.wav").exists()
