"""hotline137 doctor on a machine with systemd: it names the unit that failed, and what that said last."""

import os
from pathlib import Path

import pytest

from settings import Settings
from tests.ops.doctor.examined import Told

ASKED = "Id=hotline137-{{}}.service\nLoadState={}\nActiveState={}\nSubState={}\nResult={}\nStatusText={}\n"
GOOD = ASKED.format("loaded", "active", "running", "success", "")
FAILED = ASKED.format("loaded", "failed", "failed", "exit-code", "")
AGAIN = ASKED.format("loaded", "activating", "auto-restart", "exit-code", "")
WAITS = ASKED.format("loaded", "activating", "start", "success", "waits for the database")
NONE = ASKED.format("not-found", "inactive", "dead", "success", "")
NAMES = ("prepare", "tables", "asterisk", "ivr", "dialer", "scheduler", "api")


def _machine(folder: Path, monkeypatch: pytest.MonkeyPatch, said: str, **states: str) -> None:
    """Put a systemctl and a journalctl into the path that print what systemd 257 prints."""
    blocks = "\n".join(states.get(name, states["other"]).format(name) for name in NAMES)
    (folder / "blocks").write_text(blocks)
    (folder / "lines").write_text(said)
    for name, file in (("systemctl", "blocks"), ("journalctl", "lines")):
        command = folder / name
        command.write_text(f"#!/bin/sh\ncat {folder / file}\n")
        command.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")


def _found() -> list[tuple[str, str, str]]:
    return [
        (each["state"], each["said"], each["do"])
        for each in Told("--json").findings
        if each["name"] == "systemd"
    ]


def test_units_that_work_are_one_ok(here: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _machine(tmp_path, monkeypatch, "", other=GOOD)
    assert _found() == [("ok", "no unit failed", "")]


@pytest.mark.parametrize("state", [FAILED, AGAIN])
def test_unit_that_failed_is_named_with_its_last_lines(
    here: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    _machine(tmp_path, monkeypatch, "Traceback:\n\nOSError: no room\n", other=GOOD, dialer=state)
    assert _found() == [
        (
            "fault",
            "hotline137-dialer failed (exit-code); it said last: Traceback: | OSError: no room",
            "journalctl -u hotline137-dialer; docs/operate/night.md; systemctl restart hotline137-dialer",
        )
    ]


def test_journal_that_cannot_be_read_is_said(
    here: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _machine(tmp_path, monkeypatch, "-- No entries --\n", other=GOOD, api=FAILED)
    assert _found()[0][1].endswith("it said last: nothing that we may read (ask as root)")


def test_unit_that_waits_is_a_warning(
    here: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _machine(tmp_path, monkeypatch, "", other=GOOD, tables=WAITS)
    assert _found() == [
        (
            "warning",
            "hotline137-tables is starting: waits for the database",
            "journalctl -u hotline137-tables",
        )
    ]


def test_machine_without_our_units_has_no_finding(
    here: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _machine(tmp_path, monkeypatch, "", other=NONE)
    assert _found() == []
