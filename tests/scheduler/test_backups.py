"""The night's backup: once a night, with several schedulers, again after a failure, and it goes by itself."""

import json
import signal
import subprocess
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine

from hotline import backups
from hotline.backups import Status
from ops.backup import take
from ops.backup.archive import Unusable
from scheduler import backups as job
from settings import CITY, Settings
from tests.factories import at_once

pytestmark = pytest.mark.long


@pytest.fixture
def target(tmp_path: Path) -> Path:
    folder = tmp_path / "target"
    folder.mkdir()
    return folder


@pytest.fixture
def nightly(settings: Settings, target: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings that the process that is started reads, too."""
    settings.state_dir.mkdir(parents=True, exist_ok=True)
    monkeypatch.setenv("HOTLINE_STATE_DIR", str(settings.state_dir))
    monkeypatch.setenv("HOTLINE_DATABASE_URL", settings.database)
    return settings.model_copy(update={"backup_dir": target})


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=CITY)


def well(settings: Settings, when: datetime, folder: Path) -> None:
    path = str(folder / "hotline137.tar")
    backups.write(settings, Status(when.isoformat(), True, path, good_at=when.isoformat(), good_path=path))


@pytest.mark.parametrize("backend", ["sqlite"])
def test_backup_is_due_once_a_night_and_an_hour_after_failure(
    nightly: Settings, target: Path, tmp_path: Path
) -> None:
    def due(when: datetime) -> datetime | None:
        return backups.find_due_since(nightly, when)

    assert due(at(29, 12)) == at(29, 3), "there is none yet"
    well(nightly, at(29, 3, 1), target)
    assert due(at(29, 12)) is due(at(30, 2, 59)) is None
    assert due(at(30, 3)) == at(30, 3)
    backups.write(nightly, Status(at(30, 3, 5).isoformat(), False, error="no room left"))
    assert due(at(30, 4)) is None and due(at(30, 4, 5)) == at(30, 3)
    assert due(at(30, 2)) is not None, "a clock that was set back keeps none from being made"
    well(nightly, at(30, 3, 10), tmp_path)
    assert due(at(30, 4)) == at(30, 3), "one that a person made elsewhere is not tonight's"
    for nonsense in ("", "[]", "{}", '{"at": 1}', json.dumps(Status("yesterday")._asdict())):
        (nightly.state_dir / backups.STATUS).write_text(nonsense)
        assert due(at(30, 4)) == at(30, 3)
    assert backups.find_due_since(nightly.model_copy(update={"backup_dir": None}), at(30, 4)) is None


@pytest.mark.parametrize("backend", ["sqlite"])
def test_several_schedulers_make_one_backup(nightly: Settings, target: Path, engine: Engine) -> None:
    nightly.check_secret()
    since = at(29, 3)

    def makes(_: int) -> Path | None:
        try:
            made = take.take(nightly, target, "", unless_since=since)
        except Unusable as error:
            assert "another" in str(error)
            return None
        return made.path if made else None

    made = [path for path in at_once(4, makes) if path]
    assert made == [*target.iterdir()] and len(made) == 1


@pytest.mark.parametrize("backend", ["sqlite"])
def test_due_backup_is_made_and_a_failure_reported_once(
    nightly: Settings,
    target: Path,
    engine: Engine,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(job, "_LOWEST", ())  # beside other tests the lowest rank would wait for ever
    scheduler = job.Nightly()

    def looks(settings: Settings) -> None:
        scheduler(engine, settings)
        scheduler.wait()
        scheduler(engine, settings)

    looks(nightly)
    (made,) = target.iterdir()
    status = backups.read(nightly)
    assert status and status.ok and status.path == str(made)
    assert any("is on the disk that it is to be a backup of" in note for note in status.notes)
    looks(nightly)
    assert [*target.iterdir()] == [made] and "not made" not in caplog.text
    assert all(f"backup: {note}" in caplog.text for note in status.notes)
    gone = nightly.model_copy(update={"backup_dir": target / "gone"})
    looks(gone)
    failed = backups.read(nightly)
    assert failed and not failed.ok and failed.error and failed.error in caplog.text
    assert "is its disk there" in failed.error and failed.good_path == str(made)
    looks(gone)
    assert caplog.text.count("not made") == 1, "it waits for an hour"


@pytest.mark.parametrize("backend", ["sqlite"])
def test_backup_requested_on_the_page_is_made(
    nightly: Settings, target: Path, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job, "_LOWEST", ())
    backups.ask(nightly)
    scheduler = job.Nightly()
    scheduler(engine, nightly)
    scheduler.wait()
    scheduler(engine, nightly)
    (made,) = target.iterdir()
    status = backups.read(nightly)
    assert status and status.ok and status.path == str(made)
    assert backups.find_asked_at(nightly) is None


@pytest.mark.parametrize("backend", ["sqlite"])
def test_last_words_of_a_command_that_died_are_recorded(
    nightly: Settings,
    target: Path,
    engine: Engine,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(job, "_LOWEST", ())
    monkeypatch.setenv("HOTLINE_SIP", "nowhere at all")
    well(nightly, at(1, 3), target)
    backups.ask(nightly)
    scheduler = job.Nightly()
    for _ in range(3):
        scheduler(engine, nightly)
        scheduler.wait()
    status = backups.read(nightly)
    assert status and not status.ok and status.error and "HOTLINE_SIP" in status.error, status
    assert status.good_path == str(target / "hotline137.tar"), "what went well before is still known"
    assert status.error in caplog.text and backups.find_asked_at(nightly) is None
    assert caplog.text.count("not made") == 1, "it waits for an hour"


@pytest.mark.parametrize("backend", ["sqlite"])
def test_slow_backup_neither_blocks_nor_repeats_and_times_out(
    nightly: Settings, engine: Engine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    begun: list[subprocess.Popen[bytes]] = []

    def begin(*_: object, **__: object) -> subprocess.Popen[bytes]:
        begun.append(Popen(["sleep", "60"]))
        return begun[-1]

    Popen = subprocess.Popen
    monkeypatch.setattr(subprocess, "Popen", begin)
    scheduler = job.Nightly()
    for _ in range(3):
        scheduler(engine, nightly)
    assert len(begun) == 1
    monkeypatch.setattr(job, "_LONGEST_S", 0)
    scheduler(engine, nightly)
    assert begun[0].wait(10) == -signal.SIGKILL and "not done after" in caplog.text
