"""Conversations that are held, while the database's clock leaps ahead and is set back."""

from datetime import UTC, datetime, timedelta
from typing import cast

import pytest
from sqlalchemy import Engine

from db.engine import reading, writing
from db.models import Callback, Desk
from db.states import CallbackState
from dialer import patient_clock
from dialer.ami import Ami
from dialer.callback_writer import CallbackWriter
from dialer.patient_clock import PatientClock
from dialer.tone import Tone
from dialplan.variables import NEARLY_OVER
from hotline.callbacks import conversations
from settings import Settings
from tests import factories as make
from tests.kit.databases import on_one
from tests.kit.shifted_clock import ShiftedClock, clock

__all__ = ["clock", "on_one"]

LEAP = timedelta(hours=3.5)
BEGAN = datetime(2026, 12, 2, 6, 30, tzinfo=UTC)


class Steady:
    """Seconds that a test lets go by."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.at = 100.0
        monkeypatch.setattr(patient_clock.time, "monotonic", lambda: self.at)


@pytest.fixture
def steady(monkeypatch: pytest.MonkeyPatch) -> Steady:
    return Steady(monkeypatch)


def test_leap_ends_no_conversation(
    engine: Engine, settings: Settings, clock: ShiftedClock, steady: Steady
) -> None:
    writer = CallbackWriter(settings, engine)
    writer.end_overdue()
    with writing(engine) as session:
        held = make.a_callback(session, CallbackState.TALKING)
        conversations.hold_without_desk(session, held.token, settings)
    clock.shift = LEAP
    writer.end_overdue()
    with reading(engine) as session:
        assert session.get_one(Callback, held.id).hangup_asked_at is None
    steady.at += settings.hold_seconds + 1
    clock.shift += timedelta(seconds=settings.hold_seconds + 1)
    writer.end_overdue()
    with reading(engine) as session:
        assert session.get_one(Callback, held.id).hangup_asked_at, "held for long enough without the leap"


def test_leap_sounds_no_end_of_the_agreed_minutes(
    engine: Engine, clock: ShiftedClock, steady: Steady, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr(Tone, "sound", lambda _self, _phone, clip: said.append(clip))
    tone = Tone(engine, cast(Ami, None))
    with writing(engine) as session:
        session.get_one(
            Desk, make.a_callback(session, CallbackState.TALKING).desk_id
        ).channel = "PJSIP/desk-1"
    tone.sound_due()
    clock.shift = LEAP
    steady.at += 10
    tone.sound_due()
    assert said == []
    clock.shift += timedelta(hours=1)
    steady.at += 3500
    tone.sound_due()
    assert said == [NEARLY_OVER], "as late as without the leap"


def test_leap_is_believed_once_nobody_is_held_from_before(steady: Steady) -> None:
    clock = PatientClock(60)
    assert clock.read(BEGAN) == BEGAN
    for seconds in (0, 30, 59):
        steady.at = 100.0 + seconds
        assert clock.read(BEGAN + LEAP + timedelta(seconds=seconds)) == BEGAN + timedelta(seconds=seconds)
    steady.at = 161.0
    assert clock.read(BEGAN + LEAP + timedelta(seconds=61)) == BEGAN + LEAP + timedelta(seconds=61)


def test_clock_set_back_is_believed_at_once(steady: Steady) -> None:
    clock = PatientClock(60)
    clock.read(BEGAN)
    clock.read(BEGAN + LEAP)
    steady.at += 10
    assert clock.read(BEGAN + timedelta(seconds=10)) == BEGAN + timedelta(seconds=10)
    assert clock.read(BEGAN - LEAP) == BEGAN - LEAP
    assert clock.read(BEGAN) == BEGAN - LEAP, "that is a leap again"


def test_slow_answer_of_the_database_is_no_leap(steady: Steady) -> None:
    clock = PatientClock(60)
    clock.read(BEGAN)
    assert clock.read(BEGAN + timedelta(seconds=4)) == BEGAN + timedelta(seconds=4)
