"""What a citizen says on a real call is kept, however the recording ends, and they are told its number."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import soundfile
from sqlalchemy import select

from db.engine import reading
from db.models import Message, MessageKind, Registration, Request
from ivr import voice_message
from tests.kit import sound
from tests.kit.caller import Caller
from tests.kit.process import until
from tests.kit.system import System

TONE_HZ = 440
SPEAKS_S = {"1": 60, "3": 35}
"""The ticket is told before a message is asked for."""
KEYS = [pytest.param("1", id="a message"), pytest.param("3", id="a report")]


@pytest.fixture
def speech(tmp_path: Path, key: str) -> Path:
    """A tone while the menu and the first seconds of the recording last, then silence."""
    path = tmp_path / "speech.wav"
    tone = 0.4 * np.sin(2 * np.pi * TONE_HZ * np.arange(SPEAKS_S[key] * 8000) / 8000)
    soundfile.write(path, np.concatenate([tone, np.zeros(60 * 8000)]), 8000, subtype="PCM_16")
    return path


@contextmanager
def _speaking(system: System, key: str, said: Path | None) -> Iterator[tuple[Caller, int]]:
    """A caller who has just heard the tone, after key 1 or 3, and the round."""
    with system.only_round() as round_id, Caller(system, system.number(), sound=said) as caller:
        caller.call()
        caller.at("greeting", key)
        if key == "1":
            caller.at("confirm-number", "1")
            caller.at("ask-subject", "1")
            caller.at("message-offer", "1")
        else:
            caller.at("report-category", "4")
            caller.at("report-district", "12#")
        caller.at("beep")
        yield caller, round_id


def _kept(system: System, caller: Caller) -> list[Path]:
    """The sounds of what the caller has said."""
    number = "+98" + caller.number[1:]
    with reading(system.engine) as session:
        requests = session.scalars(select(Request).where(Request.number == number))
        places = session.scalars(select(Registration).where(Registration.number == number))
        names = [row.voice_message for row in (*requests, *places)]
    return [system.settings.messages_dir / name for name in names if name]


def _until_kept(system: System, caller: Caller) -> Path:
    until(lambda: _kept(system, caller), "what was said is kept", 20)
    (kept,) = _kept(system, caller)
    assert sound.tone_level(sound.load(kept), TONE_HZ) > 0.5
    return kept


def _texts(system: System, caller: Caller) -> list[MessageKind]:
    with reading(system.engine) as session:
        to = "+98" + caller.number[1:]
        return list(session.scalars(select(Message.kind).where(Message.to == to).order_by(Message.id)))


@pytest.mark.parametrize("key", KEYS)
def test_given_a_recording_that_a_silence_ends_when_nobody_reviews_it_then_it_is_kept_and_its_number_heard(
    system: System, speech: Path, key: str
) -> None:
    with _speaking(system, key, speech) as (caller, _):
        caller.at("message-review" if key == "1" else "report-review", timeout=SPEAKS_S[key] + 20)
        caller.at("message-kept" if key == "1" else "report-recorded", timeout=60)
        caller.at("goodbye" if key == "1" else "report-recorded-again")
        _until_kept(system, caller)


@pytest.mark.parametrize("key", KEYS)
def test_given_a_caller_who_hangs_up_while_speaking_then_it_is_kept_and_its_number_sent(
    system: System, tone: Path, key: str
) -> None:
    with _speaking(system, key, tone) as (caller, _):
        time.sleep(2.5)
        caller.hangup()
        _until_kept(system, caller)
        kind = MessageKind.REGISTERED if key == "1" else MessageKind.REQUEST_REPORTED
        assert _texts(system, caller) == [kind]


@pytest.mark.parametrize("key", KEYS)
def test_given_a_disk_that_takes_nothing_when_a_citizen_speaks_then_they_hear_that_and_the_call_goes_on(
    system: System, tone: Path, key: str
) -> None:
    folder = system.settings.messages_dir
    moved = folder.rename(folder.with_name("messages.away"))
    try:
        folder.symlink_to("/dev/full")
        with _speaking(system, key, tone) as (caller, _):
            caller.at("message-not-kept" if key == "1" else "report-not-kept")
            caller.at("goodbye")
            assert _kept(system, caller) == []
    finally:
        folder.unlink()
        moved.rename(folder)


@pytest.mark.parametrize("key", KEYS)
def test_given_a_caller_who_is_silent_after_the_tone_then_nothing_is_kept_and_they_hear_that(
    system: System, key: str
) -> None:
    with _speaking(system, key, None) as (caller, _):
        caller.at("message-not-kept" if key == "1" else "report-nothing", timeout=30)
        assert _kept(system, caller) == []


def test_given_a_caller_who_never_stops_speaking_when_the_time_is_up_then_they_review_it(
    system: System, tone: Path
) -> None:
    with _speaking(system, "3", tone) as (caller, _):
        caller.at("report-review", "1", timeout=90)
        caller.at("report-recorded")
        file = _until_kept(system, caller)
        assert voice_message.LONGEST_S - 2 < sound.load(file).seconds <= voice_message.LONGEST_S + 1
