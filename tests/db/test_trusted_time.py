"""A scheduler that compares the database's clock with its monotonic one, on both databases."""

from datetime import datetime, timedelta
from pathlib import Path
from time import monotonic

import pytest
from sqlalchemy import Engine

from db import trusted_time
from db.engine import now, reading, writing
from db.models import TrustedTime
from db.trusted_time import EVIDENCE, Doubt, Watch
from tests.kit.shifted_clock import ShiftedClock, clock

__all__ = ["clock"]

HOUR, YEAR = timedelta(hours=1), timedelta(days=365)
SECONDS = timedelta(seconds=1)


class Machine:
    """Both clocks of one machine: `passes` moves both, `leaps` the database's alone."""

    def __init__(self, engine: Engine, clock: ShiftedClock, folder: Path) -> None:
        self._engine, self._clock, self._boot = engine, clock, folder / "boot"
        self.ticks = 1000.0
        self.starts("one")

    def starts(self, boot: str = "") -> None:
        """A scheduler starts: anew, or with the whole machine."""
        if boot:
            self._boot.write_text(boot)
        self._scheduler = Watch(self._boot)
        self.looks()

    def looks(self) -> None:
        with writing(self._engine) as session:
            self._scheduler.look(session)

    def passes(self, time: timedelta) -> None:
        step = 10 * SECONDS
        for _ in range(time // step):
            self.ticks += 10
            self._clock.shift += step
            self.looks()

    def leaps(self, by: timedelta, *, seen: bool = True) -> None:
        self._clock.shift += by
        if seen:
            self.looks()

    def reads(self) -> tuple[datetime, datetime, Doubt | None]:
        """Return the clock's time, the trusted time, and the doubt."""
        with reading(self._engine) as session:
            shown, trusted = now(session), trusted_time.trusted_now(session)
            return shown, trusted, trusted_time.find_doubt(session)

    def is_behind(self) -> timedelta:
        shown, trusted, _ = self.reads()
        return timedelta(seconds=round((shown - trusted).total_seconds(), -1))


@pytest.fixture
def machine(engine: Engine, clock: ShiftedClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    machine = Machine(engine, clock, tmp_path)
    monkeypatch.setattr(trusted_time, "monotonic", lambda: machine.ticks + monotonic())
    machine.starts()
    return machine


def test_even_clock_is_trusted(machine: Machine) -> None:
    machine.passes(HOUR)
    assert machine.is_behind() == timedelta(0)
    assert machine.reads()[2] is None


@pytest.mark.parametrize("seen", [True, False])
@pytest.mark.parametrize("by", [timedelta(minutes=2), 3.5 * HOUR, YEAR])
def test_leap_ahead_is_not_trusted(machine: Machine, by: timedelta, seen: bool) -> None:
    machine.leaps(by, seen=seen)
    assert machine.is_behind() == by
    machine.passes(EVIDENCE / 2)
    assert machine.is_behind() == by, "the time before the leap goes on"
    shown, _, doubt = machine.reads()
    assert doubt and abs(doubt.until - shown - EVIDENCE / 2) < 20 * SECONDS


def test_leap_is_trusted_after_even_time(machine: Machine) -> None:
    machine.leaps(YEAR)
    machine.passes(EVIDENCE + 10 * SECONDS)
    assert (machine.is_behind(), machine.reads()[2]) == (timedelta(0), None)


def test_second_leap_begins_the_wait_anew(machine: Machine) -> None:
    machine.leaps(HOUR)
    machine.passes(EVIDENCE - 60 * SECONDS)
    machine.leaps(HOUR)
    machine.passes(120 * SECONDS)
    assert machine.is_behind() == 2 * HOUR


def test_mended_clock_is_trusted_at_once(machine: Machine) -> None:
    machine.leaps(YEAR)
    machine.passes(60 * SECONDS)
    machine.leaps(-YEAR)
    assert (machine.is_behind(), machine.reads()[2]) == (timedelta(0), None)


@pytest.mark.parametrize("back", [HOUR, YEAR])
def test_clock_set_back_makes_nothing_due(machine: Machine, back: timedelta) -> None:
    machine.leaps(-back)
    shown, trusted, doubt = machine.reads()
    assert trusted - shown < SECONDS
    assert doubt, "it is said, until the clock has run evenly or is mended"
    machine.leaps(back)
    assert (machine.is_behind(), machine.reads()[2]) == (timedelta(0), None)


def test_restarted_scheduler_keeps_the_doubt(machine: Machine) -> None:
    machine.leaps(3.5 * HOUR)
    machine.starts()
    assert machine.is_behind() == 3.5 * HOUR
    machine.leaps(-3.5 * HOUR)
    assert machine.is_behind() == timedelta(0)


def test_scheduler_that_was_away_for_an_hour_trusts(machine: Machine) -> None:
    machine.ticks += HOUR.total_seconds()
    machine.leaps(HOUR, seen=False)
    machine.starts()
    assert (machine.is_behind(), machine.reads()[2]) == (timedelta(0), None)


def test_machine_that_was_off_for_a_day_waits_once(machine: Machine) -> None:
    machine.ticks = 5.0
    machine.leaps(24 * HOUR, seen=False)
    machine.starts("two")
    machine.passes(EVIDENCE - 10 * SECONDS)
    assert machine.is_behind() == 24 * HOUR + EVIDENCE - 10 * SECONDS
    machine.passes(20 * SECONDS)
    assert (machine.is_behind(), machine.reads()[2]) == (timedelta(0), None)


def test_other_schedulers_trust_is_enough(machine: Machine, engine: Engine, tmp_path: Path) -> None:
    machine.leaps(HOUR)
    other = tmp_path / "other"
    other.write_text("three")
    with writing(engine) as session:
        row = session.get_one(TrustedTime, 1)
        row.at, row.boot, row.doubted_until = now(session), "three", None
    machine.looks()
    assert (machine.is_behind(), machine.reads()[2]) == (timedelta(0), None)


def test_hidden_boot_id_counts_as_another_run(machine: Machine, tmp_path: Path) -> None:
    (tmp_path / "boot").unlink()
    machine.starts()
    machine.passes(60 * SECONDS)
    assert (machine.is_behind(), machine.reads()[2]) == (timedelta(0), None)
    machine.leaps(HOUR, seen=False)
    machine.starts()
    assert machine.is_behind() == HOUR
