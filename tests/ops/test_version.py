"""The version with its commit, and the man page of the commands."""

import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hotline import version
from ops import man_page
from ops.cli import app


def test_build_is_that_of_the_package_or_of_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = tmp_path / "build"
    monkeypatch.setattr(version, "_BUILD", made)
    assert version.read_build() == ""  # neither a build nor a clone

    git = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@example.org"]
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "first"], check=True)
    named = subprocess.run([*git, "rev-parse", "--short", "HEAD"], check=True, capture_output=True, text=True)
    assert version.read_build() == named.stdout.strip()

    made.write_text("abc1234-dirty\n")
    assert version.read_build() == "abc1234-dirty"


def test_version_option_names_version_and_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ops.cli.read_build", lambda: "abc1234")
    done = CliRunner().invoke(app, ["--version"])
    assert (done.exit_code, done.output) == (0, f"hotline137 {version.VERSION} abc1234\n")


def test_man_page_has_every_command_with_its_help() -> None:
    page = man_page.render_page()
    for name in ("doctor", "apply", "restore", r"db copy", r"desk\-phone", r"ledger verify"):
        assert f"\n.B {name}\n" in page, name
    assert ".TP\n.B doctor\nPrint faults and their remedies" in page
    assert "\n\n" not in page  # a command without help
