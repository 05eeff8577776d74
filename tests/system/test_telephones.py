"""Telephones of all kinds on the real Asterisk: other codecs and keys, held, moved, text beside the sound."""

import io
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
import soundfile

from db.states import CallbackState, Outcome, RegistrationState
from tests.kit import scenario
from tests.kit.caller import Caller
from tests.kit.crowd import Behaviour, Crowd
from tests.kit.listener import HANG_UP, Moment, openings
from tests.kit.operator import Operator
from tests.kit.phone import Phone
from tests.kit.process import until
from tests.kit.sipp import SippPhone
from tests.kit.system import System
from tests.kit.telephone import (
    A_LAW,
    EVENTS,
    FAX,
    G722,
    HOLD,
    INFO,
    MOVE,
    MU_LAW,
    RESUME,
    TEXT,
    TONES,
    Codec,
    Telephone,
    tones,
)

KEYS = {"main-menu": "1", "confirm-number": "1"}
KNOWN_S = 0.5
"""How soon after the start of a prompt a key answers it: nobody knows it at once."""
HELD_S = 3.0
UNHEARD_S = 15.0
"""How long until a called citizen has been asked twice and hears the goodbye; holds last 20 s at most."""

Plan = Callable[[Moment], str | None]


def _registers(also: Plan = lambda _moment: None) -> Plan:
    """Register by keys as early as one knows them, hear the ticket, and hang up; `also` goes before that."""
    keys = [_once(prompt, (KNOWN_S, key)) for prompt, key in KEYS.items()]

    def act(moment: Moment) -> str | None:
        deeds = [also(moment), *(key(moment) for key in keys)]
        leaves = moment.clip.partition(".")[0] == "ticket-again"
        return next(filter(None, deeds), None) or (HANG_UP if leaves else None)

    return act


def _called(system: System, also: Plan = lambda _moment: None, **kind: object) -> Telephone:
    """A call of such a telephone, at its end."""
    codec = kind.get("codec", A_LAW)
    assert isinstance(codec, Codec)
    known = openings(system.settings.prompts_dir / "fa", codec.suffix)
    phone = Telephone(system.settings.sip, system.number(), known, _registers(also), **kind)  # type: ignore[arg-type]
    phone.start()
    phone.join()
    return phone


def _once(prompt: str, *deeds: tuple[float, str]) -> Plan:
    """Return a plan of steps at seconds after this prompt begins, each once."""
    left, since = list(deeds), list[float]()

    def act(moment: Moment) -> str | None:
        if moment.clip.partition(".")[0] == prompt and not since:
            since.append(moment.at)
        if since and left and moment.at >= since[0] + left[0][0]:
            return left.pop(0)[1]
        return None

    return act


@pytest.mark.parametrize(
    ("codec", "keys"),
    [(A_LAW, EVENTS), (A_LAW, INFO), (A_LAW, TONES), (MU_LAW, EVENTS), (G722, EVENTS)],
    ids=lambda it: it if isinstance(it, str) else it.name,
)
def test_telephone_of_any_kind_registers_by_keys(system: System, codec: Codec, keys: str) -> None:
    with system.only_round() as round_id:
        phone = _called(system, codec=codec, keys=keys)

        assert phone.heard.begins("registered.1") is not None
        assert len(system.registrations(round_id)) == 1


def test_resumed_call_repeats_what_was_said_on_hold(
    system: System,
) -> None:
    held = _once("registered", (1.0, HOLD), (1.0 + HELD_S + 5, RESUME))
    with system.only_round() as round_id:
        heard = _called(system, held).heard

        assert len(system.registrations(round_id)) == 1
    told = [at for at, clip in heard.clips if clip == "registered.1"]
    assert len(told) == 2  # the ticket that nobody heard, and again
    resumed = next(at for at, deed in heard.pressed if deed == RESUME)
    assert told[1] > resumed
    assert not [clip for at, clip in heard.clips if told[0] + 8 < at < resumed]


def test_hold_during_the_ticket_repeats_the_ticket(
    system: System,
) -> None:
    with system.only_round() as round_id:
        heard = _called(system, _once("registered", (0.5, HOLD), (1.0, RESUME))).heard

        assert len(system.registrations(round_id)) == 1
    assert len([at for at, clip in heard.clips if clip == "registered.1"]) == 2


def test_callback_on_hold_misses_no_announcement(system: System, desk: Operator) -> None:
    before = len(system.log())
    with (
        system.only_round() as round_id,
        Caller(system, system.number(), port=system.trunk_port) as citizen,
    ):
        system.register(round_id, citizen.number)
        callback = desk.claim(round_id)
        desk.call(callback)
        citizen.wait_for_call(30)
        citizen.answer()
        citizen.at("callback-press-one")
        citizen.hold()
        time.sleep(UNHEARD_S)
        assert system.callback(callback).state is CallbackState.ANSWERED
        citizen.resume()
        citizen.press("1")
        desk.wait_for(callback, "talking")
        desk.hangup(callback)
        desk.wait_for(callback, "ended")
    assert "func_channel" not in system.log()[before:]


def test_moved_call_keeps_sound_and_keys(
    system: System,
) -> None:
    with system.only_round() as round_id:
        heard = _called(system, _once("greeting", (1.0, MOVE))).heard

        assert heard.begins("registered.1") is not None
        assert len(system.registrations(round_id)) == 1


@pytest.mark.parametrize(
    ("beside", "refused"), [(TEXT, "m=text 0 "), (FAX, "m=image 0 ")], ids=["text", "fax"]
)
def test_other_media_beside_the_sound_are_refused(
    system: System, beside: Sequence[str], refused: str
) -> None:
    with system.only_round() as round_id:
        phone = _called(system, beside=beside)

        assert refused in phone.answered  # Asterisk carries no text; such callers write to 137
        assert len(system.registrations(round_id)) == 1


def test_phone_context_of_the_dialled_number_is_ignored(
    system: System,
) -> None:
    with system.only_round() as round_id:
        assert _called(system, dialled="137;phone-context=+98").heard.begins("registered.1") is not None
        assert len(system.registrations(round_id)) == 1


def test_a_law_is_preferred_to_opus(
    system: System,
) -> None:
    with Phone(system.number(), codecs=("opus", "pcma"), port=system.trunk_port) as phone:
        call = phone.dial(system.hotline)
        phone.wait_for("established", call=call)
        assert _format(system, phone) == "alaw"


def test_opus_only_telephone_is_served(
    system: System,
) -> None:
    with Phone(system.number(), codecs=("opus",), port=system.trunk_port) as phone:
        call = phone.dial(system.hotline)
        phone.wait_for("established", call=call)
        assert _format(system, phone) == "opus"
        until(lambda: phone.recording().seconds > 2, "it is spoken to")
        assert np.abs(phone.recording().samples).max() > 0.05


def _format(system: System, phone: Phone) -> str:
    """Return the codec of this phone's call."""
    (name,) = system.channels_of(phone.number)
    told = system.asterisk_says(f"core show channel {name}")
    return next(
        line.partition("(")[2].partition(")")[0] for line in told.splitlines() if "NativeFormats" in line
    )


def _speaks(system: System, desk: Operator, round_id: int) -> None:
    """A citizen is called back, reached, and the conversation ended."""
    system.register(round_id, system.number())
    callback = desk.claim(round_id)
    desk.call(callback)
    desk.wait_for(callback, "talking")
    desk.hangup(callback)
    desk.wait_for(callback, "ended")


@pytest.fixture
def one_in_tones(tmp_path: Path) -> Path:
    """Three seconds of silence, then the key 1 as it sounds."""
    key, _ = soundfile.read(
        io.BytesIO(b"".join(tones("1"))), format="RAW", subtype="ALAW", samplerate=8000, channels=1
    )
    path = tmp_path / "one.wav"
    soundfile.write(path, np.concatenate([np.zeros(3 * 8000), key]), 8000, subtype="PCM_16")
    return path


def test_in_band_key_1_reaches_the_citizen(system: System, desk: Operator, one_in_tones: Path) -> None:
    answer = scenario.SDP.replace(" 101\n", "\n").partition("a=rtpmap:101")[0]
    with (
        system.only_round() as round_id,
        SippPhone.answering(port=system.trunk_port, sound=one_in_tones, sdp=answer) as citizen,
    ):
        _speaks(system, desk, round_id)
        assert citizen.rang == 1


def test_early_media_does_not_disturb_the_callback(system: System, desk: Operator) -> None:
    with (
        system.only_round() as round_id,
        SippPhone.answering(port=system.trunk_port, keys="1", keys_after_ms=1500, after_ms=2000, early=True),
    ):
        _speaks(system, desk, round_id)
        place = system.registrations(round_id)[0]
        assert place.state is RegistrationState.CALLING


def test_endless_keys_leave_asterisk_running(system: System, desk: Operator) -> None:
    # Each key wants the lock of its call; whoever keeps that while it waits for the call's thread hangs all.
    floods = Behaviour(presses_after=0.1, presses=100_000, again_after=0, key="A")
    asterisk = system.pid("asterisk")
    with system.only_round() as round_id, Crowd(system.trunk_port, lambda _number, _call: floods) as crowd:
        system.register(round_id, system.number())
        callback = desk.claim(round_id)
        desk.call(callback)
        until(lambda: system.callback(callback).outcome, "the call is over", 60)

        assert system.callback(callback).outcome is Outcome.NOT_CONFIRMED
        assert [call.ended_by for call in crowd.calls()] == ["hotline"]
    assert system.pid("asterisk") == asterisk
