"""systemd's units, as far as they can be read without systemd running (tests/install starts them)."""

import configparser
import json
import subprocess
from pathlib import Path

import pytest

from ops.process import MODULES
from settings import asterisk_files

UNITS = Path(__file__).parents[2] / "ops" / "deb" / "units"
COMMON = UNITS / "hotline137-.service.d" / "common.conf"
SERVICES = sorted(UNITS.glob("*.service"))
ONCE = {"hotline137-prepare.service", "hotline137-tables.service"}
"""Units that end, and without which the target is not reached."""
STAY = [path for path in SERVICES if path.name not in ONCE]
EXPOSED = 25
"""The highest exposure of 100, as systemd counts; that is 2.5."""


def _read(unit: Path) -> configparser.RawConfigParser:
    parsed = configparser.RawConfigParser(strict=False)
    parsed.optionxform = str  # type: ignore[assignment,method-assign]
    parsed.read(unit)
    return parsed


def test_target_starts_asterisk_and_each_process() -> None:
    lines = (UNITS / "hotline137.target").read_text().splitlines()
    wanted = " ".join(
        line.removeprefix("Wants=") for line in lines if line.startswith("Wants=hotline")
    ).split()
    started = {path.name: _read(path)["Service"]["ExecStart"].split("-m ")[1] for path in SERVICES}

    processes = {f"ops.process {name}" for name in MODULES}
    helpers = {f"ops.service {name}" for name in ("prepare", "wait", "asterisk")}
    assert set(started.values()) == processes | helpers
    assert set(wanted) == set(started) - ONCE


def test_pages_and_asterisk_start_without_a_database() -> None:
    needs = {path.stem.removeprefix("hotline137-"): _read(path)["Unit"].get("Requires") for path in SERVICES}

    without = {name for name, unit in needs.items() if unit == "hotline137-prepare.service"}
    assert without == {"api", "asterisk", "tables"}
    assert {name for name, unit in needs.items() if unit == "hotline137-tables.service"} == {
        *("ivr", "dialer", "scheduler"),
    }


@pytest.mark.parametrize("path", SERVICES, ids=lambda path: path.stem)
def test_exposure_of_a_service_stays_below_its_limit(path: Path, tmp_path: Path) -> None:
    unit = tmp_path / path.name
    unit.write_text(path.read_text())
    (tmp_path / f"{path.name}.d").mkdir()
    for drop_in in (COMMON, *(UNITS / f"{path.name}.d").glob("*.conf")):
        (tmp_path / f"{path.name}.d" / drop_in.name).write_text(drop_in.read_text())

    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", f"--threshold={EXPOSED}", "--json=short", unit],
        check=False,
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
    assert json.loads(done.stdout)


def test_asterisks_unit_has_a_user_and_folders_of_its_own() -> None:
    own = UNITS / "hotline137-asterisk.service.d" / "own-user.conf"
    service = _read(own)["Service"]
    folder = "/var/lib/hotline137"

    assert own.name > COMMON.name  # systemd reads them in this order
    assert service["User"] == service["Group"] == asterisk_files.GROUP
    assert service["BindPaths"].split() == [f"{folder}/{name}" for name in asterisk_files.WRITTEN]
    assert service["BindReadOnlyPaths"].split() == [f"{folder}/{name}" for name in asterisk_files.READ]
    assert service["TemporaryFileSystem"].startswith(f"{folder}:ro")
    assert service["UnsetEnvironment"] == "HOTLINE_ENV_FILE"
    users = (UNITS.parent / "sysusers.conf").read_text()
    assert f"m hotline137 {asterisk_files.GROUP}" in users


def test_schedulers_unit_shows_it_the_boot_id() -> None:
    own = UNITS / "hotline137-scheduler.service.d" / "sees-boot.conf"

    assert own.name > COMMON.name
    assert _read(COMMON)["Service"]["ProcSubset"] == "pid"
    assert _read(own)["Service"]["ProcSubset"] == "all"


def test_every_unit_starts_after_the_clock_is_right() -> None:
    unit = _read(COMMON)["Unit"]

    assert unit["Wants"] == unit["After"] == "time-sync.target"


@pytest.mark.parametrize("path", STAY, ids=lambda path: path.stem)
def test_hang_of_a_service_is_noticed_by_systemd(path: Path) -> None:
    service = _read(path)["Service"]

    assert (service["Type"], service["Restart"]) == ("notify", "always")
    assert int(service["WatchdogSec"]) <= 20
