"""Versions of Asterisk: their known fault, and which one of the machine is taken."""

from pathlib import Path

import pytest

from ops import asterisk
from ops.asterisk import Asterisk


def of_version(told: str) -> Asterisk:
    return Asterisk(("echo", told), Path("modules"), Path("data"))


@pytest.mark.parametrize("version", ["20.20.1", "21.12.2", "22.10.1~dfsg+~cs6.17", "23.4.0"])
def test_version_that_can_hang_says_what_happens_then(version: str) -> None:
    assert "asterisk#1946" in of_version(f"Asterisk {version}").describe_known_fault()


@pytest.mark.parametrize("version", ["20.21.0", "22.11.0~dfsg", "23.5.1", "24.0.0"])
def test_mended_version_has_no_known_fault(version: str) -> None:
    assert of_version(f"Asterisk {version}").describe_known_fault() == ""


@pytest.mark.parametrize(
    ("modules", "data"),
    [
        ("usr/lib/x86_64-linux-gnu", "usr/share/asterisk"),
        ("usr/lib64", "usr/share/asterisk"),
        ("usr/lib", "var/lib/asterisk"),
    ],
)
def test_asterisk_of_the_machine_is_found_in_its_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, modules: str, data: str
) -> None:
    (tmp_path / modules / "asterisk" / "modules").mkdir(parents=True)
    (tmp_path / data / "documentation").mkdir(parents=True)
    program = tmp_path / "asterisk"
    program.write_text("#!/bin/sh\necho Asterisk 20.21.0\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setattr(asterisk, "_ROOT", tmp_path)

    found = asterisk._of_machine()

    assert found == Asterisk((str(program),), tmp_path / modules / "asterisk" / "modules", tmp_path / data)


def test_old_asterisk_of_the_machine_is_passed_over_for_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "usr/lib64/asterisk/modules").mkdir(parents=True)
    (tmp_path / "var/lib/asterisk/documentation").mkdir(parents=True)
    program = tmp_path / "asterisk"
    program.write_text("#!/bin/sh\necho Asterisk 16.28.0\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setattr(asterisk, "_ROOT", tmp_path)

    assert asterisk._of_machine() is None
