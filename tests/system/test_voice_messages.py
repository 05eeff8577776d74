"""A citizen's words on a real call are kept, however the recording ends, and their number is spoken.

Two callers try each case at once: one speaks about a place, one reports a problem.
"""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile
from sqlalchemy import select

from db.engine import reading
from db.models import OutboxKind, OutboxMessage, Registration, Request
from ivr import voice_message
from tests.kit import sound
from tests.kit.caller import Caller
from tests.kit.process import until
from tests.kit.system import System

TONE_HZ = 440
SPEAKS_S = (45, 35)
"""The ticket is told before a message is asked for."""
HANGS_UP_AFTER_S = 2.5
SKIP = "5"
"""Ends a sentence that is understood already, and answers no question."""
PAUSE_S = 2.0
"""A key that comes sooner after the last one was not meant for the question."""


class Two(NamedTuple):
    """Two callers: one leaves a message with their place, one reports a problem."""

    message: Caller
    report: Caller


def _speech(folder: Path, speaks_s: int) -> Path:
    """A tone while the menu and the first seconds of the recording last, then silence."""
    path = folder / f"{speaks_s}.wav"
    tone = 0.4 * np.sin(2 * np.pi * TONE_HZ * np.arange(speaks_s * 8000) / 8000)
    soundfile.write(path, np.concatenate([tone, np.zeros(60 * 8000)]), 8000, subtype="PCM_16")
    return path


@contextmanager
def _speaking(system: System, of_message: Path | None, of_report: Path | None) -> Iterator[Two]:
    """Two callers who have heard the tone after which they speak."""
    with (
        system.only_round(),
        Caller(system, system.number(), sound=of_message) as message,
        Caller(system, system.number(), sound=of_report) as report,
        ThreadPoolExecutor() as at_once,
    ):
        for at_the_tone in [at_once.submit(_leaves_a_message, message), at_once.submit(_reports, report)]:
            at_the_tone.result()
        yield Two(message, report)


def _leaves_a_message(caller: Caller) -> None:
    caller.call()
    caller.at("greeting", "1")
    caller.at("confirm-number", "1")
    for sentence in ("ticket-again", "expectation", "will-call"):
        caller.at(sentence, SKIP)
    time.sleep(PAUSE_S)
    caller.at("ask-subject", "1")
    caller.at("message-offer", "1")
    caller.at("beep")


def _reports(caller: Caller) -> None:
    caller.call()
    caller.at("greeting", "3")
    caller.at("report-category", "4")
    caller.at("report-district", "12#")
    caller.at("beep")


def _kept(system: System, caller: Caller) -> list[Path]:
    """The sounds of what the caller has said."""
    number = "+98" + caller.number[1:]
    with reading(system.engine) as session:
        requests = session.scalars(select(Request).where(Request.number == number))
        places = session.scalars(select(Registration).where(Registration.number == number))
        names = [row.voice_message for row in (*requests, *places)]
    return [system.settings.messages_dir / name for name in names if name]


def _until_kept(system: System, caller: Caller) -> Path:
    until(lambda: _kept(system, caller), "what was said is kept")
    (kept,) = _kept(system, caller)
    assert sound.tone_level(sound.load(kept), TONE_HZ) > 0.5
    return kept


def _texts(system: System, caller: Caller) -> list[OutboxKind]:
    with reading(system.engine) as session:
        to = "+98" + caller.number[1:]
        told = select(OutboxMessage.kind).where(OutboxMessage.to == to).order_by(OutboxMessage.id)
        return list(session.scalars(told))


def test_unreviewed_recording_is_kept_with_its_number(system: System, tmp_path: Path) -> None:
    speeches = [_speech(tmp_path, seconds) for seconds in SPEAKS_S]
    with _speaking(system, *speeches) as (message, report):
        report.at("report-review", timeout=SPEAKS_S[1] + 20)
        report.at("report-recorded", timeout=60)
        report.at("report-recorded-again")
        _until_kept(system, report)
        message.at("message-review", timeout=SPEAKS_S[0] + 20)
        message.at("message-kept", timeout=60)
        message.at("goodbye")
        _until_kept(system, message)


def test_hang_up_while_speaking_keeps_and_announces_the_message(system: System, tone: Path) -> None:
    with _speaking(system, tone, tone) as (message, report):
        time.sleep(HANGS_UP_AFTER_S)
        for caller, kind in ((message, OutboxKind.REGISTERED), (report, OutboxKind.REQUEST_REPORTED)):
            caller.hangup()
            _until_kept(system, caller)
            assert _texts(system, caller) == [kind]


def test_failing_disk_is_announced_and_the_call_goes_on(system: System, tone: Path) -> None:
    folder = system.settings.messages_dir
    moved = folder.rename(folder.with_name("messages.away"))
    try:
        folder.symlink_to("/dev/full")
        with _speaking(system, tone, tone) as (message, report):
            report.at("report-not-kept")
            report.at("goodbye")
            message.at("message-not-kept")
            message.at("goodbye")
            assert _kept(system, report) == _kept(system, message) == []
    finally:
        folder.unlink()
        moved.rename(folder)


def test_silence_after_the_tone_keeps_nothing(
    system: System,
) -> None:
    with _speaking(system, None, None) as (message, report):
        report.at("report-nothing", timeout=30)
        message.at("message-not-kept", timeout=30)
        assert _kept(system, report) == _kept(system, message) == []


def test_endless_speech_is_cut_and_reviewed(system: System, tone: Path) -> None:
    with system.only_round(), Caller(system, system.number(), sound=tone) as caller:
        _reports(caller)
        caller.at("report-review", "1", timeout=90)
        caller.at("report-recorded")
        file = _until_kept(system, caller)
        assert voice_message.LONGEST_S - 2 < sound.load(file).seconds <= voice_message.LONGEST_S + 1
